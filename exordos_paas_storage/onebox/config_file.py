"""The small file of `up --config`: what is better not said on a command line.

[db]
connection_url = postgresql://user:password@host:5432/database

[s3aas]
sealing_keys_file = /etc/exordos-storage.keys

Its form, its sections and its names are those of the platform's configuration (oslo):
a `$` in a value is written `$$`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from oslo_config import cfg

from exordos_paas_storage.domain import errors

DB = cfg.OptGroup("db", title="The database")
DB_OPTS = [
    cfg.StrOpt(
        "connection_url",
        secret=True,
        help="Address of a PostgreSQL database of your own; by default one is run in"
        " the state folder.",
    )
]
S3AAS = cfg.OptGroup("s3aas", title="The S3 service")
S3AAS_OPTS = [
    cfg.StrOpt(
        "sealing_keys_file",
        help="File of the sealing keys, relative to this file's folder; by default one"
        " in the state folder.",
    )
]
_NAME = re.compile(r"[a-z_]{1,64}")
_KNOWN = {
    group.name: {option.name for option in options}
    for group, options in ((DB, DB_OPTS), (S3AAS, S3AAS_OPTS))
}


@dataclass(frozen=True)
class Config:
    """What the file says; None where it says nothing."""

    connection_url: str | None = field(default=None, repr=False)
    sealing_keys_file: Path | None = None


def read(path: Path) -> Config:
    """Read the file.

    Raises:
        SetupError: it can't be read, or has what nobody would heed; no value is quoted.
    """
    _check_names(path, _sections(path))
    conf = cfg.ConfigOpts()
    conf.register_group(DB)
    conf.register_group(S3AAS)
    conf.register_opts(DB_OPTS, group=DB)
    conf.register_opts(S3AAS_OPTS, group=S3AAS)
    # Of this file alone: no variable OS_DB__CONNECTION_URL, no file elsewhere.
    conf([], default_config_files=[str(path)], default_config_dirs=[], use_env=False)
    url = _value(conf, path, "db", "connection_url")
    keys = _value(conf, path, "s3aas", "sealing_keys_file")
    return Config(url, path.absolute().parent / keys if keys else None)


def _sections(path: Path) -> dict[str, dict[str, list[str]]]:
    found: dict[str, dict[str, list[str]]] = {}
    try:
        # oslo takes a folder and a missing file for an empty one.
        path.read_text(encoding="utf-8")
        cfg.ConfigParser(str(path), found).parse()
    except OSError as error:
        raise errors.SetupError(
            f"the configuration {path} can't be read: {error.strerror}"
        ) from None
    except UnicodeDecodeError:
        raise errors.SetupError(f"the configuration {path} is no text") from None
    except cfg.ParseError as error:
        # Its own words quote the line, which may be the one with the password.
        raise errors.SetupError(
            f"the configuration {path} can't be read: line {error.lineno} is neither"
            " [section] nor name = value"
        ) from None
    return found


def _check_names(path: Path, sections: dict[str, dict[str, list[str]]]) -> None:
    for section, options in sections.items():
        if section not in _KNOWN:
            raise errors.SetupError(
                f"the configuration {path} has a section [{section}] that is not"
                f" known: only {', '.join(f'[{name}]' for name in _KNOWN)} are"
            )
        for name, values in options.items():
            if not _NAME.fullmatch(name):
                # Perhaps a part of what should be a value.
                raise errors.SetupError(
                    f"the configuration {path} has a line in [{section}] that is not"
                    " name = value"
                )
            if name not in _KNOWN[section]:
                raise errors.SetupError(
                    f"the configuration {path} has a name {name} in [{section}] that"
                    f" is not known: only {', '.join(sorted(_KNOWN[section]))} is"
                )
            if len(values) > 1:
                raise errors.SetupError(
                    f"the configuration {path} has {name} in [{section}] twice"
                )


def _value(conf: cfg.ConfigOpts, path: Path, group: str, name: str) -> str | None:
    try:
        value = conf[group][name]
    except (cfg.Error, ValueError):
        raise errors.SetupError(
            f"the configuration {path} has a $ in {name} of [{group}]: write it $$"
        ) from None
    if value is not None and not value.strip():
        raise errors.SetupError(
            f"the configuration {path} has no value for {name} in [{group}]"
        )
    return value
