"""Writes what is published: the compressed image and what describes it."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import re
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from exordos_paas_storage.nodes import image
from node_image import command, engine, filesystem, lock, packages
from node_image.build import Image
from node_image.steps import Steps

REPOSITORY = Path(__file__).resolve().parents[3]
_COMPRESS_LIMIT_S = 1800.0
_NUMBER = re.compile(r"\d+(\.\d+)+")


@dataclass(frozen=True)
class Names:
    """The published files, in one folder.

    The platform fetches the image, and beside it, below the same address, the checksum.
    """

    folder: Path

    @property
    def compressed(self) -> Path:
        """The root disk, in one frame of zstd: the platform's reader ends with one."""
        return self.folder / f"{image.NAME}.raw.zst"

    @property
    def checksum(self) -> Path:
        """The sha256 of `compressed`, as its first word."""
        return self.folder / f"{image.NAME}.raw.zst.SHA256SUM"

    @property
    def packages(self) -> Path:
        """Debian's packages in it."""
        return self.folder / f"{image.NAME}.packages.txt"

    @property
    def about(self) -> Path:
        """Everything that is known of it, as JSON."""
        return self.folder / f"{image.NAME}.json"

    def all(self) -> tuple[Path, ...]:
        """In the order in which they may appear: a checksum after what it is of."""
        return self.compressed, self.packages, self.checksum, self.about


@dataclass(frozen=True)
class Size:
    """A file's size and checksum."""

    file: str
    bytes: int
    sha256: str


def publish(made: Image, output: Path, steps: Steps) -> dict[str, Any]:
    """Write all files of an image; what describes it.

    A failure leaves the files of an earlier image as they were. A kill between two of
    the new ones leaves an image without its checksum, and never with a wrong one.

    Raises:
        SetupError: a tool failed.
    """
    output.mkdir(parents=True, exist_ok=True)
    final = Names(output)
    # The files of two who publish there at once would be mixed.
    with lock.alone(output, lock.FOLDER), lock.part(output) as part:
        new = Names(part)
        with steps.step("list of packages"):
            files = filesystem.of_disk(made.raw)
            new.packages.write_text(packages.listing(files.read(f"/{packages.STATUS}")))
        with steps.step("zstd -9"):
            _compress(made.raw, new.compressed)
        with steps.step("checksums"):
            raw, compressed = _size(made.raw), _size(new.compressed)
        about = describe(made, new.packages.read_text(), raw, compressed)
        new.checksum.write_text(f"{compressed.sha256}  {compressed.file}\n")
        new.about.write_text(json.dumps(about, indent=2, sort_keys=True) + "\n")
        for outdated in (final.about, final.checksum):
            outdated.unlink(missing_ok=True)
        for made_file, place in zip(new.all(), final.all(), strict=True):
            made_file.replace(place)
    return about


def describe(
    made: Image, listing: str, raw: Size, compressed: Size, top: Path = REPOSITORY
) -> dict[str, Any]:
    """What an image is and is made of.

    Args:
        listing: its packages, as `packages.listing`.
        top: the folder whose git revision it was built from.
    """
    return {
        "name": image.NAME,
        "revision": revision(top),
        "inputs": made.inputs,
        "engine": {
            "name": made.engine.name,
            "version": made.engine.version,
            "sha256": made.engine.sha256,
            "provenance": dict(made.engine.provenance),
        },
        "base": {"kind": made.base, **made.base_about},
        "packages": {
            "count": len(listing.splitlines()),
            "sha256": hashlib.sha256(listing.encode()).hexdigest(),
        },
        "raw": asdict(raw),
        "compressed": asdict(compressed),
        "layout": image.layout(),
        "tools": tools(),
    }


def revision(top: Path) -> dict[str, Any]:
    """The commit, and whether files differ from it; None where git knows nothing."""
    try:
        argv = ["git", "-C", str(top)]
        commit = _said([*argv, "rev-parse", "HEAD"])
        changed = _said([*argv, "status", "--porcelain"])
    except (OSError, subprocess.CalledProcessError):
        return {"commit": None, "dirty": None}
    return {"commit": commit, "dirty": bool(changed)}


def tools() -> dict[str, str]:
    """The versions of what took part."""
    asked = {
        "packer": ["packer", "version"],
        "qemu": ["qemu-system-x86_64", "--version"],
        "mmdebstrap": ["mmdebstrap", "--version"],
        "zstd": ["zstd", "--version"],
    }
    said = {name: command.run(argv) for name, argv in asked.items()}
    found = {name: _NUMBER.search(text) for name, text in said.items()}
    numbers = {name: each[0] if each else "unknown" for name, each in found.items()}
    return {**numbers, "ansible-core": importlib.metadata.version("ansible-core")}


def _compress(raw: Path, to: Path) -> None:
    # Threads make no further frames, and parts of several images are never joined.
    argv = ["zstd", "-q", "-9", "-T0", "--no-progress", raw, "-o", to]
    command.run(argv, limit_s=_COMPRESS_LIMIT_S)


def _size(path: Path) -> Size:
    return Size(path.name, path.stat().st_size, engine.sha256_of(path))


def _said(argv: list[str]) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    return done.stdout.strip()
