"""What the platform can install from the stand: our wheels, and our elements."""

from __future__ import annotations

import shutil
from pathlib import Path

from s3aas_element import image_files, release, render, repository

from exordos_paas_storage.plugin import place
from tests.stand import environment, image, index, places

# Where the repository has an image, nobody asks for its content: machines of the stand
# are given their system by the stand.
_NO_IMAGE = "This stands in for the image of a node. See docs/guides/stand.md.\n"


def make(version: str) -> None:
    """Offer this version of ours, and nothing else.

    Raises:
        SetupError: it can't be built.
    """
    for folder in (places.INDEX, places.REPOSITORY):
        shutil.rmtree(folder, ignore_errors=True)
    add(version)


def add(version: str) -> Path:
    """Offer one more version, as `make build` does; the path of its manifest.

    Raises:
        SetupError: it can't be built.
    """
    made = index.add(version)
    places.REPOSITORY.mkdir(parents=True, exist_ok=True)
    stub = places.REPOSITORY / image_files.FILE
    stub.write_text(_NO_IMAGE)
    repository.write(_elements(version, made, stub), places.REPOSITORY)
    environment.open_to_services(places.REPOSITORY)
    return manifest(version)


def manifest(version: str, element: str = place.ELEMENT) -> Path:
    """Where an element's manifest of an offered version is."""
    folder = places.REPOSITORY / repository.ELEMENTS / element / version
    return folder / "manifests" / f"{element}.yaml"


def _elements(version: str, wheel: Path, stub: Path) -> list[repository.Element]:
    engine = release.engine_for(image.chosen(), None, places.REPOSITORY)
    made = release.of(version, places.INDEX_URL, engine, wheel=version)
    return [
        repository.Element(
            name=name,
            version=version,
            manifest=render.manifest(name, made),
            images=[stub] if name == place.ELEMENT else [],
            wheels=[wheel] if name == place.ELEMENT else [],
        )
        for name in render.ELEMENTS
    ]
