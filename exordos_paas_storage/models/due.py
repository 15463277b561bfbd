"""Queueing rows: since when they are due, and what they show until they are seen."""

from __future__ import annotations

import datetime
from typing import Any

from exordos_paas_storage.domain import status

# Since when a changed row has been due: before every row that is only to be made, as a
# change may take access away, and must not wait until a thousand keys are made.
URGENT = "now() - interval '1 day'"
URGENT_BEFORE = datetime.timedelta(days=1)


def queue(
    session: Any,
    table: str,
    where: str,
    values: tuple[Any, ...],
    shown: str,
    asked: bool = False,
) -> None:
    """Queue rows that follow from a change, showing `shown` until they are seen.

    A tombstone stays one. The generation moves where the row's own desired half did:
    for a tombstone, and where `asked` says so.
    """
    deleting = shown == status.DELETING
    session.execute(
        f"""
        UPDATE {table} SET
            generation = generation + %s,
            revision = revision + 1, attempts = 0, next_try_at = {URGENT},
            status = CASE WHEN status IN ('DELETING', 'CREATING') AND %s
                THEN status ELSE %s END,
            status_message = '',
            updated_at = now() AT TIME ZONE 'UTC'
        WHERE {where}
        """,  # noqa: S608
        (int(deleting or asked), not deleting, shown, *values),
    )
