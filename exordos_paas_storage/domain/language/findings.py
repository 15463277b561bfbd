"""Gathering what is wrong with a document, and the rules of every text in it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from exordos_paas_storage.domain.language.elements import Problem

# Bounds of what is looked at: a document of 1 MiB, made to be slow, would keep a
# process busy for a minute without them. The longest ARN of an object has 1,100 bytes,
# and MinIO takes 20,480 bytes in all.
MOST_ENTRIES = 2_000
MOST_CHARACTERS = 2_048
MOST_PROBLEMS = 100

_NAME = re.compile(r"[\w:./@+= -]{1,160}", re.ASCII)
# Of a document: list, statement, condition, operator, key, list of values.
_LEVELS = 6


class Findings:
    """The problems found so far, in order; after `MOST_PROBLEMS` none is added."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def add(self, field: str, rule: str) -> None:
        """Note that the element at `field` breaks `rule`; an empty rule is none."""
        if rule and len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(field, rule))


def entries(value: Any, levels: int = _LEVELS) -> int:
    """How many entries a document has in all; what is nested deeper counts as one."""
    inner: Sequence[Any] = ()
    if levels and isinstance(value, Mapping):
        inner = tuple(value.values())
    elif levels and isinstance(value, list | tuple):
        inner = value
    return max(1, sum(entries(one, levels - 1) for one in inner))


def shown(name: Any) -> str:
    """A name as it may stand in a path: short and plain, else a placeholder."""
    plain = isinstance(name, str) and _NAME.fullmatch(name)
    return name if plain else "(unprintable)"


def text(value: Any, field: str, found: Findings) -> str:
    """A text that every store and engine keeps as it is; empty if it is none."""
    if not isinstance(value, str):
        found.add(field, "must be text")
        return ""
    rule = _text_problem(value)
    found.add(field, rule)
    return "" if rule else value


def _text_problem(value: str) -> str:
    if len(value) > MOST_CHARACTERS:
        return f"must have at most {MOST_CHARACTERS} characters"
    if any(one < " " or one == "\x7f" or "\ud800" <= one <= "\udfff" for one in value):
        return "must have no control characters and no halves of characters"
    return ""


def listed(
    value: Mapping[str, Any], name: str, field: str, found: Findings
) -> Sequence[Any]:
    """An element as a list of at least one; a single value is a list of it."""
    if name not in value:
        found.add(f"{field}.{name}", "is required")
        return ()
    inner = value[name]
    if not isinstance(inner, list | tuple):
        return (inner,)
    if not inner:
        found.add(f"{field}.{name}", "must not be empty")
    return inner
