"""Names and paths of the plugin on its host; imports the standard library alone."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

SLUG = "s3"
ELEMENT = "s3aas"
DISTRIBUTION = "exordos-paas-storage"

CONFIG_DIR = Path("/etc/exordos_metapaas")
# A file of our own: the host writes its own ones anew at every plugin's installation.
CONFIG_FILE = CONFIG_DIR / "s3aas.conf"
SEALING_KEYS_FILE = CONFIG_DIR / "s3aas-sealing-keys"

_PACKAGE = Path(__file__).parent.parent


def migrations() -> Path:
    """The folder of the steps of the database: in a wheel, else in the checkout."""
    packaged = _PACKAGE / "_migrations"
    return packaged if packaged.is_dir() else _PACKAGE.parent / "migrations"


def installed_version() -> str | None:
    """The version that is installed now, which may be newer than the one imported."""
    try:
        return metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return None
