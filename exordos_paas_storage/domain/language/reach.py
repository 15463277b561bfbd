"""The resources of a statement, for requests about objects, buckets or neither.

An engine has quirks in how it compares a resource: MinIO compares a bucket as `name/`,
so that `name/*` covers it and `name?` too; RustFS drops the slash at the end of a key.
Statements are split by what their actions are about, and each gets the patterns only
that AWS would ever find to match there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from exordos_paas_storage.domain import capabilities
from exordos_paas_storage.domain.language import (
    actions,
    engine_texts,
    grammar,
    letters,
    refusals,
)
from exordos_paas_storage.domain.language.elements import ALLOW, Statement

EVERYTHING = f"{grammar.ARN_PREFIX}*"
# A bucket that can't be, as its name is too short.
NOTHING = f"{grammar.ARN_PREFIX}-/-"

_TAIL = re.compile(r"[*?]*$")


class Reach(NamedTuple):
    """`Resource` or `NotResource` as an engine gets it.

    Attributes:
        arns: sorted; at least one.
        others: whether it is every resource but those.
    """

    arns: tuple[str, ...]
    others: bool = False


ALL = Reach((EVERYTHING,))


def of(
    statement: Statement, about: str, engine: str, secure: bool, path: str
) -> Reach | None:
    """What a statement covers of the resources of one kind.

    Args:
        statement: a parsed one.
        about: what its actions are about, a value of `actions.level`.
        engine: the engine that gets it.
        secure: whether the instance's endpoint is served by TLS.
        path: path of the statement, for errors.

    Returns:
        None where it covers none.

    Raises:
        UnsupportedByEngine: a policy variable or pattern is in the table of refusals.
    """
    found = _patterns(statement, engine, secure, path)
    if any(set(one) == {"*"} for one in found.values()):
        return None if statement.not_resource else ALL
    kept = []
    if about == actions.BUCKET:
        kept = [_of_bucket(one, engine) for one in found.values() if "/" not in one]
    elif about == actions.OBJECT:
        kept = [one for one in found.values() if re.search(r"[/*?]", one)]
        _check_letters(found, statement, engine)
        if engine == capabilities.RUSTFS and _must_cover(statement):
            kept += _without_slashes(found)
    if not kept:
        return ALL if statement.not_resource else None
    arns = tuple(sorted({f"{grammar.ARN_PREFIX}{one}" for one in kept}))
    return Reach(arns, statement.not_resource)


def _patterns(
    statement: Statement, engine: str, secure: bool, path: str
) -> dict[str, str]:
    """The resources as the engine gets them, without `arn:aws:s3:::`, by their path."""
    field = f"{path}.{'NotResource' if statement.not_resource else 'Resource'}"
    plain = [arn.removeprefix(grammar.ARN_PREFIX) for arn in statement.resources]
    return {
        at: engine_texts.written(text, engine, secure, at)
        for index, text in enumerate(plain)
        for at in (f"{field}[{index}]",)
    }


def _of_bucket(pattern: str, engine: str) -> str:
    wild = "*" in pattern or "?" in pattern
    return f"{pattern}/" if wild and engine == capabilities.MINIO else pattern


def _must_cover(statement: Statement) -> bool:
    """Whether leaving out a resource would give more than was written."""
    return (statement.effect == ALLOW) == statement.not_resource


def _check_letters(found: Mapping[str, str], statement: Statement, engine: str) -> None:
    """Refuse wildcards by which an engine allows more than was written."""
    for at, pattern in found.items():
        if letters.differs_for_keys(pattern, not _must_cover(statement)):
            raise refusals.refused(refusals.RESOURCE, refusals.SINGLE, engine, at)


def _without_slashes(found: Mapping[str, str]) -> list[str]:
    """Patterns for keys that end with a slash, as RustFS sees them without it.

    They cover objects too that are named like the folder; the statement takes more
    away then than was written, and never less.
    """
    shorter = {at: _shorter(pattern) for at, pattern in found.items()}
    for at, pattern in shorter.items():
        if pattern.endswith("*"):
            raise refusals.refused(
                refusals.RESOURCE, refusals.FOLDER, capabilities.RUSTFS, at
            )
    return [pattern for pattern in shorter.values() if pattern]


def _shorter(pattern: str) -> str:
    """What else covers the keys that a pattern covers only by their last slash.

    Returns:
        Empty where the pattern covers them without it, or where there are none.
    """
    tail = _TAIL.search(pattern)[0]  # type: ignore[index]  # It always matches.
    head, singles = pattern.removesuffix(tail), tail.count("?")
    if singles:
        shorter = head + "?" * (singles - 1)
    elif head.endswith("/"):
        shorter = head.removesuffix("/")
    else:
        return ""
    # Without a slash it is a bucket, not a key; after `*/*` there is one anyway.
    named = "/" in shorter.removesuffix("/")
    return shorter if named or (shorter.endswith("*") and "*" not in tail) else ""


class Known:
    """Resources by their patterns, to ask often whether a pattern is among them."""

    def __init__(self, arns: Iterable[str]) -> None:
        self._arns = frozenset(arns)
        # What stands before the last `*` of patterns that have no other wildcard.
        heads = {one[:-1] for one in self._arns if one.endswith("*")}
        self._heads = {one for one in heads if not re.search(r"[*?]|\$\{", one)}
        self._lengths = sorted({len(one) for one in self._heads})

    def has(self, arn: str) -> bool:
        """Whether the resources surely hold all that a pattern means."""
        return arn in self._arns or self.has_beside(arn)

    def has_beside(self, arn: str) -> bool:
        """Whether they do by another pattern than that one."""
        own = len(arn) - 1 if arn.endswith("*") else -1
        return any(
            arn[:length] in self._heads
            for length in self._lengths
            if length <= len(arn) and length != own
        )


def narrowest(arns: Iterable[str]) -> tuple[str, ...]:
    """The same resources by fewer patterns where one holds another; sorted."""
    known = Known(arns)
    return tuple(sorted(one for one in set(arns) if not known.has_beside(one)))
