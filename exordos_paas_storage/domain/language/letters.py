"""Where `?` is not what it seems, as the engines take it for one byte of UTF-8.

A letter beyond ASCII has two to four bytes. So `?` alone misses such a letter, and `??`
takes one for two. Beside a `*` nothing is missed; only what `??*` means differs then.
"""

from __future__ import annotations

import re

# Names of buckets have three of them at least, and end with one of these.
_BUCKET = re.compile(r"[a-z0-9.-]*[a-z0-9]")
_LEAST_CHARACTERS = 3


def differs(pattern: str, gives: bool) -> bool:
    """Whether an engine may find more allowed by a pattern than was meant.

    Args:
        pattern: as an engine gets it, for a text that may have any letter.
        gives: whether what it covers is allowed more than what it does not.
    """
    return any(
        _differs(run.count("?"), "*" in run, gives)
        for run in re.findall(r"[*?]+", pattern)
    )


def differs_for_keys(pattern: str, gives: bool) -> bool:
    """The same of a resource of objects, `bucket/key`; a bucket's name is ASCII.

    A `?` before the first slash may be that slash itself, and what follows it part of
    a key. There are no keys that begin with a slash.
    """
    bucket, _, key = pattern.partition("/")
    if "*" in bucket:
        return differs(pattern, gives)
    return _differs(_singles_of_key(bucket), False, gives) or differs(key, gives)


def _differs(singles: int, run: bool, gives: bool) -> bool:
    if gives:
        return singles > 1
    return singles > 0 and not run


def _singles_of_key(bucket: str) -> int:
    """How many `?` of a pattern without a slash may stand behind one, at most."""
    singles = bucket.count("?")
    head = bucket.partition("?")[0]
    named = len(head) >= _LEAST_CHARACTERS and _BUCKET.fullmatch(head)
    return max(0, singles - (1 if named else 2))
