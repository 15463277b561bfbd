"""If-Match: a write happens only at a generation that its author has seen.

The entity tag of an object is its generation in quotes. Source of the header's form and
meaning: RFC 9110, sections 8.8.3 and 13.1.1.
"""

from __future__ import annotations

import re
from typing import Any

from exordos_paas_storage.domain import errors

HEADER = "If-Match"
RULE = 'must be `*`, or generations in quotes, such as "3"'
# One entity tag, or nothing, and the comma behind it. Tags hold no space; a weak one
# has `W/` before it.
_ELEMENT = re.compile(r'[ \t]*(?:(W/)?"([!#-~\x80-\xff]*)"[ \t]*)?(?:,|\Z)')
# A generation as we write it; what is longer than this is none of ours.
_GENERATION = re.compile(r"[1-9][0-9]{0,18}")


def only_at(req: Any) -> frozenset[int] | None:
    """The generations at which a write may happen; `None`: at any.

    Weak tags, and tags that we never gave out, match no generation.

    Raises:
        InvalidHeader: If-Match is neither `*` nor a list of entity tags.
    """
    said = req.headers.get(HEADER)
    if said is None or said.strip(" \t") == "*":
        return None
    tags = _tags(said)
    if not tags:
        raise errors.InvalidHeader(HEADER, RULE)
    return frozenset(
        int(tag) for weak, tag in tags if not weak and _GENERATION.fullmatch(tag)
    )


def _tags(said: str) -> list[tuple[bool, str]]:
    """Every entity tag of a header, and whether it is weak; none if it is malformed."""
    found, at = [], 0
    while at < len(said):
        element = _ELEMENT.match(said, at)
        if element is None:
            return []
        if element[2] is not None:
            found.append((bool(element[1]), element[2]))
        at = element.end()
    return found


def refuse(req: Any) -> None:
    """Refuse If-Match at a call that changes no object that is there.

    Raises:
        InvalidHeader: it came.
    """
    if HEADER in req.headers:
        raise errors.InvalidHeader(HEADER, "is not taken by this call")


def etag(found: Any) -> str:
    """The entity tag of an object."""
    return f'"{found.generation}"'
