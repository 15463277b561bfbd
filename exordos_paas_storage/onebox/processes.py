"""Processes of one box: ending with the supervisor, seeing who is whose.

What a process is and how it is ended lies in `nodes.process`, which engines need too.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil


def parent_watch(
    descriptor: int, number: int = signal.SIGTERM, pid: int | None = None
) -> threading.Thread:
    """Send this process a signal once the supervisor is gone, however it went.

    Args:
        descriptor: the reading end of a pipe of which the supervisor alone holds the
            writing end and writes nothing; the kernel closes it with the supervisor.
        number: the signal; SIGTERM ends a process as a stop does.
        pid: whom to signal, this process if None.
    """

    def wait() -> None:
        while os.read(descriptor, 1):
            pass
        if pid is None:
            # The main thread runs the handlers; another one that took the signal would
            # leave it asleep.
            signal.pthread_kill(threading.main_thread().ident or 0, number)
        else:
            os.kill(pid, number)

    thread = threading.Thread(target=wait, name="parent-watch", daemon=True)
    thread.start()
    return thread


def working_in(folder: Path, name: str) -> Iterator[psutil.Process]:
    """The living processes called `name` whose working directory is `folder`."""
    for found in psutil.process_iter():
        try:
            living = found.status() != psutil.STATUS_ZOMBIE
            if living and found.name() == name and Path(found.cwd()) == folder:
                yield found
        except psutil.Error:
            continue
