"""The one renderer of engine configuration: pure, for one box and for a node's image.

The environment names files and holds no secret, but for what RustFS takes in no other
form: that is a secret file of its own, `ENV_FILE`, which a launcher loads into the
engine's environment. A command line never holds a secret: every account can read it.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath

from exordos_paas_storage.domain import capabilities, errors
from exordos_paas_storage.nodes import port

ACCESS_KEY_FILE = "root-access-key"
SECRET_KEY_FILE = "root-secret-key"  # noqa: S105 - a file's name
KMS_FILE = "kms-key"
ENV_FILE = "engine.env"

REGION = "us-east-1"
# Published, in lower case: the engines' own, and what people choose first.
DEFAULT_CREDENTIALS = frozenset({"rustfsadmin", "minioadmin", "admin", "root"})
# RustFS 1.0.1 reads these two from its environment alone.
_IAM_MASTER_KEY, _SSE_MASTER_KEY = "RUSTFS_IAM_MASTER_KEY", "RUSTFS_SSE_S3_MASTER_KEY"
# What `secret_files` writes for each engine, and which variables `ENV_FILE` has.
SECRET_FILES = {
    capabilities.RUSTFS: (ACCESS_KEY_FILE, SECRET_KEY_FILE, ENV_FILE),
    capabilities.MINIO: (ACCESS_KEY_FILE, SECRET_KEY_FILE, KMS_FILE),
}
SECRET_VARIABLES: dict[str, tuple[str, ...]] = {
    capabilities.RUSTFS: (_IAM_MASTER_KEY, _SSE_MASTER_KEY),
    capabilities.MINIO: (),
}
# Variables by which an engine takes a credential itself, or a file that may hold one. A
# node refuses them: its settings are readable where its secrets are not.
PLAIN_CREDENTIALS = {
    capabilities.RUSTFS: (
        "RUSTFS_ACCESS_KEY",
        "RUSTFS_ROOT_PASSWORD",
        "RUSTFS_ROOT_USER",
        "RUSTFS_SECRET_KEY",
    ),
    capabilities.MINIO: (
        "MINIO_ACCESS_KEY",
        "MINIO_CONFIG_ENV_FILE",
        "MINIO_KMS_SECRET_KEY",
        "MINIO_ROOT_PASSWORD",
        "MINIO_ROOT_USER",
        "MINIO_SECRET_KEY",
    ),
}

# The name stands in every encrypted object of a MinIO: it never changes.
_KMS_KEY_NAME = "s3aas"
# Both engines expand braces in a volume's name, and RustFS splits it at blanks.
_UNUSABLE_IN_PATH = re.compile(r"[\s{}]")


@dataclass(frozen=True)
class TlsNames:
    """Where an engine looks for its certificate, below the folder for TLS."""

    chain: str
    key: str


@dataclass(frozen=True)
class Place:
    """Where one engine runs: its folders, the address it listens on, its region.

    Attributes:
        tls_dir: holds certificate and key, named as `tls_names` says; without it the
            engine speaks plain HTTP.
        own_machine: whether the engine has a machine to itself.
    """

    engine: str
    data_dir: PurePath
    secrets_dir: PurePath
    host: str
    port: int
    region: str = REGION
    tls_dir: PurePath | None = None
    own_machine: bool = False

    @property
    def address(self) -> str:
        """`host:port`, an IPv6 host in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def arguments(place: Place) -> tuple[str, ...]:
    """The engine's command line after the name of its binary.

    Raises:
        SetupError: the engine is unknown, or it can't use a folder of that name.
    """
    data = _volume(place)
    if _known(place.engine) == capabilities.MINIO:
        # It has no variable for this folder.
        tls = ("--certs-dir", str(place.tls_dir)) if place.tls_dir else ()
        return ("server", "--address", place.address, *tls, data)
    return ("server", data)


def environment(place: Place) -> dict[str, str]:
    """The engine's settings, without a secret.

    Raises:
        SetupError: as `arguments`.
    """
    if _known(place.engine) == capabilities.MINIO:
        return _minio(place)
    return _rustfs(place)


def environment_file(place: Place) -> str:
    """`environment` in the form of systemd's `EnvironmentFile=`, sorted."""
    return lines(environment(place))


def tls_names(engine: str) -> TlsNames:
    """The names of the PEM files of a certificate's chain and key.

    Source: RustFS, `config/src/constants/tls.rs`; MinIO, `cmd/config-dir.go`.
    """
    if _known(engine) == capabilities.MINIO:
        return TlsNames("public.crt", "private.key")
    return TlsNames("rustfs_cert.pem", "rustfs_key.pem")


