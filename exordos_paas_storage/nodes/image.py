"""What the node image and whoever configures a node agree on: paths, units, files.

This is the one place that names them. `exordos/images` builds the image from `layout`,
and a platform that delivers a node's configuration writes what `files` renders, each
file whole and with its owner and mode, and then runs `ON_CHANGE`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from exordos_paas_storage.domain import capabilities
from exordos_paas_storage.nodes import engine_config, port

NAME = "exordos-metapaas-s3-dp"

ENGINE_UNIT = "exordos-s3-engine.service"
DATA_DISK_UNIT = "exordos-s3-data-disk.service"
DATA_GROW_UNIT = "exordos-s3-data-grow.service"
HEALTH_UNIT = "exordos-s3-health.service"
HEALTH_TIMER = "exordos-s3-health.timer"
MOUNT_UNIT = "srv-s3.mount"

# The same in every image: a data disk outlives the root disk that made its files.
USER = GROUP = "s3engine"
UID = GID = 10001

DATA_LABEL = "s3-data"
DATA_MOUNT = PurePosixPath("/srv/s3")
DATA_DIR = DATA_MOUNT / "data"
HOME_DIR = PurePosixPath("/var/lib/exordos-s3")
CONFIG_DIR = PurePosixPath("/etc/exordos-s3")
SETTINGS_FILE = CONFIG_DIR / "settings.env"
SECRETS_DIR = CONFIG_DIR / "secrets"
TLS_DIR = CONFIG_DIR / "tls"
LIB_DIR = PurePosixPath("/usr/lib/exordos-s3")

PORT = 9000
# All addresses: a node is reached by the one that its platform gave it.
HOST = "0.0.0.0"  # noqa: S104

# It must succeed while files are still missing: of a file whose command failed, the
# platform's agent logs the whole value, secrets too. The unit says what it lacks.
ON_CHANGE = f"systemctl --no-block restart {ENGINE_UNIT}"

# Over the longest that an engine takes to stop; then it is killed.
STOP_S = 60

# Exit status of the launcher when nothing but a change of the node helps (EX_CONFIG of
# sysexits.h): the unit stays failed and is not started again by itself.
REFUSED_STATUS = 78


@dataclass(frozen=True)
class File:
    """One file as it is delivered; directories are in the image.

    Attributes:
        mode: four octal digits.
        secret: whether the content must not be shown or logged.
    """

    path: PurePosixPath
    content: str = field(repr=False)
    owner: str
    group: str
    mode: str
    secret: bool


@dataclass(frozen=True)
class Certificate:
    """What the engine proves itself with: PEM, the chain from the leaf on."""

    chain: str
    key: str = field(repr=False)


def files(
    engine: str,
    secrets: port.NodeSecrets,
    certificate: Certificate | None = None,
    region: str = engine_config.REGION,
) -> list[File]:
    """Everything that turns a booted image into a running engine.

    Raises:
        SetupError: the engine is unknown, or a secret is missing, malformed or an
            engine's default.
    """
    place = engine_config.Place(
        engine=engine,
        data_dir=DATA_DIR,
        secrets_dir=SECRETS_DIR,
        host=HOST,
        port=PORT,
        region=region,
        tls_dir=TLS_DIR if certificate else None,
        own_machine=True,
    )
    found = [
        _own(SECRETS_DIR / name, content)
        for name, content in engine_config.secret_files(engine, secrets).items()
    ]
    if certificate:
        names = engine_config.tls_names(engine)
        found.append(_own(TLS_DIR / names.chain, certificate.chain, secret=False))
        found.append(_own(TLS_DIR / names.key, certificate.key))
    # Last, so that where files come in this order the engine starts once and not twice.
    settings = File(SETTINGS_FILE, _settings(place), "root", GROUP, "0640", False)
    return [*found, settings]


def paths(engine: str) -> list[PurePosixPath]:
    """Where `files` may put anything for this engine, with a certificate or without.

    Raises:
        SetupError: the engine is unknown.
    """
    tls = engine_config.tls_names(engine)
    return [
        *(SECRETS_DIR / name for name in engine_config.SECRET_FILES[engine]),
        TLS_DIR / tls.chain,
        TLS_DIR / tls.key,
        SETTINGS_FILE,
    ]


def layout() -> dict[str, Any]:
    """The names above, and what the launcher checks, as the Ansible role has them."""
    return {
        "s3_name": NAME,
        "s3_engine_unit": ENGINE_UNIT,
        "s3_data_disk_unit": DATA_DISK_UNIT,
        "s3_data_grow_unit": DATA_GROW_UNIT,
        "s3_health_unit": HEALTH_UNIT,
        "s3_health_timer": HEALTH_TIMER,
        "s3_mount_unit": MOUNT_UNIT,
        "s3_user": USER,
        "s3_group": GROUP,
        "s3_uid": UID,
        "s3_gid": GID,
        "s3_data_label": DATA_LABEL,
        "s3_data_mount": str(DATA_MOUNT),
        "s3_data_dir": str(DATA_DIR),
        "s3_home_dir": str(HOME_DIR),
        "s3_config_dir": str(CONFIG_DIR),
        "s3_settings_file": str(SETTINGS_FILE),
        "s3_secrets_dir": str(SECRETS_DIR),
        "s3_access_key_file": str(SECRETS_DIR / engine_config.ACCESS_KEY_FILE),
        "s3_secret_key_file": str(SECRETS_DIR / engine_config.SECRET_KEY_FILE),
        "s3_tls_dir": str(TLS_DIR),
        "s3_lib_dir": str(LIB_DIR),
        "s3_port": PORT,
        "s3_refused_status": REFUSED_STATUS,
        "s3_stop_s": STOP_S,
        "s3_default_credentials": sorted(engine_config.DEFAULT_CREDENTIALS),
        "s3_engines": {engine: _expected(engine) for engine in capabilities.ENGINES},
    }


def _own(path: PurePosixPath, content: str, *, secret: bool = True) -> File:
    return File(path, content, USER, GROUP, "0600", secret)


def _settings(place: engine_config.Place) -> str:
    """What the launcher and the health check read, and the engine's own settings."""
    able = capabilities.of(place.engine, "")
    scheme = "https" if place.tls_dir else "http"
    ours = {
        "EXORDOS_S3_ARGUMENTS": " ".join(engine_config.arguments(place)),
        "EXORDOS_S3_ENGINE": place.engine,
        "EXORDOS_S3_READY_URL": f"{scheme}://127.0.0.1:{place.port}{able.ready_path}",
    }
    return engine_config.lines({**ours, **engine_config.environment(place)})


def _expected(engine: str) -> dict[str, Any]:
    """What must be there before an engine is started.

    An engine that lacks its root's key starts with a published one, and one that lacks
    a setting takes its own default for it.
    """
    place = engine_config.Place(
        engine, DATA_DIR, SECRETS_DIR, HOST, PORT, own_machine=True
    )
    names = engine_config.tls_names(engine)
    return {
        "settings": sorted(engine_config.environment(place)),
        "secret_files": sorted(engine_config.SECRET_FILES[engine]),
        "secret_variables": sorted(engine_config.SECRET_VARIABLES[engine]),
        "plain_credentials": sorted(engine_config.PLAIN_CREDENTIALS[engine]),
        "tls_chain": names.chain,
        "tls_key": names.key,
        "stop_s": capabilities.of(engine, "").stop_s,
    }
