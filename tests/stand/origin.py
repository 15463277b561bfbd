"""What a stand was made from, so that one of another tree is never taken for ours."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from tests.stand import image, index, places

# Beside the wheel's: the element, the node's role, and the stand itself.
_FOLDERS = (*index.FOLDERS, "exordos", "tests/stand")


def wanted(*, iam_cache: bool) -> dict[str, str]:
    """What `up` would make a stand from now, by words that a message can name."""
    return {
        "tree": _digest(places.ROOT),
        "engine": image.chosen(),
        "IAM cache": "on" if iam_cache else "off",
    }


def differences(new: dict[str, str]) -> list[str]:
    """The words whose values the stand that is up does not have."""
    known = _known()
    return [word for word in new if known.get(word) != new[word]]


def remember(new: dict[str, str]) -> None:
    """Mark the stand as whole, and as made from this."""
    places.READY.write_text(json.dumps(new))


def forget() -> None:
    """Have the next `up` make the stand anew: it is no longer what `up` made."""
    remember({**_known(), "tree": "with another version of ours"})


def _known() -> dict[str, str]:
    try:
        found: dict[str, str] = json.loads(places.READY.read_text())
    except ValueError:
        return {}
    return found


def _digest(root: Path) -> str:
    found = hashlib.sha256()
    for path in _files(root):
        found.update(f"{path.relative_to(root)}\0".encode())
        found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()


def _files(root: Path) -> Iterable[Path]:
    folders = [path for name in _FOLDERS for path in sorted((root / name).rglob("*"))]
    for path in (*folders, *(root / name for name in index.FILES)):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path