def secret_files(engine: str, secrets: port.NodeSecrets) -> dict[str, str]:
    """Name and content of each file of the secrets folder; all of mode 0600.

    Raises:
        SetupError: a secret is missing, malformed, or an engine's default. An engine
            without its root's key starts with a published one and only warns.
    """
    _check(secrets)
    files = {ACCESS_KEY_FILE: secrets.access_key, SECRET_KEY_FILE: secrets.secret_key}
    if _known(engine) == capabilities.MINIO:
        return {**files, KMS_FILE: f"{_KMS_KEY_NAME}:{secrets.sse_master_key}"}
    master_keys = {
        _IAM_MASTER_KEY: secrets.iam_master_key,
        _SSE_MASTER_KEY: secrets.sse_master_key,
    }
    return {**files, ENV_FILE: lines(master_keys)}


def read_environment_file(text: str) -> dict[str, str]:
    """The variables of a file that this module wrote."""
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def lines(variables: Mapping[str, str]) -> str:
    """Variables in the form of systemd's `EnvironmentFile=`, sorted by name."""
    return "".join(f"{name}={value}\n" for name, value in sorted(variables.items()))


def _rustfs(place: Place) -> dict[str, str]:
    tls = {"RUSTFS_TLS_PATH": str(place.tls_dir)} if place.tls_dir else {}
    return {
        **tls,
        "RUSTFS_ACCESS_KEY_FILE": str(place.secrets_dir / ACCESS_KEY_FILE),
        "RUSTFS_ADDRESS": place.address,
        "RUSTFS_CHECK_UPDATE": "false",
        "RUSTFS_CONSOLE_ENABLE": "false",
        # On a single node nothing else makes up for a write that was not synced.
        "RUSTFS_DURABILITY_MODE": "strict",
        "RUSTFS_NEW_BUCKET_DURABILITY_MODE": "inherit",
        "RUSTFS_OBS_LOGGER_LEVEL": "warn",
        "RUSTFS_REGION": place.region,
        "RUSTFS_SECRET_KEY_FILE": str(place.secrets_dir / SECRET_KEY_FILE),
        # Else a client names its own source address, and address conditions are void.
        "RUSTFS_TRUSTED_PROXY_ENABLED": "false",
        "RUSTFS_VOLUMES": _volume(place),
    }


def _minio(place: Place) -> dict[str, str]:
    # Else an object that was acknowledged is lost when the power goes (seen): small
    # ones lie in memory for up to half a minute. It syncs every disk of the machine, so
    # that beside other writers an answer took seconds.
    durable = {"MINIO_FS_OSYNC": "on"} if place.own_machine else {}
    return {
        **durable,
        "MINIO_BROWSER": "off",
        "MINIO_KMS_SECRET_KEY_FILE": str(place.secrets_dir / KMS_FILE),
        "MINIO_ROOT_PASSWORD_FILE": str(place.secrets_dir / SECRET_KEY_FILE),
        "MINIO_ROOT_USER_FILE": str(place.secrets_dir / ACCESS_KEY_FILE),
        "MINIO_SITE_REGION": place.region,
        "MINIO_UPDATE": "off",
        # As for RustFS, though MinIO still believes X-Real-IP and Forwarded.
        "_MINIO_API_XFF_HEADER": "off",
    }


def _known(engine: str) -> str:
    if engine not in capabilities.ENGINES:
        known = ", ".join(capabilities.ENGINES)
        raise errors.SetupError(f"engine {engine!r} is unknown: use one of {known}")
    return engine


def _volume(place: Place) -> str:
    path = str(place.data_dir)
    if _UNUSABLE_IN_PATH.search(path):
        raise errors.SetupError(
            f"an engine can't use the folder {path!r}: choose a path without blanks"
            " and braces"
        )
    return path


def _check(secrets: port.NodeSecrets) -> None:
    if not re.fullmatch(r"[A-Za-z0-9._-]{3,128}", secrets.access_key):
        raise _refused("access key is missing or malformed")
    if not re.fullmatch(r"[!-~]{32,128}", secrets.secret_key):
        raise _refused("secret key is missing, malformed or under 32 characters")
    if {secrets.access_key.lower(), secrets.secret_key.lower()} & DEFAULT_CREDENTIALS:
        raise _refused("credentials are an engine's published default")
    for name in ("sse_master_key", "iam_master_key"):
        if not _is_master_key(getattr(secrets, name)):
            raise _refused(f"{name} is missing or not base64 of 32 random bytes")


def _is_master_key(text: str) -> bool:
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return len(key) == 32 and len(set(key)) > 1


def _refused(what: str) -> errors.SetupError:
    return errors.SetupError(
        f"an engine is not started because its {what}: restore the instance's secrets"
    )
