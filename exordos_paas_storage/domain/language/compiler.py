"""A policy document as an engine gets it: the same rights, or fewer, never more.

An engine gets statements with the names of the actions that it knows and the guard
leaves to a key, so that neither a wildcard nor a new action gives more than is meant.
A statement is split by what its actions are about, by what an engine can't tell apart,
and by conditions that it can't hold in one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from exordos_paas_storage.domain import errors
from exordos_paas_storage.domain.language import assembly, cautions, clauses, parts
from exordos_paas_storage.domain.language.elements import ALLOW, Document


class Warning(NamedTuple):
    """What the author of a document should know.

    Attributes:
        path: path of the part that it is about.
        why: why that part does not say all, in words.
        laxer: whether the engine may allow more than the document says, by a request
            that is made for it; otherwise it allows less.
    """

    path: str
    why: str
    laxer: bool = False


@dataclass(frozen=True)
class Target:
    """What a document is compiled for.

    Attributes:
        engine: a name of `capabilities.ENGINES`.
        version: its version; the known ones don't differ.
        secure: whether the instance's endpoint is served by TLS.
        limit_bytes: the most that the engine takes.
    """

    engine: str
    version: str
    secure: bool
    limit_bytes: int


@dataclass(frozen=True)
class Compiled:
    """What an engine gets, and what its author should know of it."""

    document: dict[str, Any]
    warnings: tuple[Warning, ...] = ()


def size_bytes(document: Mapping[str, Any]) -> int:
    """The bytes of a document as it is sent; no engine stores more of it."""
    return len(json.dumps(document).encode())


def compile(document: Document, target: Target, field: str = "document") -> Compiled:
    """A parsed document as an engine gets it.

    Args:
        field: what errors and warnings call the document.

    Raises:
        UnsupportedByEngine: the engine can't decide by a part of it; the error leads
            there and says why.
        PolicyTooLarge: compiled it is larger than the engine takes.
    """
    found = _Warnings()
    read = [
        parts.read(
            statement,
            clauses.Setting(
                target.engine,
                target.secure,
                statement.effect == ALLOW,
                f"{field}.Statement[{index}]",
                found.report,
            ),
        )
        for index, statement in enumerate(document.statements)
    ]
    for one in read:
        cautions.report(one)
    written = assembly.document(read)
    _check_size(written, target, field)
    return Compiled(written, tuple(found.kept))


class _Warnings:
    """Warnings in the order in which they come, each once."""

    def __init__(self) -> None:
        self.kept: dict[Warning, None] = {}

    def report(self, path: str, why: str, laxer: bool) -> None:
        if why:
            self.kept[Warning(path, why, laxer)] = None


def _check_size(written: Mapping[str, Any], target: Target, field: str) -> None:
    size = size_bytes(written)
    if size > target.limit_bytes:
        raise errors.PolicyTooLarge(
            field,
            f"has {size} bytes as {target.engine} gets it, which takes at most "
            f"{target.limit_bytes}",
        )
