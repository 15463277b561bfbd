"""Reads the root file system of a disk that no machine uses, without mounting it.

debugfs of e2fsprogs does the work: it needs no root and no loop device, and tells
owners and modes as they are.
"""

from __future__ import annotations

import functools
import json
import re
import stat
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from exordos_paas_storage.domain import errors
from node_image import command, engine

ROOT = PurePosixPath("/")
_ROOT_INODE = 2
_SECTOR_BYTES = 512
_DEFAULT_BLOCK_BYTES = 4096
# A line of `ls -p`: /inode/mode/uid/gid/name/size/
_LINE = re.compile(r"/(\d+)/(\d+)/(\d+)/(\d+)/([^/]*)/(\d*)/")
_LINK = re.compile(r'^Fast link dest: "(.*)"$', re.M)


@dataclass(frozen=True)
class Entry:
    """A file, a folder or a link; `mode` with its kind, as `st_mode`."""

    path: PurePosixPath
    inode: int
    mode: int
    uid: int
    gid: int
    size: int

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return stat.S_ISDIR(self.mode)

    @property
    def is_file(self) -> bool:
        """Whether it is a regular file."""
        return stat.S_ISREG(self.mode)

    @property
    def is_link(self) -> bool:
        """Whether it is a symbolic link."""
        return stat.S_ISLNK(self.mode)

    @property
    def permissions(self) -> int:
        """Mode without the kind."""
        return stat.S_IMODE(self.mode)


class Filesystem:
    """An ext file system in a file.

    Args:
        offset: bytes before it.
    """

    def __init__(self, disk: Path, offset: int = 0) -> None:
        self._offset = offset
        self._where = f"{disk}?offset={offset}" if offset else str(disk)
        self.entries = {entry.path: entry for entry in self._walk()}

    def get(self, path: str | PurePosixPath) -> Entry | None:
        """What is at a path; links on the way are not followed."""
        return self.entries.get(PurePosixPath(path))

    def below(self, folder: str | PurePosixPath) -> Iterator[Entry]:
        """Everything in a folder and its folders."""
        top = PurePosixPath(folder)
        return (each for path, each in self.entries.items() if top in path.parents)

    def read(self, path: str | PurePosixPath) -> str:
        """The content of a text file; empty where there is none."""
        entry = self.get(path)
        return self._ask(f"cat <{entry.inode}>") if entry else ""

    def target(self, entry: Entry) -> str:
        """Where a symbolic link points to."""
        found = _LINK.search(self._ask(f"stat <{entry.inode}>"))
        return found[1] if found else ""

    def sha256(self, path: str | PurePosixPath) -> str | None:
        """The checksum of a file; None where there is none."""
        entry = self.get(path)
        if entry is None:
            return None
        with tempfile.TemporaryDirectory(prefix="dump-") as folder:
            copy = Path(folder, "file")
            self._ask(f"dump <{entry.inode}> {copy}")
            return engine.sha256_of(copy)

    def owner_of(self, offset: int) -> str:
        """Whose content a byte of the disk is: a path, or that nobody's it is."""
        block = (offset - self._offset) // self._block_bytes
        inode = _last_word(self._ask(f"icheck {block}"))
        if not inode.isdigit():
            return "free space"
        return _last_word(self._ask(f"ncheck {inode}"))

    @functools.cached_property
    def _block_bytes(self) -> int:
        found = re.search(r"^Block size: +(\d+)$", self._ask("stats -h"), re.M)
        return int(found[1]) if found else _DEFAULT_BLOCK_BYTES

    def _walk(self) -> Iterator[Entry]:
        level = [(_ROOT_INODE, ROOT)]
        while level:
            found = list(self._listed(level))
            yield from found
            level = [(each.inode, each.path) for each in found if each.is_folder]

    def _listed(self, folders: Iterable[tuple[int, PurePosixPath]]) -> Iterator[Entry]:
        """What is right in each of some folders, by one call of debugfs."""
        above = dict(folders)
        path = ROOT
        for line in self._script(f"ls -p <{inode}>" for inode in above).splitlines():
            # debugfs repeats each command of a script before its answer.
            if asked := re.fullmatch(r"debugfs: ls -p <(\d+)>", line):
                path = above[int(asked[1])]
            found = _LINE.fullmatch(line)
            if found and found[5] not in (".", ".."):
                inode, uid, gid = (int(found[each]) for each in (1, 3, 4))
                size, mode = int(found[6] or 0), int(found[2], 8)
                yield Entry(path / found[5], inode, mode, uid, gid, size)

    def _script(self, commands: Iterable[str]) -> str:
        with tempfile.NamedTemporaryFile("w", prefix="debugfs-") as script:
            script.write("".join(f"{each}\n" for each in commands))
            script.flush()
            return command.run(["debugfs", "-f", script.name, self._where])

    def _ask(self, question: str) -> str:
        return command.run(["debugfs", "-R", question, self._where])


def of_disk(raw: Path) -> Filesystem:
    """The root file system of a disk: its largest partition.

    Raises:
        SetupError: the disk has no partition table, or no ext file system.
    """
    table = json.loads(command.run(["sfdisk", "--json", raw]))["partitiontable"]
    sizes = {part["start"]: part["size"] for part in table["partitions"]}
    start = max(sizes, key=lambda each: sizes[each])
    try:
        return Filesystem(raw, start * _SECTOR_BYTES)
    except errors.SetupError as error:
        raise errors.SetupError(
            f"{raw} has no ext file system in its largest partition: is it the raw"
            f" image of a node? ({error})"
        ) from None


def _last_word(table: str) -> str:
    """The last cell of a table of debugfs."""
    return table.rstrip().rsplit("\t", 1)[-1]
