"""The launcher refuses each thing that must not be started, in one line without values.

It runs in an unpacked tree, under the engine's account, with the environment that
systemd would have read from the delivered files.
"""

import os

import pytest
from node_image import command

from exordos_paas_storage.domain import capabilities
from exordos_paas_storage.nodes import engine_config, image
from tests.image import trees
from tests.image.launch import Launch

SECRET = image.SECRETS_DIR / engine_config.SECRET_KEY_FILE
KEY = image.SECRETS_DIR / engine_config.ACCESS_KEY_FILE


@pytest.fixture
def launch(applied):
    """Everything is right; a test breaks one thing."""
    with applied.layers.copy() as tree:
        disk = trees.inside(tree, image.DATA_MOUNT)
        command.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tests", disk])
        made = Launch(applied.engine, tree)
        data = made.file(image.DATA_DIR)
        data.mkdir(mode=0o750)
        own(data)
        yield made


def test_starts_where_all_is_right(launch):
    done = launch.run()

    assert done.returncode == 0, done.stderr
    assert "version" in done.stdout


def test_starts_with_a_certificate(launch):
    launch.issue()

    assert launch.run().returncode == 0


# Each breaks one thing of a `Launch`, and what is then said of which file.
SETTINGS = str(image.SETTINGS_FILE)
BROKEN = {
    "no settings": (
        lambda x: x.file(image.SETTINGS_FILE).unlink(),
        f"{SETTINGS} is missing",
    ),
    "empty settings": (
        lambda x: x.file(image.SETTINGS_FILE).write_text(""),
        f"{SETTINGS} is empty",
    ),
    "settings are a link": (
        lambda x: link(x.file(image.SETTINGS_FILE)),
        f"{SETTINGS} is missing",
    ),
    "owner of settings": (
        lambda x: own(x.file(image.SETTINGS_FILE)),
        f"{SETTINGS} is not owned by root",
    ),
    "settings that the group can write": (
        lambda x: x.file(image.SETTINGS_FILE).chmod(0o660),
        f"{SETTINGS} can be written by others than root",
    ),
    "settings that all can write": (
        lambda x: x.file(image.SETTINGS_FILE).chmod(0o642),
        f"{SETTINGS} can be written by others than root",
    ),
    "settings for root alone": (
        lambda x: x.file(image.SETTINGS_FILE).chmod(0o600),
        f"{SETTINGS} can't be read by {image.USER}",
    ),
    "settings without an engine": (
        lambda x: x.settings(EXORDOS_S3_ENGINE=None),
        f"{SETTINGS} (EXORDOS_S3_ENGINE) is for another engine",
    ),
    "settings without an address to ask": (
        lambda x: x.settings(EXORDOS_S3_READY_URL=None),
        f"{SETTINGS} does not set EXORDOS_S3_READY_URL",
    ),
    "no secret": (lambda x: x.file(SECRET).unlink(), f"{SECRET} is missing"),
    "empty secret": (lambda x: x.file(SECRET).write_text(""), f"{SECRET} is empty"),
    "secret of root": (
        lambda x: own(x.file(SECRET), 0),
        f"{SECRET} is not owned by {image.USER}",
    ),
    "secret for the group": (
        lambda x: x.file(SECRET).chmod(0o640),
        f"{SECRET} has mode 640",
    ),
    "secret that can't be written": (
        lambda x: x.file(SECRET).chmod(0o400),
        f"{SECRET} has mode 400",
    ),
    "secret is a link": (
        lambda x: link(x.file(SECRET)),
        f"{SECRET} is not a regular file",
    ),
    "secret is a folder": (
        lambda x: (x.file(SECRET).unlink(), x.file(SECRET).mkdir(mode=0o700)),
        f"{SECRET} is not a regular file",
    ),
    "short secret": (
        lambda x: x.file(SECRET).write_text("x" * 31),
        f"{SECRET} is shorter than 32 characters",
    ),
    "short secret and an empty line": (
        lambda x: x.file(SECRET).write_text("x" * 31 + "\n"),
        f"{SECRET} is shorter than 32 characters",
    ),
    "default secret": (
        lambda x: x.file(SECRET).write_text("minioadmin"),
        f"{SECRET} holds a published default",
    ),
    "default key": (
        lambda x: x.file(KEY).write_text("RustFSAdmin\n"),
        f"{KEY} holds a published default",
    ),
    "secret of zeros": (
        lambda x: x.file(SECRET).write_bytes(bytes(40)),
        f"{SECRET} is not one line of printable characters",
    ),
    "key of zeros": (
        lambda x: x.file(KEY).write_bytes(bytes(20)),
        f"{KEY} is not one line of printable characters",
    ),
    "key of an empty line": (
        lambda x: x.file(KEY).write_text("\n"),
        f"{KEY} is not one line of printable characters",
    ),
    "key of two lines": (
        lambda x: x.file(KEY).write_text("minioadmin\nmore\n"),
        f"{KEY} is not one line of printable characters",
    ),
    "default secret and blanks up to the least length": (
        lambda x: x.file(SECRET).write_text("minioadmin".ljust(40)),
        f"{SECRET} is not one line of printable characters",
    ),
    "default key and a return": (
        lambda x: x.file(KEY).write_bytes(b"minioadmin\r\n"),
        f"{KEY} is not one line of printable characters",
    ),
    "no mount": (
        lambda x: command.run(["umount", x.file(image.DATA_MOUNT)]),
        f"{image.DATA_MOUNT} is not mounted",
    ),
    "no folder on the disk": (
        lambda x: x.file(image.DATA_DIR).rmdir(),
        f"the data disk has no folder {image.DATA_DIR}",
    ),
    "folder of root": (
        lambda x: own(x.file(image.DATA_DIR), 0),
        f"{image.DATA_DIR} is not owned by {image.USER}",
    ),
    "folder that can't be written": (
        lambda x: command.run(["mount", "-o", "remount,ro", x.file(image.DATA_MOUNT)]),
        f"{image.DATA_DIR} can't be written",
    ),
    "no checksum": (
        lambda x: x.file(image.LIB_DIR / f"{x.engine}.sha256").unlink(),
        "{binary} is damaged",
    ),
    "no binary": (
        lambda x: x.file(image.LIB_DIR / x.engine).unlink(),
        "{binary} is damaged",
    ),
    "shorter binary": (
        lambda x: truncate(x.file(image.LIB_DIR / x.engine)),
        "{binary} is damaged",
    ),
}


