"""Small disks with a file system, made of a folder, as a finished image is one."""

from __future__ import annotations

from pathlib import Path

from node_image import command

OFFSET = 1 << 20
_SIZE = 24 << 20
_BLOCK = 4096


def filesystem(tree: Path, to: Path) -> Path:
    """A file with an ext4 file system that holds the tree, and no partition table."""
    _truncate(to, _SIZE)
    command.run(["mkfs.ext4", "-q", "-F", "-b", _BLOCK, "-d", tree, to])
    return to


def disk(tree: Path, to: Path) -> Path:
    """A disk like the image's: a partition table, and the tree in its only part."""
    _truncate(to, _SIZE)
    command.run(["sfdisk", "--quiet", to], stdin="label: dos\n2048,,83,*\n")
    blocks = (_SIZE - OFFSET) // _BLOCK
    make = ["mkfs.ext4", "-q", "-F", "-b", _BLOCK, "-E", f"offset={OFFSET}"]
    command.run([*make, "-d", tree, to, blocks])
    return to


def change(disk: Path, *commands: str) -> None:
    """Let debugfs write to the file system of a disk."""
    for each in commands:
        command.run(["debugfs", "-w", "-R", each, f"{disk}?offset={OFFSET}"])


def _truncate(path: Path, size: int) -> None:
    with path.open("wb") as file:
        file.truncate(size)
