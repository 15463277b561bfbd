"""The process of one local engine: start it, find it."""

from __future__ import annotations

import contextlib
import os
import subprocess
from pathlib import Path

import psutil

from exordos_paas_storage.domain import capabilities
from exordos_paas_storage.nodes import account, folder, process


def spawn(
    command: list[str],
    environment: dict[str, str],
    place: folder.Folder,
    owner: account.Account | None,
    lock: int,
) -> subprocess.Popen[bytes]:
    """Start the engine in a session of its own, under `owner`, holding `lock` open."""
    log = process.open_log(place.log)
    options: dict = {}
    if owner:
        options = {"user": owner.uid, "group": owner.gid, "extra_groups": []}
    try:
        return subprocess.Popen(
            command,
            env=environment,
            cwd=place.home,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=[lock],
            start_new_session=True,
            umask=0o077,
            **options,
        )
    finally:
        os.close(log)


def is_engine(run: folder.Run, place: folder.Folder) -> bool:
    """Whether a living process is what its record says: it may be a forged record."""
    try:
        return _serves_data(psutil.Process(run.process.pid), place)
    except psutil.Error:
        return False


def find(engine: str, place: folder.Folder) -> folder.Run | None:
    """An engine on the instance's data that no record tells of.

    Its start was cut short before the record was written, so it may have been started
    with other values; none are claimed, and `ensure` replaces it.
    """
    if not place.data.is_dir():
        return None
    for found in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if _serves_data(found, place):
                seen = process.identify(found.pid)
                if seen:
                    return folder.Run(seen, engine, "", "", 0)
    return None


def _serves_data(found: psutil.Process, place: folder.Folder) -> bool:
    """A server whose command line names the data folder, run by that folder's owner."""
    command = found.cmdline()
    if command[1:2] != ["server"] or str(place.data) not in command:
        return False
    name = Path(command[0]).name
    is_engine = any(engine in name for engine in capabilities.ENGINES)
    return is_engine and found.uids().real == place.data.stat().st_uid
