"""Which processes a unit has: those of the session that its first one leads."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

_ZOMBIE = "Z"


def members(leader: int) -> list[int]:
    """The living processes of a session; a daemon that left it is not among them."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and _session(entry) == leader:
            found.append(int(entry.name))
    return found


def send(leader: int, number: signal.Signals) -> int:
    """Signal every process of a session; how many there were."""
    pids = members(leader)
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
    return len(pids)


def _session(entry: Path) -> int | None:
    """Source: proc_pid_stat(5), fields 3 (state) and 6 (session)."""
    try:
        line = (entry / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = line.rpartition(")")[2].split()
    return None if fields[0] == _ZOMBIE else int(fields[3])
