"""Builds the plugin's wheel, and reads the name and the content of one."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from exordos_paas_storage.domain import errors
from exordos_paas_storage.plugin import place

SOURCES = Path(__file__).resolve().parents[3]

_LIMIT_S = 600.0
_SHOWN_LINES = 15
# PEP 427, for a wheel that runs everywhere.
_FILE = re.compile(r"(?P<name>\w+)-(?P<version>[0-9A-Za-z_.!+]+)-py3-none-any\.whl")
# What a builder writes of itself, and of the files that it wrote.
_BY_BUILDER = re.compile(r"[^/]+\.dist-info/(WHEEL|RECORD)")
_METADATA = re.compile(r"[^/]+\.dist-info/METADATA")
# The builder's, too: hatchling raises it.
_FORM = re.compile(rb"\AMetadata-Version:.*\n")


@dataclass(frozen=True)
class Wheel:
    """A wheel of the plugin.

    Attributes:
        version: as pip compares it.
    """

    file: Path
    version: str


def read(file: Path) -> Wheel:
    """What a wheel's name says.

    Raises:
        SetupError: it is none of the plugin.
    """
    match = _FILE.fullmatch(file.name)
    if not match or match["name"] != place.DISTRIBUTION.replace("-", "_"):
        raise errors.SetupError(f"{file.name} is no wheel of {place.DISTRIBUTION}")
    return Wheel(file, match["version"])


def digest(file: Path) -> str:
    """SHA-256 of what a wheel installs, in hexadecimal digits.

    The same sources have the same one, whoever built and packed them.

    Raises:
        SetupError: it is no archive.
    """
    found = hashlib.sha256()
    try:
        with zipfile.ZipFile(file) as opened:
            for name in sorted(opened.namelist()):
                if not _BY_BUILDER.fullmatch(name):
                    content = _installed(name, opened.read(name))
                    of_it = hashlib.sha256(content).hexdigest()
                    found.update(f"{of_it}  {name}\n".encode())
    except zipfile.BadZipFile:
        raise errors.SetupError(f"{file} is no wheel: it can't be opened") from None
    return found.hexdigest()


def _installed(name: str, content: bytes) -> bytes:
    return _FORM.sub(b"", content) if _METADATA.fullmatch(name) else content


def build(folder: Path, sources: Path = SOURCES) -> Wheel:
    """Build the wheel into a folder, in place of one of the same version.

    Raises:
        SetupError: pip can't build it; the message has the end of what it said.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".part-", dir=folder) as part:
        argv = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
        argv += ["--disable-pip-version-check", "--wheel-dir", part, str(sources)]
        try:
            subprocess.run(
                argv, capture_output=True, text=True, check=True, timeout=_LIMIT_S
            )
        except subprocess.CalledProcessError as error:
            said = "\n  ".join(["", *error.stderr.splitlines()[-_SHOWN_LINES:]])
            raise errors.SetupError(f"the wheel can't be built:{said}") from None
        except subprocess.TimeoutExpired:
            raise errors.SetupError("the wheel can't be built: pip hangs") from None
        [made] = Path(part).glob("*.whl")
        made.replace(folder / made.name)
        return read(folder / made.name)
