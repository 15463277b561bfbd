"""One policy's turn."""

from __future__ import annotations

from restalchemy.dm import filters

from exordos_paas_storage.domain import errors, plan, state
from exordos_paas_storage.domain import policy as documents
from exordos_paas_storage.engine import port
from exordos_paas_storage.models import base, policy
from exordos_paas_storage.reconcile import outcomes, queue, steps


def turn(claimed: queue.Claim, engine: port.Engine, now: str) -> outcomes.Outcome:
    """Make the engine hold one policy as it was asked for, or no longer."""
    name = documents.engine_name(claimed.uuid)
    desired = None
    if not claimed.deleting:
        found = policy.Policy.objects.get_one(
            filters={"uuid": filters.EQ(claimed.uuid)}
        )
        desired = state.Policy(name, found.document)
    put(engine, name, desired)
    if claimed.deleting:
        return outcomes.Removed()
    with base.transaction() as session:
        queue.wake(session, "s3aas_users", "instance = %s", (claimed.instance,))
    return outcomes.Converged([])


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
