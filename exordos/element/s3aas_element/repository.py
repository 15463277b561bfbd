"""A folder that the platform installs elements from, behind any web server.

The layout is that of `exordos build`. Of ours are an image's checksum beside it, which
the platform looks for, and in an inventory the digests of the images and wheels, which
Core and MetaPaaS keep once they have read them: by them a release is known from another
one of its version.

Source: exordos 3.2, `builder/builder.py` and `repo/fs.py`; exordos_core 0.3,
`repo/drivers/nginx.py` reads it.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from exordos_paas_storage.domain import errors
from s3aas_element import urns, wheel
from s3aas_element.digest import sha256

ELEMENTS = "exordos-elements"
_META = {"schema_version": 1, "name": ELEMENTS}


@dataclass(frozen=True)
class Element:
    """One element of a release.

    Attributes:
        beside: files that lie with the images without being one.
        wheels: what the manifest has installed; they lie in a package index.
    """

    name: str
    version: str
    manifest: str
    images: list[Path] = field(default_factory=list)
    beside: list[Path] = field(default_factory=list)
    artifacts: list[Path] = field(default_factory=list)
    wheels: list[Path] = field(default_factory=list)


def write(elements: list[Element], top: Path) -> Path:
    """Put elements into a repository, in place of the same versions of them.

    Returns:
        The folder whose address, with a slash at its end, is the repository's.

    Raises:
        SetupError: an element has no image, and the one in its place has.
    """
    for each in elements:
        check_images_stay(top, each.name, each.version, len(each.images))
    folder = top / ELEMENTS
    folder.mkdir(parents=True, exist_ok=True)
    _write_json(top / "exordos-repo-meta.json", _META)
    for each in elements:
        _put(each, folder / each.name / each.version)
    _write_json(folder / "inventory.json", {"elements": _all(folder)})
    return folder


def check_images_stay(top: Path, name: str, version: str, images: int) -> None:
    """Refuse to put a release with so many images in the place of one that has some.

    Raises:
        SetupError: the new one has none.
    """
    path = top / ELEMENTS / name / version / "inventory.json"
    if not images and path.exists() and json.loads(path.read_text())["images"]:
        raise errors.SetupError(
            f"{path.parent} has the node image that machines are made from, and this"
            " build has none: name another folder by --output, or leave IMAGE=none out"
        )


def manifests(top: Path, name: str, but: str) -> list[Path]:
    """Those of an element's releases in a repository, all but one."""
    found = (top / ELEMENTS / name).glob(f"[!.]*/manifests/{name}.yaml")
    return [each for each in found if each.parents[1].name != but]


def inventory(element: Element) -> dict[str, Any]:
    """What is there of an element, and below which id."""
    files = {
        "images": [each.name for each in element.images],
        "manifests": [f"{element.name}.yaml"],
        "configs": [],
        "templates": [],
        "artifacts": [each.name for each in element.artifacts],
    }
    index = {
        category: {
            str(urns.file_id(category, element.name, element.version, name)): name
            for name in files[category]
        }
        for category in urns.CATEGORIES
    }
    return {
        "name": element.name,
        "version": element.version,
        "index": index,
        "sha256": {each.name: sha256(each) for each in element.images},
        "wheels": {each.name: wheel.digest(each) for each in element.wheels},
        **files,
    }


def _put(element: Element, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".part-", dir=folder.parent) as part:
        new = Path(part) / "new"
        (new / "manifests").mkdir(parents=True)
        (new / "manifests" / f"{element.name}.yaml").write_text(element.manifest)
        for category, files in (
            ("images", [*element.images, *element.beside]),
            ("artifacts", element.artifacts),
        ):
            for file in files:
                (new / category).mkdir(exist_ok=True)
                _copy(file, new / category / file.name)
        _write_json(new / "inventory.json", inventory(element))
        if folder.exists():
            folder.rename(Path(part) / "old")
        new.rename(folder)


def _copy(file: Path, to: Path) -> None:
    """An image is large and is never changed in place: a second name will do."""
    try:
        os.link(file, to)
    except OSError:
        shutil.copyfile(file, to)


def _all(folder: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.glob("[!.]*/[!.]*/inventory.json")):
        about = json.loads(path.read_text())
        found.setdefault(about["name"], {})[about["version"]] = about
    return found


def _write_json(path: Path, value: Any) -> None:
    part = path.with_name(f".part-{path.name}")
    part.write_text(json.dumps(value, indent=2, sort_keys=True) + "\n")
    part.replace(path)
