"""Disks made of files, by the kernel's loop devices."""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from node_image import command

GIB = 1 << 30
_BLOCK = 4096


class Disk:
    """One disk; its content is a sparse file."""

    def __init__(self, file: Path, device: Path) -> None:
        self.file, self.device = file, device

    @property
    def number(self) -> tuple[int, int]:
        """The device's major and minor number."""
        number = self.device.stat().st_rdev
        return os.major(number), os.minor(number)

    def grow(self, size: int) -> None:
        """Make it `size` bytes large, as a platform does with a node's disk."""
        os.truncate(self.file, size)
        command.run(["losetup", "--set-capacity", self.device])

    def probe(self, tag: str) -> str:
        """What low-level probing says of its `LABEL` or `TYPE`; empty where nothing."""
        words = ["blkid", "--probe", "--match-tag", tag, "--output", "value"]
        done = subprocess.run(
            [*words, self.device], capture_output=True, text=True, check=False
        )
        assert done.returncode in (0, 2), done.stderr
        return done.stdout.strip()

    def digest(self) -> str:
        """Something that changes when anything on the disk does."""
        digest = hashlib.sha256()
        with self.file.open("rb") as file:
            for start, end in _pieces(file.fileno()):
                for at in range(start, end, _BLOCK):
                    file.seek(at)
                    # Zeros may or may not take room, by the file system's own choice.
                    if (block := file.read(_BLOCK)).strip(b"\0"):
                        digest.update(b"%d:%b" % (at, block))
        return digest.hexdigest()


def _pieces(file: int) -> Iterator[tuple[int, int]]:
    """Where a sparse file has content; begins and ends are multiples of a block."""
    end = 0
    with contextlib.suppress(OSError):  # there is no more
        while True:
            start = os.lseek(file, end, os.SEEK_DATA)
            end = os.lseek(file, start, os.SEEK_HOLE)
            yield start, end


@contextlib.contextmanager
def disk(
    folder: Path, name: str = "disk", size: int = 2 * GIB, *options: str
) -> Iterator[Disk]:
    """A blank disk, gone at the end of the block.

    Args:
        options: of losetup.
    """
    file = folder / f"{name}.raw"
    with file.open("wb") as opened:
        opened.truncate(size)
    device = command.run(["losetup", "--find", "--show", *options, file]).strip()
    try:
        yield Disk(file, Path(device))
    finally:
        command.run(["losetup", "--detach", device])
        file.unlink()
