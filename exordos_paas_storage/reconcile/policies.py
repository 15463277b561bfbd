"""One policy's turn."""

from __future__ import annotations

import datetime

from restalchemy.dm import filters

from exordos_paas_storage.domain import errors, plan, state, status
from exordos_paas_storage.domain import policy as documents
from exordos_paas_storage.engine import port
from exordos_paas_storage.models import base, policy
from exordos_paas_storage.reconcile import effectiveness, outcomes, queue, steps


def turn(
    claimed: queue.Claim, engine: port.Engine, now: datetime.datetime
) -> outcomes.Outcome:
    """Make the engine hold one policy as it was asked for, or no longer."""
    name = documents.engine_name(claimed.uuid)
    if claimed.deleting:
        put(engine, name, None)
        return outcomes.Removed()
    found = policy.Policy.objects.get_one(filters={"uuid": filters.EQ(claimed.uuid)})
    compiled = found.compiled(engine.capabilities.engine)
    put(engine, name, state.Policy(name, compiled.document))
    with base.transaction() as session:
        queue.wake(session, "s3aas_users", "instance = %s", (claimed.instance,))
    return outcomes.Converged(
        effectiveness.told(found.conditions, compiled, status.stamp(now))
    )


def put(engine: port.Engine, name: str, desired: state.Policy | None) -> None:
    """Make the engine hold a policy, or none, and read it back.

    Raises:
        NotKept: the engine took it and shows another document.
    """
    todo = plan.identity_policy(name, desired, engine.policy(name))
    steps.take(engine, todo)
    if todo and plan.identity_policy(name, desired, engine.policy(name)):
        raise NotKept(f"the engine took the policy {name} and shows another document")


class NotKept(errors.StorageError):
    """The engine answered yes and does not hold what it took."""
