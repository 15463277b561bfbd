"""One access key's turn."""

from __future__ import annotations

from restalchemy.dm import filters

from exordos_paas_storage.domain import plan, state
from exordos_paas_storage.engine import port
from exordos_paas_storage.models import access_key, base
from exordos_paas_storage.reconcile import outcomes, queue, steps

AGAIN_S = 1.0
UNTIL_REFUSED_S = 0.2


def turn(claimed: queue.Claim, engine: port.Engine, now: str) -> outcomes.Outcome:
    """Make the engine hold one access key, or refuse it."""
    found = access_key.AccessKey.objects.get_one(
        filters={"uuid": filters.EQ(claimed.uuid)}
    )
    observed = engine.access_key(found.access_key)
    if claimed.deleting:
        return _remove(claimed, engine, found, observed)
    with base.transaction() as session:
        user = session.execute(
            "SELECT name, observed_generation FROM s3aas_users WHERE uuid = %s",
            (found.user_uuid,),
        ).fetchone()
    if not user["observed_generation"]:
        return outcomes.Waiting(AGAIN_S, message="waits for its user")
    desired = state.AccessKey(found.access_key, user["name"])
    todo = plan.access_key(desired, observed, claimed.ours)
    if observed is None:
        queue.set_ours(claimed)
    steps.take(engine, todo, {found.access_key: found.opened()} if todo else None)
    if todo and plan.access_key(desired, engine.access_key(found.access_key), True):
        return outcomes.Failed("the engine took the key and does not show it")
    return outcomes.Converged([])


def _remove(
    claimed: queue.Claim,
    engine: port.Engine,
    found: access_key.AccessKey,
    observed: state.AccessKey | None,
) -> outcomes.Outcome:
    """A deletion is done when the engine refuses the key, not when it was asked to."""
    if observed is not None and not claimed.ours:
        return outcomes.Removed()
    steps.take(engine, plan.access_key(None, observed, claimed.ours))
    gone = engine.access_key(found.access_key) is None
    if not gone or not engine.refuses_key(found.access_key):
        return outcomes.Waiting(
            UNTIL_REFUSED_S, message="the engine still accepts the key"
        )
    with base.transaction() as session:
        queue.wake(session, "s3aas_users", "uuid = %s", (found.user_uuid,))
    return outcomes.Removed()
