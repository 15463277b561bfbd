"""The list of packages of a tree, as its dpkg knows it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from node_image import command

STATUS = "var/lib/dpkg/status"
_FORMAT = "${Package} ${Version} ${Architecture}\n"


def listing(status: str) -> str:
    """`name version architecture`, a package a line, sorted.

    Args:
        status: the content of dpkg's status file.
    """
    with tempfile.TemporaryDirectory(prefix="dpkg-") as folder:
        Path(folder, "status").write_text(status)
        argv = ["dpkg-query", "--admindir", folder, "--show", "--showformat", _FORMAT]
        lines = command.run(argv).splitlines()
    return "".join(f"{line}\n" for line in sorted(lines))


def of_tar(tar: Path) -> str:
    """The list of packages of a tree that is packed."""
    return listing(command.run(["tar", "-xOf", tar, f"./{STATUS}"]))
