"""What became of one row's turn."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from exordos_paas_storage.domain.status import Condition

BACKOFF_MOST_S = 300.0


@dataclass(frozen=True)
class Converged:
    """The engine was read back and holds what was asked.

    `wake_at` is when it must be looked at again, though nobody changes it.
    """

    conditions: list[Condition]
    wake_at: datetime.datetime | None = None


@dataclass(frozen=True)
class Removed:
    """The engine is rid of it; the row goes."""


@dataclass(frozen=True)
class Waiting:
    """Nothing is wrong; something else comes first. The row shows what it showed.

    `conditions` and `message` are written where they are given. What made the row
    `ERROR` may be `mended`: then it is `PENDING`.
    """

    again_s: float
    conditions: list[Condition] | None = None
    message: str | None = None
    mended: bool = False


@dataclass(frozen=True)
class Failed:
    """It can't be done as things are; the row shows why and is tried again later.

    A tombstone stays one, unless it is `undeleted`: its deletion was refused.
    """

    message: str
    conditions: list[Condition] | None = None
    again_s: float | None = None
    undeleted: bool = False


Outcome = Converged | Removed | Waiting | Failed


def backoff_s(attempts: int) -> float:
    """Seconds until the next try after `attempts` failures: 1, 2, 4 … 300."""
    return min(BACKOFF_MOST_S, 2.0 ** min(attempts, 16))
