"""A process that outlives the one that started it: who it is, whether it lives.

A pid alone is no identity: it is used again. A pid with its start, counted in the
kernel's ticks since a named boot, is one, and no step of the clock changes it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_GONE = "ZX"
_POLL_S = 0.02


@dataclass(frozen=True)
class Process:
    """One process for good: its pid, and when it was created (boot id and ticks)."""

    pid: int
    created: str


def identify(pid: int) -> Process | None:
    """The process that has this pid now; None when there is none or it has ended."""
    created = _created(pid)
    if created is None:
        return None
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return Process(pid, f"{boot}/{created}")


def alive(process: Process) -> bool:
    """Whether this very process still runs; one not yet reaped does not."""
    return identify(process.pid) == process


def terminate(process: Process, stop_s: float, first: int = signal.SIGTERM) -> None:
    """Ask the process to end and kill it after `stop_s` seconds; return when it ended.

    A kill takes its session with it where it leads one, as engines do.
    """
    if _signal(process, first) and wait_gone(process, stop_s):
        return
    if alive(process):
        _kill_session(process)
        wait_gone(process, 10.0)


def wait_gone(process: Process, seconds: float) -> bool:
    """Wait until the process has ended, at most `seconds`; whether it has."""
    return wait_until(lambda: not alive(process), seconds)


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Ask `condition` again and again, at most `seconds`; its last answer."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_S)
    return True


def rotate_log(path: Path, limit_bytes: int = 10 << 20) -> None:
    """Move a log that has grown over the limit aside, to `<name>.1`."""
    with contextlib.suppress(FileNotFoundError):
        if path.stat().st_size > limit_bytes:
            path.replace(path.with_name(path.name + ".1"))


def open_log(path: Path) -> int:
    """A descriptor that appends to the log, made with mode 0600; rotated before."""
    rotate_log(path)
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.open(path, flags, 0o600)


def last_line(path: Path, limit: int = 300) -> str:
    """The last line with text in the log, for a message; empty when there is none."""
    with contextlib.suppress(OSError), path.open("rb") as log:
        log.seek(max(0, path.stat().st_size - 8192))
        text = log.read().decode(errors="replace")
        lines = ["".join(filter(str.isprintable, line)) for line in text.splitlines()]
        return next((x.strip()[:limit] for x in reversed(lines) if x.strip()), "")
    return ""


def _created(pid: int) -> str | None:
    """When a living process was created, from the kernel's `stat` line.

    Source: proc_pid_stat(5), fields 3 (state), 20 (threads) and 22 (start).
    """
    try:
        line = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name stands in parentheses and may hold blanks and parentheses itself.
    fields = line.rpartition(")")[2].split()
    state, threads, start = fields[0], int(fields[17]), fields[19]
    # A killed process is a zombie while its other threads still end, and only the
    # last of them lets go of ports and locks.
    return None if state in _GONE and threads <= 1 else start


def _signal(process: Process, number: int) -> bool:
    if not alive(process):
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, number)
    return True


def _kill_session(process: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        if os.getpgid(process.pid) == process.pid:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            os.kill(process.pid, signal.SIGKILL)
