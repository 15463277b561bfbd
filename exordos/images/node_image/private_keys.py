"""Finds private keys anywhere on a disk: in files, and in what files left behind."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

_BLOCK_BYTES = 8 << 20
# The words alone stand in every program that reads keys: a key has lines of base64.
_KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----\r?\n[A-Za-z0-9+/=]{40}")
# A key that lies across two blocks is found in their overlap.
_OVERLAP_BYTES = 256


def offsets(disk: Path) -> Iterator[int]:
    """Where on the disk private keys begin, in bytes."""
    with disk.open("rb", buffering=0) as file:
        for begin, end in _written(file.fileno()):
            last = -1
            for start in range(begin, end, _BLOCK_BYTES):
                length = min(_BLOCK_BYTES + _OVERLAP_BYTES, end - start)
                block = os.pread(file.fileno(), length, start)
                for found in _KEY.finditer(block):
                    if start + found.start() > last:
                        last = start + found.start()
                        yield last


def _written(descriptor: int) -> Iterator[tuple[int, int]]:
    """Begin and end of each part of a file that is no hole."""
    size = os.fstat(descriptor).st_size
    end = 0
    while end < size:
        try:
            begin = os.lseek(descriptor, end, os.SEEK_DATA)
        except OSError:  # nothing but a hole is left
            return
        end = os.lseek(descriptor, begin, os.SEEK_HOLE)
        yield begin, end
