"""One bucket's turn."""

from __future__ import annotations

import datetime
from typing import Any

from exordos_paas_storage.domain import errors, plan, state, status
from exordos_paas_storage.engine import port
from exordos_paas_storage.models import base
from exordos_paas_storage.reconcile import outcomes, queue, steps

COUNTED = 1000
_NOT_EMPTY = "BucketNotEmpty"
_GONE = (
    "the bucket is gone from the engine, and its objects with it; it is not made again "
    "by itself: restore the engine's data, or delete the bucket and create it anew (a "
    "default bucket goes with its instance)"
)

_READ = """
    SELECT b.name, b.conditions,
        coalesce(b.versioning, i.versioning) AS versioning,
        coalesce(b.encryption, i.encryption) AS encryption, i.sealing_proved,
        b.observed_generation > 0 AS served
    FROM s3aas_buckets b JOIN s3aas_instances i ON i.uuid = b.instance
    WHERE b.uuid = %s
"""


def turn(
    claimed: queue.Claim, engine: port.Engine, now: datetime.datetime
) -> outcomes.Outcome:
    """Make the engine hold one bucket as it was asked for, or no longer."""
    at = status.stamp(now)
    with base.transaction() as session:
        row = session.execute(_READ, (claimed.uuid,)).fetchone()
    if claimed.deleting and not claimed.ours:
        return outcomes.Removed()
    observed = engine.bucket(row["name"])
    conditions = status.without_condition(row["conditions"], status.DELETE_REFUSED)
    if claimed.deleting:
        refused = _remove(claimed, engine, row["name"], observed)
        if not isinstance(refused, str):
            return refused
        # It stays: so it is made as it was asked for, like any other.
        conditions = status.with_condition(
            conditions, status.DELETE_REFUSED, status.TRUE, _NOT_EMPTY, refused, at
        )
    if observed is None and claimed.ours and row["served"]:
        return outcomes.Failed(_GONE, conditions)
    desired = state.Bucket(row["name"], row["versioning"], row["encryption"])
    todo = plan.bucket(desired, observed, claimed.ours)
    if observed is None:
        queue.set_ours(claimed)
    steps.take(engine, todo)
    if todo and plan.bucket(desired, engine.bucket(row["name"]), True):
        said = "the engine took the settings and does not show them"
        return outcomes.Failed(said, conditions, undeleted=True)
    if desired.encryption == "none":
        kept = status.without_condition(conditions, status.ENCRYPTION_EFFECTIVE)
        return outcomes.Converged(kept)
    return _proved(claimed, engine, row, conditions, at)


def _proved(
    claimed: queue.Claim,
    engine: port.Engine,
    row: dict[str, Any],
    conditions: list[status.Condition],
    at: str,
) -> outcomes.Outcome:
    """Encryption is in force once an object was seen sealed since the engine started.

    The master key is the engine's, so one probe speaks for all its buckets.
    """
    if not row["sealing_proved"] and not engine.encryption_effective(row["name"]):
        said = "the engine does not encrypt what is written to the bucket"
        refused = status.with_condition(
            conditions,
            status.ENCRYPTION_EFFECTIVE,
            status.FALSE,
            "ProbeNotEncrypted",
            said,
            at,
        )
        return outcomes.Failed(said, refused, undeleted=True)
    with base.transaction() as session:
        session.execute(
            "UPDATE s3aas_instances SET sealing_proved = true "
            "WHERE uuid = %s AND NOT sealing_proved",
            (claimed.instance,),
        )
    return outcomes.Converged(
        status.with_condition(
            conditions,
            status.ENCRYPTION_EFFECTIVE,
            status.TRUE,
            "ReadBack",
            "new objects are encrypted at rest",
            at,
        )
    )


def _remove(
    claimed: queue.Claim,
    engine: port.Engine,
    name: str,
    observed: state.Bucket | None,
) -> outcomes.Removed | outcomes.Failed | str:
    """Remove the bucket; a text says why it is refused and the bucket stays."""
    try:
        steps.take(engine, plan.bucket(None, observed, claimed.ours))
    except errors.BucketNotEmpty:
        count = engine.count_objects(name, COUNTED)
        return (
            f"the bucket holds {'at least ' * (count >= COUNTED)}{count} objects, "
            "versions and delete markers together; empty it and delete again"
        )
    if claimed.ours and engine.bucket(name) is not None:
        return outcomes.Failed("the engine took the deletion and still has the bucket")
    return outcomes.Removed()
