"""The queue in the tables themselves: recording the outcome of a claimed row."""

from __future__ import annotations

import datetime
import uuid as uuids
from collections.abc import Collection
from typing import Any

from psycopg.types import json

from exordos_paas_storage.domain import errors, status
from exordos_paas_storage.models import base, due
from exordos_paas_storage.reconcile import outcomes
from exordos_paas_storage.reconcile.claims import (  # noqa: F401 - one queue for callers
    CHILDREN,
    INSTANCES,
    NOW,
    TABLES,
    Claim,
    any_due,
    claim,
)

CHANNEL = "s3aas_changes"
# Since when a row is due that is to be looked at: a change that was not seen yet, such
# as a suspend or a deletion, stays urgent.
LOOKED_AT = (
    "CASE WHEN revision = seen_revision THEN now() ELSE least(next_try_at, now()) END"
)


def record(
    claimed: Claim, outcome: outcomes.Outcome, now: datetime.datetime | None = None
) -> float | None:
    """Record an outcome, unless the row was changed or claimed anew meanwhile.

    Args:
        now: with a time zone, as in `claim`; `None` for the database's.

    Returns:
        Seconds until the row is due again; `None` when it is settled.
    """
    with base.transaction() as session:
        if _written(session, claimed, outcome, now):
            return _again_s(claimed, outcome)
        # Whoever changed the row has also said when it is due.
        released = session.execute(
            f"UPDATE {claimed.table} SET lease_until = NULL "  # noqa: S608
            "WHERE uuid = %s AND lease_until = %s",
            (claimed.uuid, claimed.lease),
        )
        if not released.rowcount:
            # Somebody else had a turn meanwhile, and ours may have undone it.
            session.execute(
                f"UPDATE {claimed.table} SET revision = revision + 1, "  # noqa: S608
                f"next_try_at = {due.URGENT} WHERE uuid = %s",
                (claimed.uuid,),
            )
    return 0.0


def _written(
    session: Any,
    claimed: Claim,
    outcome: outcomes.Outcome,
    now: datetime.datetime | None,
) -> bool:
    which = (
        "WHERE uuid = %(uuid)s AND revision = %(revision)s AND lease_until = %(lease)s"
    )
    again_s = _again_s(claimed, outcome) or 0.0
    values: dict[str, Any] = {
        "uuid": claimed.uuid,
        "revision": claimed.revision,
        "lease": claimed.lease,
        "undeleted": getattr(outcome, "undeleted", False),
        "now": now,
        "again": datetime.timedelta(seconds=again_s),
        "conditions": _json(getattr(outcome, "conditions", None)),
        "wake_at": getattr(outcome, "wake_at", None),
        "message": clipped(getattr(outcome, "message", None)),
        "mended": getattr(outcome, "mended", False),
    }
    statement = _STATEMENTS[type(outcome)].format(table=claimed.table, now=NOW)
    return session.execute(f"{statement} {which}", values).rowcount == 1


_STATEMENTS = {
    outcomes.Removed: "DELETE FROM {table}",
    outcomes.Converged: """
        UPDATE {table} SET status = 'ACTIVE', status_message = '', attempts = 0,
            conditions = %(conditions)s, lease_until = NULL,
            seen_revision = revision, observed_generation = generation,
            wake_at = %(wake_at)s
    """,
    outcomes.Waiting: """
        UPDATE {table} SET lease_until = NULL,
            next_try_at = {now} + %(again)s::interval,
            conditions = coalesce(%(conditions)s, conditions),
            status_message = coalesce(%(message)s, status_message),
            status = CASE WHEN status = 'ERROR' AND %(mended)s
                THEN 'PENDING' ELSE status END
    """,
    outcomes.Failed: """
        UPDATE {table} SET lease_until = NULL,
            next_try_at = {now} + %(again)s::interval,
            attempts = attempts + 1, status_message = %(message)s,
            conditions = coalesce(%(conditions)s, conditions),
            status = CASE WHEN status = 'DELETING' AND NOT %(undeleted)s
                THEN status ELSE 'ERROR' END
    """,
}


def _again_s(claimed: Claim, outcome: outcomes.Outcome) -> float | None:
    match outcome:
        case outcomes.Waiting(again_s=again_s):
            return again_s
        case outcomes.Failed(again_s=again_s):
            if again_s is None:
                return outcomes.backoff_s(claimed.attempts)
            return again_s
    return None


def _json(conditions: list[status.Condition] | None) -> Any:
    return None if conditions is None else json.Jsonb(conditions)


def clipped(message: str | None) -> str | None:
    """A message as its column takes it."""
    return None if message is None else message.replace("\0", "")[:1024]


class TurnLost(errors.StorageError):
    """Nobody: another turn has the row by now, and this one must do nothing more."""


def set_ours(claimed: Claim) -> None:
    """Record, before the engine is asked, that what will be there is ours.

    Raises:
        TurnLost: the row is gone, or claimed anew.
    """
    with base.transaction() as session:
        found = session.execute(
            f"UPDATE {claimed.table} SET ours = true "  # noqa: S608
            "WHERE uuid = %s AND lease_until = %s",
            (claimed.uuid, claimed.lease),
        )
    if not found.rowcount:
        raise TurnLost("the turn lost its row")


def wake(session: Any, table: str, where: str, values: tuple[Any, ...]) -> None:
    """Let rows try at once that wait for something that just came."""
    session.execute(
        f"UPDATE {table} SET next_try_at = CASE WHEN seen_revision > 0 "  # noqa: S608
        f"THEN {due.URGENT} ELSE now() END "
        f"WHERE revision <> seen_revision AND next_try_at > now() AND {where}",
        values,
    )


def take_back(session: Any, in_hand: Collection[uuids.UUID]) -> None:
    """End the leases of rows that nobody works on.

    For a process that knows it is the only reconciler of its database: of a process
    that died, or of a claim whose answer was lost with the connection.
    """
    for table in TABLES:
        session.execute(
            f"UPDATE {table} SET lease_until = NULL "  # noqa: S608
            "WHERE lease_until IS NOT NULL AND NOT uuid = ANY(%s)",
            (list(in_hand),),
        )


def look_at_all(session: Any) -> None:
    """Queue every instance: what its engine is now, this process does not know yet.

    Its policies and scopes have a turn, too: another release of the service may have
    compiled them, or another hand changed them. Where nothing differs nothing is done,
    and they show no change.
    """
    _look(session, None)


def look_again(instance: uuids.UUID) -> None:
    """Queue an instance whose engine is not what it was; its objects wait for it."""
    with base.transaction() as session:
        _look(session, instance)


_LOOK = (
    f"""
    UPDATE s3aas_instances SET engine_ready = false, sealing_proved = false,
        revision = revision + 1, next_try_at = {LOOKED_AT}
    WHERE %(one)s::uuid IS NULL OR uuid = %(one)s
    """,  # noqa: S608
    """
    UPDATE s3aas_policies SET revision = revision + 1,
        next_try_at = greatest(next_try_at, now())
    WHERE revision = seen_revision AND (%(one)s::uuid IS NULL OR instance = %(one)s)
    """,
    """
    UPDATE s3aas_access_keys SET revision = revision + 1,
        next_try_at = greatest(next_try_at, now())
    WHERE revision = seen_revision AND scope IS NOT NULL
        AND (%(one)s::uuid IS NULL OR instance = %(one)s)
    """,
)


def _look(session: Any, instance: uuids.UUID | None) -> None:
    for statement in _LOOK:
        session.execute(statement, {"one": instance})
