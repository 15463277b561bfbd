"""Looking at all that an engine holds at once, and queueing what differs.

A key can remove itself and other keys of its user, which no policy can deny on either
engine, and an operator can do much more by the engine's own API. Turns follow changes
of rows; this finds the others. Users and keys are put back; a bucket is not, as its
objects would still be gone.
"""

from __future__ import annotations

import datetime
import logging
import random
import uuid
from typing import Any

from exordos_paas_storage.domain import errors, policy, status
from exordos_paas_storage.engine import port
from exordos_paas_storage.models import base, due
from exordos_paas_storage.reconcile import users

LOG = logging.getLogger(__name__)

EVERY_S = 60.0

# What the engine should hold is settled: it was seen there, and nothing is under way.
_SETTLED = "instance = %s AND status = 'ACTIVE' AND revision = seen_revision"

_KEYS = f"""
    SELECT uuid, access_key AS name,
        enabled AND (expires_at IS NULL OR expires_at > %s) AS usable
    FROM s3aas_access_keys WHERE {_SETTLED}
"""  # noqa: S608
# Buckets that the engine was seen to have, and should have still.
_HELD = """
    SELECT uuid, name FROM s3aas_buckets
    WHERE instance = %s AND ours AND observed_generation > 0 AND status <> 'DELETING'
"""
_USERS = f"SELECT uuid, name, enabled FROM s3aas_users WHERE {_SETTLED}"  # noqa: S608


def next_at(now: datetime.datetime) -> datetime.datetime:
    """When an instance is looked at again; spread, so that engines take turns."""
    return now + datetime.timedelta(seconds=EVERY_S * random.uniform(0.8, 1.2))  # noqa: S311


def look(engine: port.Engine, instance: uuid.UUID, now: datetime.datetime) -> int:
    """Queue the users and keys of an instance that its engine holds otherwise.

    What the service did not make is left alone. A row that changes between the reads
    of engine and database has a turn too many, which finds nothing to do.

    Returns:
        How many rows were queued; none where the engine refuses to list.
    """
    try:
        keys, known = engine.access_keys(), engine.users()
    except errors.EngineRefused as refusal:
        LOG.warning("instance %s can't be audited: %s", instance, refusal)
        return 0
    with base.transaction() as session:
        moment = now.astimezone(datetime.timezone.utc).replace(tzinfo=None)
        rows = session.execute(_KEYS, (moment, instance)).fetchall()
        lost = [row["uuid"] for row in rows if (row["name"] in keys) != row["usable"]]
        wanted = users.mappings(session, instance)
        changed = [
            row["uuid"]
            for row in session.execute(_USERS, (instance,)).fetchall()
            if _differs(row, known.get(row["name"]), wanted.get(row["uuid"], set()))
        ]
        for table, found in (("s3aas_access_keys", lost), ("s3aas_users", changed)):
            _queue(session, table, found)
    if lost or changed:
        LOG.warning(
            "instance %s: its engine differs in %d users and %d keys",
            instance, len(changed), len(lost),
        )  # fmt: skip
    return len(lost) + len(changed)


def lost_buckets(engine: port.Engine, instance: uuid.UUID) -> tuple[list[str], bool]:
    """Queue the buckets of an instance that its engine had and has no longer.

    Returns:
        Their names, sorted, and whether the engine still has any other that it had.
        None where the engine refuses to list.
    """
    before = _held(instance)
    if not before:
        return [], False
    try:
        names = engine.buckets()
    except errors.EngineRefused as refusal:
        LOG.warning("instance %s: its buckets can't be listed: %s", instance, refusal)
        return [], True
    # One whose deletion began after the first read may rightly be gone.
    held = {one: name for one, name in _held(instance).items() if one in before}
    gone = {one: name for one, name in held.items() if name not in names}
    if gone:
        with base.transaction() as session:
            where = f"uuid = ANY(%s) AND {_SETTLED}"
            values = (list(gone), instance)
            due.queue(session, "s3aas_buckets", where, values, status.PENDING)
    return sorted(gone.values()), len(gone) < len(held)


def _held(instance: uuid.UUID) -> dict[uuid.UUID, str]:
    with base.transaction() as session:
        rows = session.execute(_HELD, (instance,)).fetchall()
    return {row["uuid"]: row["name"] for row in rows}


def _differs(row: dict[str, Any], held: Any, wanted: set[str]) -> bool:
    return (
        held is None
        or held.enabled != row["enabled"]
        or held.policies != wanted | {policy.GUARD_NAME}
    )


def _queue(session: Any, table: str, found: list[uuid.UUID]) -> None:
    """Nothing that was asked for has changed, so the generation stays."""
    due.queue(session, table, "uuid = ANY(%s)", (found,), status.PENDING)
