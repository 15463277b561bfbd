"""What the platform can install from the stand: our wheels, and our elements."""

from __future__ import annotations

import shutil
from pathlib import Path

from s3aas_element import image_files, release, render, repository

from exordos_paas_storage.plugin import place
from tests.stand import image, index, places

# Where the repository has an image, nobody asks for its content: machines of the stand
# are given their system by the stand.
_NO_IMAGE = "This stands in for the image of a node. See docs/guides/stand.md.\n"


def make(versions: list[str], wheels: list[Path]) -> None:
    """Offer these versions of ours, and other wheels, and nothing else.

    Raises:
        SetupError: one can't be built.
    """
    index.make(versions, wheels)
    shutil.rmtree(places.REPOSITORY, ignore_errors=True)
    places.REPOSITORY.mkdir(parents=True)
    stub = places.REPOSITORY / image_files.FILE
    stub.write_text(_NO_IMAGE)
    elements = [one for number in versions for one in _elements(number, stub)]
    repository.write(elements, places.REPOSITORY)
    for path in (places.REPOSITORY, *places.REPOSITORY.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def add(version: str) -> Path:
    """Offer one more version; the path of its manifest."""
    make(sorted({*index.offered(), version}), [])
    return manifest(version)


def manifest(version: str, element: str = place.ELEMENT) -> Path:
    """Where an element's manifest of an offered version is."""
    folder = places.REPOSITORY / repository.ELEMENTS / element / version
    return folder / "manifests" / f"{element}.yaml"


def _elements(version: str, stub: Path) -> list[repository.Element]:
    engine = release.engine_for(image.chosen(), None, places.REPOSITORY)
    made = release.of(version, places.INDEX_URL, engine, wheel=version)
    return [
        repository.Element(
            name=name,
            version=version,
            manifest=render.manifest(name, made),
            images=[stub] if name == place.ELEMENT else [],
        )
        for name in render.ELEMENTS
    ]
