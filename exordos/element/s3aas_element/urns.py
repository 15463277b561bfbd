"""How the platform names a file of an element's release.

Source: exordos 3.2, `builder/base.py`, `ElementInventory.compute_index_entry`.
"""

from __future__ import annotations

import uuid

CATEGORIES = ("images", "manifests", "configs", "templates", "artifacts")
_FILES = uuid.uuid5(uuid.UUID("3b621be9-1acf-42db-a686-6f3bede48527"), "exordos")


def file_id(category: str, element: str, version: str, file: str) -> uuid.UUID:
    """The id of a file, below which an inventory lists it."""
    namespace = uuid.uuid5(_FILES, category)
    return uuid.uuid5(namespace, f"{element}-{version}-{file}")


def image(element: str, version: str, file: str) -> str:
    """What a manifest calls an image; it holds for every repository with the file."""
    return f"urn:images:{file_id('images', element, version, file)}"
