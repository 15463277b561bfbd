"""The sealing keys of a process that MetaPaaS started.

A process reads them when it loads the plugin: the API still is root then, and drops its
rights later. They are proved against the database when a secret is first needed.
"""

from __future__ import annotations

import logging
import os
import pwd
from pathlib import Path

from exordos_paas_storage.domain import errors
from exordos_paas_storage.models import secrets
from exordos_paas_storage.plugin import settings
from exordos_paas_storage.sealing import box

LOG = logging.getLogger(__name__)

# Who the host's API runs as, and with it every plugin (gcl_looper 1.3, BjoernService).
API_USER = "nobody"


class _Read:
    """The keys of this process, and the file that they came from."""

    keys: list[bytes] | None = None
    source: Path | None = None


def load() -> None:
    """Read the keys if they can be read by now, and have models ask for them.

    What is wrong with them is told when they are needed.
    """
    secrets.provide(ensure)
    try:
        _read()
    except errors.SetupError as error:
        LOG.info("sealing keys: %s", error)


def held() -> tuple[list[bytes] | None, Path | None]:
    """What was read, for the process's next version of this code."""
    return _Read.keys, _Read.source


def take_over(keys: list[bytes] | None, source: Path | None) -> None:
    """Keep on with what the process's last version of this code had read."""
    if keys is not None:
        _Read.keys, _Read.source = keys, source


def ensure() -> None:
    """Prove the keys against the database and give them to the models.

    Raises:
        SetupError: there are none, or not those that the database was sealed with.
    """
    secrets.use(box.Box(_read()), str(_Read.source), first=False)


def make_if_first() -> None:
    """Prove the keys; where nothing was sealed yet and no file is named, make them.

    The reconciler does this, as root, before any other process needs a key. Of several
    nodes only the one that reconciles may: each would make keys of its own.

    Raises:
        SetupError: they can't be read or made, or are not the database's.
    """
    found = settings.read()
    path = found.sealing_keys_file
    if not path.exists() and not found.chosen and not secrets.in_use():
        box.write_new_keys(path, _api_group())
        LOG.info("made the sealing keys in %s: back them up", path)
    _Read.keys = None
    secrets.use(box.Box(_read()), str(path))


def _api_group() -> int | None:
    """Whose the file is too: the API has no rights left when it is loaded late."""
    return pwd.getpwnam(API_USER).pw_gid if os.geteuid() == 0 else None


def _read() -> list[bytes]:
    if _Read.keys is None:
        path = settings.read().sealing_keys_file
        _Read.keys, _Read.source = box.read_keys(path), path
    return _Read.keys
