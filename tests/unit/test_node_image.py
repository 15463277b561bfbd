"""What is delivered to a node: golden files, and that it agrees with the image."""

import dataclasses
from pathlib import Path, PurePosixPath

import pytest

from exordos_paas_storage.domain import capabilities, errors
from exordos_paas_storage.nodes import engine_config, image
from tests.unit.node_secrets import SECRETS

GOLDEN = Path(__file__).with_name("golden")
CERTIFICATE = image.Certificate("(chain)\n", "(key)\n")
ENGINES = pytest.mark.parametrize("engine", capabilities.ENGINES)


def shown(files):
    """The files in one text: a heading with path, owner and mode above each content."""
    return "\n".join(
        f"# {one.path} {one.owner}:{one.group} {one.mode}"
        f"{' secret' if one.secret else ''}\n{one.content.rstrip()}\n"
        for one in files
    )


@ENGINES
def test_delivered_files_are_the_golden_ones(engine):
    rendered = shown(image.files(engine, SECRETS, CERTIFICATE))
    golden = GOLDEN / f"node-{engine}.txt"

    assert rendered == golden.read_text()


@ENGINES
def test_without_a_certificate_the_engine_speaks_plain_http(engine):
    files = image.files(engine, SECRETS)
    settings = files[-1].content

    assert not [one for one in files if one.path.parent == image.TLS_DIR]
    assert str(image.TLS_DIR) not in settings
    assert "EXORDOS_S3_READY_URL=http://127.0.0.1:9000/" in settings


@ENGINES
def test_secrets_are_in_files_of_their_own_and_in_no_repr(engine):
    files = image.files(engine, SECRETS, CERTIFICATE)
    secret = [*dataclasses.astuple(SECRETS), CERTIFICATE.key]

    for one in files:
        assert not any(value.strip() in repr(one) for value in secret)
        if one.secret:
            assert (one.owner, one.mode) == (image.USER, "0600")
        else:
            assert not any(value.strip() in one.content for value in secret)


@ENGINES
def test_the_launcher_expects_exactly_what_is_delivered(engine):
    expected = image.layout()["s3_engines"][engine]
    delivered = {one.path: one.content for one in image.files(engine, SECRETS)}
    settings = engine_config.read_environment_file(delivered[image.SETTINGS_FILE])
    secrets_env = delivered.get(image.SECRETS_DIR / engine_config.ENV_FILE, "")

    ours = {name for name in settings if name.startswith("EXORDOS_S3_")}
    assert set(expected["settings"]) == set(settings) - ours
    assert {image.SECRETS_DIR / name for name in expected["secret_files"]} == {
        path for path in delivered if path.parent == image.SECRETS_DIR
    }
    assert set(expected["secret_variables"]) == set(
        engine_config.read_environment_file(secrets_env)
    )


def test_a_missing_secret_is_refused_before_anything_is_delivered():
    with pytest.raises(errors.SetupError, match="secret key"):
        image.files("rustfs", dataclasses.replace(SECRETS, secret_key=""))


def test_an_image_stops_an_engine_no_sooner_than_it_may_take():
    longest = max(e["stop_s"] for e in image.layout()["s3_engines"].values())
    assert longest < image.STOP_S


def test_data_lie_below_the_mount_and_never_on_it():
    assert image.DATA_DIR.parent == image.DATA_MOUNT
    # A mount unit's name is its path, so that no character of it is escaped.
    expected = "-".join(PurePosixPath(image.DATA_MOUNT).parts[1:]) + ".mount"
    assert expected == image.MOUNT_UNIT
