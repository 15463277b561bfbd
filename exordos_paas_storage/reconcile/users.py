"""One user's turn: the engine user and the policies mapped to it."""

from __future__ import annotations

from typing import Any

from exordos_paas_storage.domain import plan, policy, state
from exordos_paas_storage.engine import port
from exordos_paas_storage.models import base
from exordos_paas_storage.reconcile import outcomes, queue, steps

# What comes first (a policy, the end of the user's keys) wakes the row; this is in case
# that was missed.
AGAIN_S = 1.0

_POLICIES = """
    SELECT p.uuid, p.seen_revision > 0 AS held, a.uuid AS attachment, a.status,
        a.generation
    FROM s3aas_attachments a JOIN s3aas_policies p ON p.uuid = a.policy_uuid
    WHERE a.user_uuid = %(user)s
    UNION ALL
    SELECT p.uuid, p.seen_revision > 0, NULL, 'DEFAULT', 0
    FROM s3aas_users u
    JOIN s3aas_instances i ON i.uuid = u.instance
    JOIN s3aas_policies p
        ON p.instance = i.uuid AND p.name = ANY(i.default_user_policies)
    WHERE u.uuid = %(user)s AND u.inherits_policies
"""


def turn(claimed: queue.Claim, engine: port.Engine, now: str) -> outcomes.Outcome:
    """Make the engine hold one user with its rights, or no longer."""
    with base.transaction() as session:
        name = session.execute(
            "SELECT name FROM s3aas_users WHERE uuid = %s", (claimed.uuid,)
        ).fetchone()["name"]
        found = session.execute(_POLICIES, {"user": claimed.uuid}).fetchall()
    if claimed.deleting:
        return _remove(claimed, engine, name)
    wanted = [row for row in found if row["status"] != "DELETING"]
    if not all(row["held"] for row in wanted):
        return outcomes.Waiting(AGAIN_S, message="waits for its policies")
    mapped = {policy.engine_name(row["uuid"]) for row in wanted}
    desired = state.User(name, frozenset({policy.GUARD_NAME, *mapped}))
    observed = engine.user(name)
    todo = plan.user(desired, observed, claimed.ours)
    if observed is None:
        queue.set_ours(claimed)
    steps.take(engine, todo)
    if todo and plan.user(desired, engine.user(name), True):
        return outcomes.Failed("the engine took the user's policies and shows others")
    _settle(claimed, found)
    return outcomes.Converged([])


def _settle(claimed: queue.Claim, found: list[dict[str, Any]]) -> None:
    """Record what became of the attachments that the engine was just told of."""
    with base.transaction() as session:
        for row in found:
            if row["attachment"] is None:
                continue
            values = (row["attachment"], row["generation"])
            if row["status"] == "DELETING":
                session.execute(
                    "DELETE FROM s3aas_attachments WHERE uuid = %s AND generation = %s",
                    values,
                )
            else:
                session.execute(
                    "UPDATE s3aas_attachments SET status = 'ACTIVE', "
                    "status_message = '', observed_generation = generation, "
                    "seen_revision = revision WHERE uuid = %s AND generation = %s "
                    "AND status IN ('PENDING', 'ERROR')",
                    values,
                )
    # In a transaction of its own: a writer locks keys before attachments.
    with base.transaction() as session:
        queue.wake(session, "s3aas_access_keys", "user_uuid = %s", (claimed.uuid,))


def say_failed(claimed: queue.Claim, message: str) -> None:
    """Show on the attachments that wait for a user why it can't be changed."""
    with base.transaction() as session:
        session.execute(
            "UPDATE s3aas_attachments SET status = 'ERROR', status_message = %s "
            "WHERE user_uuid = %s AND status = 'PENDING'",
            (queue.clipped(f"its user: {message}"), claimed.uuid),
        )


def _remove(claimed: queue.Claim, engine: port.Engine, name: str) -> outcomes.Outcome:
    steps.take(engine, plan.user(None, engine.user(name), claimed.ours))
    if claimed.ours and engine.user(name) is not None:
        return outcomes.Failed("the engine took the deletion and still has the user")
    with base.transaction() as session:
        queue.wake(session, "s3aas_access_keys", "user_uuid = %s", (claimed.uuid,))
        left = session.execute(
            "SELECT 1 FROM s3aas_access_keys WHERE user_uuid = %s LIMIT 1",
            (claimed.uuid,),
        ).fetchone()
        if left:
            return outcomes.Waiting(
                AGAIN_S, message="its access keys are being removed"
            )
        session.execute(
            "DELETE FROM s3aas_attachments WHERE user_uuid = %s", (claimed.uuid,)
        )
    return outcomes.Removed()
