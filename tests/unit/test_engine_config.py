"""The renderer of engine configuration: golden files, and what it refuses."""

import base64
import dataclasses
from pathlib import Path, PurePosixPath

import pytest

from exordos_paas_storage.domain import capabilities, errors
from exordos_paas_storage.nodes import engine_config
from tests.unit.node_secrets import SECRETS

GOLDEN = Path(__file__).with_name("golden")


def place(engine, **values):
    instance = PurePosixPath("/srv/s3/instances/7")
    defaults = {
        "engine": engine,
        "data_dir": instance / "data",
        "secrets_dir": instance / "secrets",
        "host": "127.0.0.1",
        "port": 9000,
    }
    return engine_config.Place(**{**defaults, **values})


@pytest.mark.parametrize("engine", capabilities.ENGINES)
def test_configuration_is_the_golden_file(engine):
    command = " ".join([engine, *engine_config.arguments(place(engine))])
    rendered = f"# {command}\n{engine_config.environment_file(place(engine))}"

    assert rendered == (GOLDEN / f"{engine}.env").read_text()


@pytest.mark.parametrize("engine", capabilities.ENGINES)
def test_no_secret_is_in_the_configuration(engine):
    where = place(engine)
    shown = engine_config.environment_file(where) + str(engine_config.arguments(where))

    for secret in dataclasses.astuple(SECRETS):
        assert secret not in shown


def test_secret_files_of_rustfs():
    files = engine_config.secret_files("rustfs", SECRETS)

    assert set(files) == {"root-access-key", "root-secret-key", "engine.env"}
    assert files["root-secret-key"] == SECRETS.secret_key
    assert engine_config.read_environment_file(files["engine.env"]) == {
        "RUSTFS_IAM_MASTER_KEY": SECRETS.iam_master_key,
        "RUSTFS_SSE_S3_MASTER_KEY": SECRETS.sse_master_key,
    }


def test_secret_files_of_minio():
    files = engine_config.secret_files("minio", SECRETS)

    assert set(files) == {"root-access-key", "root-secret-key", "kms-key"}
    assert files["kms-key"] == f"s3aas:{SECRETS.sse_master_key}"


@pytest.mark.parametrize("engine", capabilities.ENGINES)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("access_key", ""),
        ("access_key", "rustfsadmin"),
        ("access_key", "minioadmin"),
        ("access_key", "MinioAdmin"),
        ("access_key", "two\nlines"),
        ("secret_key", ""),
        ("secret_key", "minioadmin"),
        ("secret_key", "x" * 31),
        ("secret_key", "x" * 39 + "\n"),
        ("sse_master_key", ""),
        ("sse_master_key", "not base64!"),
        ("sse_master_key", base64.b64encode(bytes(32)).decode()),
        ("sse_master_key", base64.b64encode(bytes(range(31))).decode()),
        ("iam_master_key", ""),
    ],
)
def test_missing_or_default_credentials_are_refused(engine, name, value):
    with pytest.raises(errors.SetupError) as caught:
        engine_config.secret_files(
            engine, dataclasses.replace(SECRETS, **{name: value})
        )

    assert "\n" not in str(caught.value)
    assert not value or value not in str(caught.value)


@pytest.mark.parametrize("engine", capabilities.ENGINES)
@pytest.mark.parametrize("folder", ["/my data", "/srv/{1...4}", "/srv/a\tb"])
def test_folders_that_engines_expand_are_refused(engine, folder):
    where = place(engine, data_dir=PurePosixPath(folder))

    with pytest.raises(errors.SetupError, match="without blanks"):
        engine_config.arguments(where)
    if engine == "rustfs":  # MinIO's environment does not name the folder
        with pytest.raises(errors.SetupError, match="without blanks"):
            engine_config.environment(where)


def test_an_ipv6_address_is_bracketed():
    assert "[::1]:9000" in engine_config.arguments(place("minio", host="::1"))


def test_an_unknown_engine_is_refused():
    with pytest.raises(errors.SetupError, match="ceph"):
        engine_config.environment(place("ceph"))


def test_secrets_are_in_no_repr():
    assert SECRETS.secret_key not in repr(SECRETS)
    assert SECRETS.sse_master_key not in repr(SECRETS)
