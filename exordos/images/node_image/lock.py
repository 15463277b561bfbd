"""One at work in a folder, however many are started."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

FILE, FOLDER = ".lock", "."
_PART = ".part-"


@contextlib.contextmanager
def alone(folder: Path, on: str = FILE) -> Iterator[None]:
    """Wait for another who is at work in a folder, and keep others waiting.

    The kernel lets go where one is killed. What such a one left half made is removed.

    Args:
        folder: must be there.
        on: what is locked: a file in it, or the folder, which then gets no more files.
    """
    create = os.O_CREAT if on == FILE else 0
    descriptor = os.open(folder / on, os.O_RDONLY | os.O_CLOEXEC | create, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        for left_over in folder.glob(f"{_PART}*"):
            shutil.rmtree(left_over)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def part(folder: Path) -> Iterator[Path]:
    """A folder for what is half made, in one that is held by `alone`; it goes."""
    with tempfile.TemporaryDirectory(prefix=_PART, dir=folder) as made:
        yield Path(made)
