"""Texts with wildcards: `*` is any run of characters, `?` is any one of them.

A pattern is a tuple of literal texts and wildcards. It is made from a text that a
document holds, or from such a text with its policy variables filled in; what a variable
brought is a literal text, so that a `*` in a user's name is no wildcard.
"""

from __future__ import annotations

import enum
import functools
import re
from collections.abc import Iterable
from typing import Any


class Wildcard(enum.Enum):
    """A wildcard by the character that stands for it."""

    RUN = "*"
    ONE = "?"


Pattern = tuple[str | Wildcard, ...]


@functools.lru_cache(maxsize=4096)
def read(text: str) -> Pattern:
    """The pattern that a text without policy variables means."""
    return tuple(
        Wildcard(piece) if piece in ("*", "?") else piece
        for piece in re.split(r"([*?])", text)
        if piece
    )


def joined(pieces: Iterable[Any]) -> tuple[Any, ...]:
    """Pieces of a pattern, its neighbouring literal texts made one and none empty."""
    found: list[Any] = []
    for piece in pieces:
        if found and isinstance(piece, str) and isinstance(found[-1], str):
            found[-1] += piece
        elif piece != "":
            found.append(piece)
    return tuple(found)


def literal(pattern: Pattern) -> str:
    """The text that a pattern is where wildcards are only characters."""
    return "".join(
        piece.value if isinstance(piece, Wildcard) else piece for piece in pattern
    )


def matches(pattern: Pattern, text: str) -> bool:
    """Whether the whole text is one that the pattern means."""
    if len(pattern) == 1 and isinstance(pattern[0], str):
        return pattern[0] == text
    return _expression(pattern).fullmatch(text) is not None


@functools.lru_cache(maxsize=4096)
def _expression(pattern: Pattern) -> re.Pattern[str]:
    """The regular expression of a pattern, one that never backtracks far.

    A run is tried in its shortest form only, up to the first place where what follows
    it fits: a later place can't succeed where the first one fails, as the next run
    takes up any difference. So many `*` cost no more than a few.
    """
    segments: list[list[str]] = [[]]
    for piece in pattern:
        if piece is Wildcard.RUN:
            segments.append([])
        else:
            segments[-1].append("." if piece is Wildcard.ONE else re.escape(piece))
    first, *others = map("".join, segments)
    if not others:
        return re.compile(first, re.DOTALL)
    *middle, last = others
    # A lookahead is never tried again once it matched; its group gives back the text.
    steps = [
        f"(?=(?P<run{index}>.*?{one}))(?P=run{index})"
        for index, one in enumerate(filter(None, middle))
    ]
    return re.compile(f"{first}{''.join(steps)}.*{last}", re.DOTALL)
