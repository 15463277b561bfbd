"""Files put into a tree as the platform's agent writes them, and their owners there.

The tree is a folder: an unpacked one, or the root of a running container.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from exordos_paas_storage.nodes import image


def put(tree: Path, files: Iterable[image.File]) -> None:
    """Write each file whole, its owner by the tree's own accounts, and its mode."""
    users, groups = _numbers(tree, "passwd"), _numbers(tree, "group")
    for file in files:
        target = inside(tree, file.path)
        part = target.with_name(f".{target.name}.part")
        part.write_text(file.content)
        os.chown(part, users[file.owner], groups[file.group])
        part.chmod(int(file.mode, 8))
        part.replace(target)


def remove(tree: Path, files: Iterable[image.File]) -> None:
    """Take delivered files away again."""
    for file in files:
        inside(tree, file.path).unlink(missing_ok=True)


def inside(tree: Path, path: PurePosixPath) -> Path:
    """Where an absolute path of the tree is for us."""
    return tree / path.relative_to("/")


def _numbers(tree: Path, database: str) -> dict[str, int]:
    """Account or group numbers by name, from the tree's own files."""
    lines = inside(tree, PurePosixPath("/etc", database)).read_text().splitlines()
    return dict(_entries(lines))


def _entries(lines: Iterable[str]) -> Iterator[tuple[str, int]]:
    for line in lines:
        name, _, number, *_ = line.split(":")
        yield name, int(number)
