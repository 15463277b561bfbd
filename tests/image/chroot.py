"""Trees as layers: one unpacked, others over it that cost nothing to make or drop."""

from __future__ import annotations

import contextlib
import dataclasses
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from node_image import command


@dataclasses.dataclass(frozen=True)
class Layers:
    """Folders that make up a tree together, the topmost first; none is written to."""

    folders: tuple[Path, ...]

    @contextlib.contextmanager
    def mounted(self, top: Path) -> Iterator[Path]:
        """The tree, for writing; what is written stays in `top/changes`."""
        changes, work, tree = (top / name for name in ("changes", "work", "tree"))
        for folder in (changes, work, tree):
            folder.mkdir(exist_ok=True)
        lower = ":".join(map(str, self.folders))
        options = f"lowerdir={lower},upperdir={changes},workdir={work}"
        command.run(["mount", "-t", "overlay", "overlay", "-o", options, tree])
        try:
            yield tree
        finally:
            command.run(["umount", "--recursive", tree])

    @contextlib.contextmanager
    def copy(self) -> Iterator[Path]:
        """The tree, for writing; nothing that is written is kept."""
        with scratch() as top, self.mounted(top) as tree:
            yield tree


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """An empty folder on a disk: a layer can't be in memory or on another layer."""
    with tempfile.TemporaryDirectory(prefix="s3-image-", dir="/var/tmp") as top:
        yield Path(top)


def run(
    tree: Path,
    *argv: str | PurePosixPath,
    uid: int = 0,
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a program of the tree in it, with no other environment than this."""
    inside = [str(word) for word in argv]
    return subprocess.run(
        ["chroot", f"--userspec={uid}:{uid}", "--groups=", tree, *inside],
        env={"PATH": "/usr/sbin:/usr/bin", **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
