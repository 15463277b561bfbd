"""In which order due rows are claimed: what takes access away before what is made."""

from __future__ import annotations

import datetime
from collections.abc import Container
from typing import Any

import psycopg

from exordos_paas_storage.models import due
from exordos_paas_storage.reconcile import queue

# Each is one read of an index for each table.
_PEEK = " UNION ALL ".join(
    f"SELECT '{table}', "  # noqa: S608
    f"(SELECT min(next_try_at) FROM {table} WHERE revision <> seen_revision "
    f"AND next_try_at <= {due.URGENT}), "
    f"EXISTS (SELECT 1 FROM {table} WHERE wake_at <= %(now)s)"
    for table in queue.TABLES
)
_NEXT_WAKE = "SELECT least({}) AS at".format(
    ", ".join(
        f"(SELECT min(wake_at) FROM {table})"  # noqa: S608
        for table in queue.TABLES
    )
)


def passes(
    connection: psycopg.Connection[Any],
    now: datetime.datetime,
    urgent_alone: Container[str],
) -> list[tuple[str, bool]]:
    """The tables to claim from, in order, and whether urgent rows alone.

    A row whose `wake_at` has come is made a changed one. Then instances come first, as
    one of them may be suspended; changed rows, from the table in which one has waited
    longest; and what is only to be made, in the order of dependence.

    Args:
        connection: in autocommit mode.
        now: with a time zone.
        urgent_alone: tables with room for changed and woken rows alone.
    """
    found = connection.execute(_PEEK, {"now": now}).fetchall()
    late = [table for table, _, woken in found if woken]
    for table in late:
        connection.execute(
            f"UPDATE {table} SET wake_at = NULL, revision = revision + 1, "  # noqa: S608
            f"next_try_at = {_woken(table)} WHERE wake_at <= %s",
            (now,),
        )
    if late:
        found = connection.execute(_PEEK, {"now": now}).fetchall()
    oldest = {table: at for table, at, _ in found if at and table != queue.INSTANCES}
    return [
        (queue.INSTANCES, queue.INSTANCES in urgent_alone),
        *((table, True) for table in sorted(oldest, key=lambda one: oldest[one])),
        *((table, False) for table in queue.CHILDREN if table not in urgent_alone),
    ]


def _woken(table: str) -> str:
    """Since when a woken row is due; an instance is woken for an audit alone."""
    return queue.LOOKED_AT if table == queue.INSTANCES else due.URGENT


def next_wake(connection: psycopg.Connection[Any]) -> datetime.datetime | None:
    """When the next row is to be looked at again; `None` where no row is."""
    row = connection.execute(_NEXT_WAKE).fetchone()
    return row[0] if row else None
