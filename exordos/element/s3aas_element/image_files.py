"""The node image that `make image` left in a folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from exordos_paas_storage.domain import errors
from exordos_paas_storage.nodes import image
from s3aas_element import digest

FILE = f"{image.NAME}.raw.zst"
CHECKSUM = f"{FILE}.SHA256SUM"
ABOUT = f"{image.NAME}.json"


@dataclass(frozen=True)
class Image:
    """A finished image.

    Attributes:
        checksum: beside it; the platform's installer compares it with what it writes.
    """

    file: Path
    checksum: Path
    engine: str
    engine_version: str


def find(folder: Path) -> Image | None:
    """The image, or None where none was built.

    Raises:
        SetupError: what describes it is missing or says something else.
    """
    file = folder / FILE
    if not file.exists():
        return None
    try:
        about = json.loads((folder / ABOUT).read_text())
        engine = about["engine"]["name"], about["engine"]["version"]
    except (OSError, ValueError, KeyError, TypeError):
        raise errors.SetupError(
            f"{folder / ABOUT} does not say what is in {FILE}: run `make image`"
        ) from None
    return Image(file, folder / CHECKSUM, *engine)


def check(found: Image) -> None:
    """Compare an image with its checksum.

    Raises:
        SetupError: they differ, or there is none.
    """
    try:
        wanted = found.checksum.read_text().split()[0]
    except (OSError, IndexError):
        raise errors.SetupError(
            f"{found.checksum} is missing: build the image with `make image`"
        ) from None
    if digest.sha256(found.file) != wanted:
        raise errors.SetupError(
            f"{found.file} is not what its checksum says: build it with `make image`"
        )
