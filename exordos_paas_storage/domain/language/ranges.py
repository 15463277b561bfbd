"""Conditions on numbers and dates as ranges, for engines that take one value each.

Both engines compare whole numbers only, with one value for each operator, and hold a
negated operator for false where the request has no such value. So all conditions of a
statement on one key are made one set: the whole numbers it may have, as ranges, and
whether it may be absent. Dates are counted in whole seconds.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from exordos_paas_storage.domain.language import condition_keys, operators
from exordos_paas_storage.domain.language.elements import FOR_ALL, Condition

_SECOND_NS = 1_000_000_000
_FIRST_DAY = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
# The years that engines can write, from 1 to 9999, in seconds since 1970.
_BEGIN_S, _END_S = -62_135_596_800, 253_402_300_800


class Range(NamedTuple):
    """Whole numbers from `low` on and below `high`; None for no bound."""

    low: int | None
    high: int | None


EVERYTHING = (Range(None, None),)


class Allowed(NamedTuple):
    """What one key of a request may be.

    Attributes:
        absent: whether the request may have no such key.
        ranges: the values that it may have; they don't touch and rise.
    """

    absent: bool
    ranges: tuple[Range, ...]


def allowed(condition: Condition) -> Allowed:
    """What a numeric or date condition allows.

    Args:
        condition: with values of its operator's kind.
    """
    one = operators.OPERATORS[condition.operator]
    absent = one.negated or condition.if_exists
    if condition.quantifier:
        absent = condition.quantifier == FOR_ALL
    name = condition.operator.removeprefix(one.kind)
    kept = [operators.wanted(one, value) for value in condition.values]
    if one.kind == condition_keys.DATE:
        kept = [Decimal(value) / _SECOND_NS for value in kept]
    if one.negated:
        return Allowed(absent, _without(kept))
    return Allowed(absent, _joined(_meeting(name, value) for value in kept))


def both(one: Allowed, other: Allowed) -> Allowed:
    """What two conditions on one key allow together."""
    return Allowed(one.absent and other.absent, _common(one.ranges, other.ranges))


def _meeting(name: str, value: Decimal) -> Range:
    """The whole numbers that are, to an operator, right beside a value."""
    if name == "LessThan":
        return Range(None, math.ceil(value))
    if name == "LessThanEquals":
        return Range(None, math.floor(value) + 1)
    if name == "GreaterThan":
        return Range(math.floor(value) + 1, None)
    if name == "GreaterThanEquals":
        return Range(math.ceil(value), None)
    whole = value == math.floor(value)
    return Range(int(value), int(value) + 1) if whole else Range(0, 0)


def _without(values: Iterable[Decimal]) -> tuple[Range, ...]:
    """Every number but those."""
    low, found = None, []
    for point in sorted({int(one) for one in values if one == math.floor(one)}):
        found.append(Range(low, point))
        low = point + 1
    return _joined([*found, Range(low, None)])


def _common(some: tuple[Range, ...], others: tuple[Range, ...]) -> tuple[Range, ...]:
    return _joined(
        Range(_later(one.low, other.low), _earlier(one.high, other.high))
        for one in some
        for other in others
    )


def _later(one: int | None, other: int | None) -> int | None:
    """The greater of two lower bounds."""
    if one is None or other is None:
        return one if other is None else other
    return max(one, other)


def _earlier(one: int | None, other: int | None) -> int | None:
    """The smaller of two upper bounds."""
    if one is None or other is None:
        return one if other is None else other
    return min(one, other)


def _is_empty(one: Range) -> bool:
    return one.low is not None and one.high is not None and one.low >= one.high


def _joined(found: Iterable[Range]) -> tuple[Range, ...]:
    """The same numbers in ranges that don't touch, rising."""
    joined: list[Range] = []
    rising = sorted(
        (one for one in found if not _is_empty(one)),
        key=lambda one: (one.low is not None, one.low or 0),
    )
    for one in rising:
        last = joined[-1] if joined else None
        if last is None or not _touch(last, one):
            joined.append(one)
        elif last.high is not None and (one.high is None or one.high > last.high):
            joined[-1] = Range(last.low, one.high)
    return tuple(joined)


def _touch(one: Range, later: Range) -> bool:
    return later.low is None or one.high is None or later.low <= one.high


def written(kind: str, one: Range) -> dict[str, str]:
    """A range as operators of a kind, each with its one value.

    Args:
        kind: `condition_keys.NUMERIC` or `DATE`.
        one: a range that is not empty; dates in seconds since 1970.
    """
    low, high = one
    if kind == condition_keys.NUMERIC and low is not None and high == low + 1:
        return {"NumericEquals": str(low)}
    found = {} if low is None else {f"{kind}GreaterThanEquals": _text(kind, low)}
    if high is not None:
        found[f"{kind}LessThan"] = _text(kind, high)
    return found


def of_dates(found: Iterable[Range]) -> tuple[Range, ...]:
    """The same dates without those that no request can have."""
    years = (Range(_BEGIN_S, _END_S),)
    return tuple(
        Range(
            None if one.low == _BEGIN_S else one.low,
            None if one.high == _END_S else one.high,
        )
        for one in _common(tuple(found), years)
    )


def _text(kind: str, bound: int) -> str:
    if kind == condition_keys.NUMERIC:
        return str(bound)
    moment = _FIRST_DAY + datetime.timedelta(seconds=bound)
    return moment.isoformat().replace("+00:00", "Z")
