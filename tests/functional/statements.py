"""How many SQL statements a change costs, by PostgreSQL's own count."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import psycopg

_OF_THIS = (
    "FROM pg_stat_statements JOIN pg_database ON oid = dbid"
    " WHERE datname = current_database()"
)


@dataclass(frozen=True)
class Cost:
    """Statements for each of several changes, averages.

    Attributes:
        ours: those that name a table of the service.
        all: of the whole database, without what it has when nobody changes anything.
    """

    ours: float
    all: float


class Counter:
    """`pg_stat_statements` of one database, which must be a superuser's to ask.

    Only statements that a client sends are counted, none inside triggers: that is the
    extension's default, `pg_stat_statements.track = top`.
    """

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True)
        self._connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")

    def cost(self, changes: Callable[[], int], idle_s: float = 6.0) -> Cost:
        """Count what some changes cost.

        Args:
            changes: does them, waits until they are done, and says how many.
            idle_s: seconds for which the platform is watched alone before.
        """
        before, start = self._counts(), time.monotonic()
        time.sleep(idle_s)
        idle, begun = self._counts(), time.monotonic()
        done = changes()
        after, ended = self._counts(), time.monotonic()
        share = (ended - begun) / (begun - start)
        ours, everything = (
            (after[which] - idle[which] - share * (idle[which] - before[which])) / done
            for which in (0, 1)
        )
        return Cost(round(ours, 1), round(everything, 1))

    def _counts(self) -> tuple[int, int]:
        found = self._connection.execute(
            "SELECT coalesce(sum(calls) FILTER (WHERE query ILIKE '%s3aas!_%' ESCAPE"
            f" '!'), 0), coalesce(sum(calls), 0) {_OF_THIS}"
        ).fetchone()
        assert found is not None
        return int(found[0]), int(found[1])
