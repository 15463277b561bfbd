"""What an operator sets for the plugin: `/etc/exordos_metapaas/s3aas.conf`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from oslo_config import cfg

from exordos_paas_storage.domain import errors
from exordos_paas_storage.plugin import place


@dataclass(frozen=True)
class Settings:
    """The plugin's settings.

    Attributes:
        sealing_keys_file: the keys that seal secrets at rest, the same on every node of
            the control plane.
        chosen: whether an operator named that file; then it is never made here.
    """

    sealing_keys_file: Path
    chosen: bool


def read() -> Settings:
    """The settings in `place.CONFIG_FILE`; without a file, the defaults.

    Raises:
        SetupError: the file can't be read or parsed.
    """
    path = place.CONFIG_FILE
    found = cfg.ConfigOpts()
    found.register_opts([cfg.StrOpt("sealing_keys_file")], group=place.ELEMENT)
    try:
        given = [f"--config-file={path}"] if path.exists() else []
        found(given, project=place.ELEMENT, default_config_files=[])
        named = found[place.ELEMENT].sealing_keys_file
    except (cfg.Error, OSError) as error:
        said = getattr(error, "strerror", None) or type(error).__name__
        raise errors.SetupError(f"{path} can't be read ({said})") from None
    return Settings(Path(named or place.SEALING_KEYS_FILE), chosen=bool(named))