@pytest.mark.parametrize(("broken", "said"), BROKEN.values(), ids=BROKEN)
def test_refuses_what_is_broken(launch, broken, said):
    broken(launch)

    binary = image.LIB_DIR / launch.engine
    assert launch.refusal() == said.format(binary=binary)


def test_refuses_every_missing_setting(launch):
    place = engine_config.Place(
        launch.engine, image.DATA_DIR, image.SECRETS_DIR, image.HOST, image.PORT
    )
    names = list(engine_config.environment(place))
    said = {}
    for name in names:
        launch.deliver()
        launch.settings(**{name: None})
        said[name] = launch.refusal()

    assert said == {name: f"{SETTINGS} does not set {name}" for name in names}


def test_refuses_every_missing_secret_file(launch):
    said = {}
    for name in engine_config.SECRET_FILES[launch.engine]:
        launch.deliver()
        launch.file(image.SECRETS_DIR / name).write_text("")
        said[name] = launch.refusal()

    assert said == {name: f"{image.SECRETS_DIR / name} is empty" for name in said}
    assert len(said) == 3


MASTER_KEYS = image.SECRETS_DIR / engine_config.ENV_FILE
DAMAGED = {
    "gone": lambda line: "",
    "half": lambda line: line[:40] + "\n",
    "no name": lambda line: line.partition("=")[2],
    "not one word": lambda line: line.replace("=", " x=", 1),
    "twice": lambda line: line * 2,
    "zeros": lambda line: "\0" * len(line),
}


@pytest.mark.parametrize("damage", DAMAGED.values(), ids=DAMAGED)
def test_refuses_damaged_master_keys_and_shows_nothing_of_them(launch, damage):
    names = engine_config.SECRET_VARIABLES[launch.engine]
    for number in range(len(names)):
        launch.deliver()
        lines = launch.file(MASTER_KEYS).read_text().splitlines(keepends=True)
        lines[number] = damage(lines[number])
        launch.file(MASTER_KEYS).write_text("".join(lines))
        assert launch.refusal().startswith(f"{MASTER_KEYS} ")

    # MinIO has all its secrets in files of their own.
    assert bool(names) == (launch.engine == capabilities.RUSTFS)


def test_refuses_every_credential_in_the_settings(launch):
    names = [
        *engine_config.PLAIN_CREDENTIALS[launch.engine],
        *engine_config.SECRET_VARIABLES[launch.engine],
    ]
    for name in names:
        launch.deliver()
        launch.settings(**{name: launch.secrets.secret_key})
        assert launch.refusal().startswith(f"{name} is set directly")

    assert len(names) >= 4


def test_refuses_a_secret_that_is_written_while_it_sums_the_binary(launch):
    program = launch.tree / "usr/bin/sha256sum"
    program.write_text(f"#!/bin/sh\n: >{SECRET}\n")

    assert launch.refusal() == f"{SECRET} is empty"


def test_refuses_half_a_certificate(launch):
    names = launch.issue()
    for name in (names.chain, names.key):
        launch.issue()
        launch.file(image.TLS_DIR / name).unlink()
        assert launch.refusal() == f"{image.TLS_DIR / name} is missing"


def test_refuses_a_key_that_others_can_read(launch):
    names = launch.issue()
    launch.file(image.TLS_DIR / names.key).chmod(0o644)

    assert launch.refusal() == f"{image.TLS_DIR / names.key} has mode 644"


def test_refuses_the_settings_of_the_other_engine(launch):
    other = next(name for name in capabilities.ENGINES if name != launch.engine)
    trees.put(launch.tree, image.files(other, launch.secrets))

    assert launch.refusal() == f"{SETTINGS} (EXORDOS_S3_ENGINE) is for another engine"


def own(path, number=image.UID):
    """Give a file or folder to an account, by its number."""
    os.chown(path, number, number)


def link(path):
    """Put a link to the same content in a file's place."""
    path.rename(path.with_suffix(".real"))
    path.symlink_to(path.with_suffix(".real").name)


def truncate(path):
    """Cut a file's last byte off."""
    os.truncate(path, path.stat().st_size - 1)
