"""One user's turn: the engine user and the policies mapped to it."""

from __future__ import annotations

import datetime
import uuid
from typing import Any

from exordos_paas_storage.domain import plan, policy, state
from exordos_paas_storage.engine import port
from exordos_paas_storage.models import base
from exordos_paas_storage.reconcile import outcomes, queue, steps

# What comes first (a policy, the end of the user's keys) wakes the row; this is in case
# that was missed.
AGAIN_S = 1.0

_POLICIES = """
    SELECT p.uuid, p.seen_revision > 0 AS held,
        p.revision = p.seen_revision AS settled, a.uuid AS attachment, a.status,
        a.generation
    FROM s3aas_attachments a JOIN s3aas_policies p ON p.uuid = a.policy_uuid
    WHERE a.user_uuid = %(user)s
    UNION ALL
    SELECT p.uuid, p.seen_revision > 0, p.revision = p.seen_revision, NULL,
        'DEFAULT', 0
    FROM s3aas_users u
    JOIN s3aas_instances i ON i.uuid = u.instance
    JOIN s3aas_policies p
        ON p.instance = i.uuid AND p.name = ANY(i.default_user_policies)
    WHERE u.uuid = %(user)s AND u.inherits_policies
"""


_OF_INSTANCE = """
    SELECT a.user_uuid, a.policy_uuid FROM s3aas_attachments a
    WHERE a.instance = %(instance)s AND a.status <> 'DELETING'
    UNION ALL
    SELECT u.uuid, p.uuid FROM s3aas_users u
    JOIN s3aas_instances i ON i.uuid = u.instance
    JOIN s3aas_policies p
        ON p.instance = i.uuid AND p.name = ANY(i.default_user_policies)
    WHERE i.uuid = %(instance)s AND u.inherits_policies
"""


def mappings(session: Any, instance: uuid.UUID) -> dict[uuid.UUID, set[str]]:
    """The engine's names of the policies of each user of an instance, by user."""
    found: dict[uuid.UUID, set[str]] = {}
    for row in session.execute(_OF_INSTANCE, {"instance": instance}).fetchall():
        named = policy.engine_name(row["policy_uuid"])
        found.setdefault(row["user_uuid"], set()).add(named)
    return found


def turn(
    claimed: queue.Claim, engine: port.Engine, now: datetime.datetime
) -> outcomes.Outcome:
    """Make the engine hold one user with its rights, or no longer."""
    with base.transaction() as session:
        row = session.execute(
            "SELECT name, enabled FROM s3aas_users WHERE uuid = %s", (claimed.uuid,)
        ).fetchone()
        found = session.execute(_POLICIES, {"user": claimed.uuid}).fetchall()
    name = row["name"]
    if claimed.deleting:
        return _remove(claimed, engine, name)
    wanted = [row for row in found if row["status"] != "DELETING"]
    mapped = {policy.engine_name(row["uuid"]) for row in wanted}
    desired = state.User(
        name, frozenset({policy.GUARD_NAME, *mapped}), enabled=row["enabled"]
    )
    observed = engine.user(name)
    if not all(_is_there(row, observed) for row in wanted):
        if observed and claimed.ours:
            _withdraw(engine, desired, observed)
        return outcomes.Waiting(AGAIN_S, message="waits for its policies")
    todo = plan.user(desired, observed, claimed.ours)
    if observed is None:
        queue.set_ours(claimed)
    steps.take(engine, todo)
    if todo and plan.user(desired, engine.user(name), True):
        return outcomes.Failed("the engine took the user's policies and shows others")
    _settle(claimed, found)
    return outcomes.Converged([])


def _is_there(row: dict[str, Any], observed: state.User | None) -> bool:
    """Whether the engine holds a policy as the user is to have it.

    A user that has it already keeps it while it changes; one that is to gain it waits
    until it says what it is meant to, and not what it said before.
    """
    name = policy.engine_name(row["uuid"])
    has_it = observed is not None and name in observed.policies
    return bool(row["held"] if has_it else row["settled"])


def _withdraw(engine: port.Engine, desired: state.User, observed: state.User) -> None:
    """Take away at once what the user is to lose, while it waits for what it gains.

    Where a lost policy denies something all others go, too: without it they would
    allow for a moment what neither the rights before nor those after do.
    """
    lost = observed.policies - desired.policies
    kept = observed.policies - lost
    if any(_denies(engine, name) for name in lost):
        kept = frozenset({policy.GUARD_NAME})
    least = state.User(desired.name, kept, enabled=observed.enabled and desired.enabled)
    steps.take(engine, plan.user(least, observed, True))


def _denies(engine: port.Engine, name: str) -> bool:
    found = engine.policy(name)
    return found is not None and policy.denies(found.document)


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
    # Where nothing was ever made the engine is not asked: a name of somebody else's
    # access key is an error to it.
    if claimed.ours:
        steps.take(engine, plan.user(None, engine.user(name), True))
        if engine.user(name) is not None:
            said = "the engine took the deletion and still has the user"
            return outcomes.Failed(said)
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
