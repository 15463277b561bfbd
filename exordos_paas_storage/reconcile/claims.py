"""Claiming rows: which is due, and whose it is until its lease ends.

Both are the database's to say, by its clock: writers and reconcilers may run on
machines whose clocks differ from it and from each other.
"""

from __future__ import annotations

import datetime
import uuid as uuids
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import rows

from exordos_paas_storage.domain import status
from exordos_paas_storage.models import due

INSTANCES = "s3aas_instances"
# In the order of their dependence: a key needs its user, a user its policies.
CHILDREN = (
    "s3aas_policies",
    "s3aas_buckets",
    "s3aas_users",
    "s3aas_access_keys",
)
TABLES = (INSTANCES, *CHILDREN)

# The database's, unless a caller has a clock of its own.
NOW = "coalesce(%(now)s::timestamptz, now())"
_DUE = """
    FROM {table} c {join}
    WHERE c.revision <> c.seen_revision
        AND c.next_try_at <= {now} - %({table})s::interval
        AND (c.lease_until IS NULL OR c.lease_until <= {now}) {ready}
        AND NOT i.uuid = ANY(%(busy)s) AND NOT c.uuid = ANY(%(in_hand)s)
"""
# Materialized, as a sub-select may be run once for each row of the table, and then one
# claim leases every row that is due (seen where the planner expects a small table).
_CLAIM = """
    WITH due AS MATERIALIZED (
        SELECT c.uuid, i.uuid AS instance {found}
        ORDER BY c.next_try_at LIMIT 1 FOR UPDATE OF c SKIP LOCKED
    )
    UPDATE {table} t SET lease_until = {now} + %(lease)s::interval FROM due
    WHERE t.uuid = due.uuid
    RETURNING t.uuid, due.instance, t.revision, t.attempts, t.status, t.ours,
        t.lease_until AS lease
"""
_OWN = {"join": "JOIN s3aas_instances i ON i.uuid = c.uuid", "ready": ""}
_BELOW = {
    "join": "JOIN s3aas_instances i ON i.uuid = c.instance",
    "ready": "AND i.engine_ready AND i.status <> 'DELETING'",
}


def _due(table: str) -> str:
    kind = _OWN if table == INSTANCES else _BELOW
    return _DUE.format(table=table, now=NOW, **kind)


_CLAIMS = {
    table: _CLAIM.format(table=table, now=NOW, found=_due(table)) for table in TABLES
}
_ANY_DUE = "SELECT " + " OR ".join(
    f"EXISTS (SELECT 1 {_due(table)})" for table in TABLES
)


@dataclass(frozen=True)
class Claim:
    """A row that is this process's until its lease ends."""

    table: str
    uuid: uuids.UUID
    instance: uuids.UUID
    revision: int
    attempts: int
    status: str
    ours: bool
    # The end of the lease, which also tells this claim from a later one.
    lease: datetime.datetime

    @property
    def deleting(self) -> bool:
        """Whether the row is a tombstone."""
        return self.status == status.DELETING


def claim(
    connection: psycopg.Connection[Any],
    table: str,
    busy: Collection[uuids.UUID],
    in_hand: Collection[uuids.UUID],
    lease_s: float,
    urgent: bool = False,
    now: datetime.datetime | None = None,
) -> Claim | None:
    """The row of `table` that has been due longest, or `None`.

    Args:
        connection: in autocommit mode.
        busy: instances that have as much work in hand as they may.
        in_hand: rows that this process works on, whose lease may have ended.
        lease_s: after so many seconds another process may claim the row.
        urgent: only one that was changed, or woken; see `due.URGENT`.
        now: with a time zone; `None` for the database's.
    """
    values = {
        **_due_values(busy, in_hand, (table,) if urgent else (), now),
        "lease": datetime.timedelta(seconds=lease_s),
    }
    with connection.cursor(row_factory=rows.dict_row) as cursor:
        row = cursor.execute(_CLAIMS[table], values).fetchone()
    return Claim(table=table, **row) if row else None


def any_due(
    connection: psycopg.Connection[Any],
    busy: Collection[uuids.UUID],
    in_hand: Collection[uuids.UUID],
    urgent_alone: Collection[str] = (),
) -> bool:
    """Whether a row is due that `claim` passed over, as a writer has it locked.

    A request that is refused locks rows for a moment, too, and tells nobody at its end.

    Args:
        urgent_alone: tables of which only a changed or woken row counts.
    """
    values = _due_values(busy, in_hand, urgent_alone, None)
    row = connection.execute(_ANY_DUE, values).fetchone()
    return bool(row and row[0])


def _due_values(
    busy: Collection[uuids.UUID],
    in_hand: Collection[uuids.UUID],
    urgent_alone: Collection[str],
    now: datetime.datetime | None,
) -> dict[str, Any]:
    """By a table's name: for how long its rows must have been due."""
    at_once = datetime.timedelta(0)
    return {
        **{t: due.URGENT_BEFORE if t in urgent_alone else at_once for t in TABLES},
        "now": now,
        "busy": list(busy),
        "in_hand": list(in_hand),
    }
