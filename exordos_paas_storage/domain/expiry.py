"""When access keys end: what may be asked for, and what follows from a rotation.

Moments are in UTC; a key ends at the beginning of a whole second.
"""

from __future__ import annotations

import datetime

from exordos_paas_storage.domain import errors

MOST_OVERLAP_S = 30 * 24 * 3600
DEFAULT_OVERLAP_S = 3600

_FIELD = "expires_at"
# The last moment that `rules.time` takes.
_LATEST = datetime.datetime(9998, 12, 31, 23, 59, 59, tzinfo=datetime.timezone.utc)


def of_new(
    asked: datetime.datetime | None, now: datetime.datetime, most_s: int | None
) -> datetime.datetime | None:
    """The end of a new key; the instance's ceiling where none is asked for.

    Args:
        asked: by the tenant, `None` for no end.
        now: the moment of creation.
        most_s: the instance's `max_key_ttl_s`.

    Raises:
        InvalidValue: it is past, or lies beyond the ceiling.
    """
    ceiling = _ceiling(now, most_s)
    if asked is None:
        return ceiling
    _refuse_past(asked, now)
    if ceiling is not None and asked > ceiling:
        raise _beyond(most_s)
    return asked


def moved(
    asked: datetime.datetime | None,
    before: datetime.datetime | None,
    created_at: datetime.datetime,
    now: datetime.datetime,
    most_s: int | None,
) -> datetime.datetime | None:
    """The end that an existing key is given; under a ceiling it never lives longer.

    A key that is older than its instance's ceiling may still be shortened.

    Raises:
        InvalidValue: it is past, or lets the key live beyond the ceiling.
    """
    if asked is not None:
        _refuse_past(asked, now)
    ceiling = _ceiling(created_at, most_s)
    if ceiling is None or before is None:
        return asked
    if asked is None or asked > max(before, ceiling):
        raise _beyond(most_s)
    return asked


def life_s(
    expires_at: datetime.datetime | None, created_at: datetime.datetime
) -> int | None:
    """How long a key is meant to live, in whole seconds; `None` for ever."""
    if expires_at is None:
        return None
    return max(1, round((expires_at - created_at).total_seconds()))


def of_successor(
    lives_s: int | None, now: datetime.datetime, most_s: int | None
) -> datetime.datetime | None:
    """The end of the key that follows in a rotation: it has the same life to live.

    Args:
        lives_s: of the key before, as `life_s` was when its end was last asked for.
        now: the moment of the rotation.
        most_s: the instance's `max_key_ttl_s`.
    """
    lives = [one for one in (lives_s, most_s) if one is not None]
    if not lives:
        return None
    try:
        return min(_after(now, min(lives)), _LATEST)
    except OverflowError:
        return _LATEST


def of_predecessor(
    expires_at: datetime.datetime | None, now: datetime.datetime, overlap_s: int
) -> datetime.datetime:
    """The end of a key that is rotated away; never later than it was.

    An overlap is rounded up to a whole second, none at all ends the key at once.
    """
    end = _after(now, overlap_s + bool(overlap_s))
    return end if expires_at is None else min(end, expires_at)


def _ceiling(start: datetime.datetime, most_s: int | None) -> datetime.datetime | None:
    return None if most_s is None else _after(start, most_s)


def _after(start: datetime.datetime, seconds: int) -> datetime.datetime:
    return _whole(start) + datetime.timedelta(seconds=seconds)


def _whole(moment: datetime.datetime) -> datetime.datetime:
    return moment.replace(microsecond=0)


def _refuse_past(asked: datetime.datetime, now: datetime.datetime) -> None:
    if asked <= now:
        raise errors.InvalidValue(_FIELD, "must be in the future")


def _beyond(most_s: int | None) -> errors.InvalidValue:
    return errors.InvalidValue(
        _FIELD,
        f"must be at most {most_s} s after the key's creation, which is max_key_ttl_s "
        "of its instance",
    )
