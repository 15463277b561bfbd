"""What the stand is made of: Debian's packages, the platform, and its command line."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from node_image import command, tools
from node_image.tools import Tool

from exordos_paas_storage.domain import errors
from tests.stand import places

_TOOLS = (
    Tool("ip", "iproute2"),
    Tool("nginx", "nginx-light"),
    Tool("unshare", "util-linux"),
    Tool("mount", "mount"),
    # The functional tests build the element with it.
    Tool("zstd", "zstd"),
    *tools.FOR_PLATFORM,
)
_DEBIAN = Path("/usr/bin/python3")
# It is a link whose target has the whole version.
_NAMED = _DEBIAN.resolve().name
_FOR_DEBIAN = (
    Tool(f"/usr/include/{_NAMED}/Python.h", "python3-dev"),
    Tool(f"/usr/lib/{_NAMED}/ensurepip/__init__.py", "python3-venv"),
)
_STANDINS = places.HERE / "standins"
_INSTALL_LIMIT_S = 900.0
Say = Callable[[str], None]


def ensure(say: Say) -> None:
    """Make what is missing or was made from other pins; seconds when nothing is.

    Raises:
        SetupError: something can't be installed; it says what.
    """
    _install_tools()
    places.STATE.mkdir(parents=True, exist_ok=True)
    places.check_reachable()
    pins = places.HERE / "requirements.txt"
    _environment(places.VENV, pins, say)
    _install_standins()
    _environment(places.CLI, places.HERE / "cli-requirements.txt", say)


def _install_tools() -> None:
    wanted = (*_TOOLS, *(_FOR_DEBIAN if interpreter() == _DEBIAN else ()))
    tools.ensure_all(wanted)


def _environment(folder: Path, pins: Path, say: Say) -> None:
    stamp, wanted = folder / ".stand", pins.read_text()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    say(f"installing {folder.name}: half a minute and more")
    shutil.rmtree(folder, ignore_errors=True)
    command.run([interpreter(), "-m", "venv", folder], limit_s=_INSTALL_LIMIT_S)
    _pip(folder, "-r", pins)
    open_to_services(folder)
    stamp.write_text(wanted)


def _install_standins() -> None:
    digest = hashlib.sha256()
    for path in sorted([*_STANDINS.rglob("*.py"), *_STANDINS.glob("*.toml")]):
        digest.update(path.read_bytes())
    stamp = places.VENV / ".standins"
    if stamp.exists() and stamp.read_text() == digest.hexdigest():
        return
    # setuptools is in there: nothing has to be fetched to build these. It leaves much
    # beside what it builds.
    with tempfile.TemporaryDirectory(prefix="stand-") as scratch:
        copy = shutil.copytree(_STANDINS, Path(scratch) / "standins")
        how = ("--no-deps", "--force-reinstall", "--no-build-isolation")
        _pip(places.VENV, *how, copy)
    open_to_services(places.VENV)
    stamp.write_text(digest.hexdigest())


def open_to_services(folder: Path) -> None:
    """Let the account that services become read it, whatever the umask was."""
    subprocess.run(["chmod", "-R", "a+rX", str(folder)], check=True)


def interpreter() -> Path:
    """The Python of the platform: this one, or Debian's where this one is in a home.

    Services of the platform give up root and go on importing.
    """
    ours = Path(sys.base_prefix)
    for folder in (ours, *ours.parents):
        if not folder.stat().st_mode & 0o001:
            return _DEBIAN
    return Path(sys.base_prefix) / "bin" / "python3"


def _pip(folder: Path, *arguments: object) -> None:
    if not (folder / "bin" / "pip").exists():
        raise errors.SetupError(f"{folder} is no virtual environment: remove it")
    command.run(
        [
            folder / "bin" / "python",
            *("-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *arguments,
        ],
        limit_s=_INSTALL_LIMIT_S,
    )
