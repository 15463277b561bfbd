"""One access key's turn."""

from __future__ import annotations

import datetime

from restalchemy.dm import filters

from exordos_paas_storage.domain import plan, state, status
from exordos_paas_storage.engine import port
from exordos_paas_storage.models import access_key, base
from exordos_paas_storage.reconcile import effectiveness, outcomes, queue, steps

AGAIN_S = 1.0
UNTIL_REFUSED_S = 0.2
_STILL_ACCEPTED = outcomes.Waiting(
    UNTIL_REFUSED_S, message="the engine still accepts the key"
)


def turn(
    claimed: queue.Claim, engine: port.Engine, now: datetime.datetime
) -> outcomes.Outcome:
    """Make the engine hold one access key, or refuse it."""
    found = access_key.AccessKey.objects.get_one(
        filters={"uuid": filters.EQ(claimed.uuid)}
    )
    observed = engine.access_key(found.access_key)
    if claimed.deleting:
        return _remove(claimed, engine, found, observed)
    reason = found.unusable(now)
    if reason:
        return _withdraw(claimed, engine, found, observed, reason, now)
    return _keep(claimed, engine, found, observed, now)


def _keep(
    claimed: queue.Claim,
    engine: port.Engine,
    found: access_key.AccessKey,
    observed: state.AccessKey | None,
    now: datetime.datetime,
) -> outcomes.Outcome:
    with base.transaction() as session:
        user = session.execute(
            "SELECT name, observed_generation FROM s3aas_users WHERE uuid = %s",
            (found.user_uuid,),
        ).fetchone()
    if not user["observed_generation"]:
        return outcomes.Waiting(AGAIN_S, message="waits for its user")
    scope = found.compiled_scope(engine.capabilities.engine)
    desired = state.AccessKey(
        found.access_key,
        user["name"],
        scope=scope.document if scope else None,
        expires_at=plan.engine_expiry(
            found.expires_at,
            observed.expires_at if observed else None,
            now,
            engine.capabilities,
        ),
    )
    todo = plan.access_key(desired, observed, claimed.ours)
    if observed is None:
        queue.set_ours(claimed)
    steps.take(engine, todo, {found.access_key: found.opened()} if todo else None)
    if todo and plan.access_key(desired, engine.access_key(found.access_key), True):
        return outcomes.Failed("the engine took the key and does not show it")
    said = _usable(found, status.TRUE, "OnEngine", "the engine takes it", now)
    said = (
        effectiveness.told(said, scope, status.stamp(now))
        if scope
        else status.without_condition(said, status.FULLY_EFFECTIVE)
    )
    return outcomes.Converged(said, found.expires_at)


def _withdraw(
    claimed: queue.Claim,
    engine: port.Engine,
    found: access_key.AccessKey,
    observed: state.AccessKey | None,
    reason: str,
    now: datetime.datetime,
) -> outcomes.Outcome:
    """A key that may not sign is not on the engine, so that this can be proved.

    Its id and secret stay in the row, and bring it back when it may sign again.
    """
    if observed is not None and not claimed.ours:
        raise plan.ForeignObject("access key")
    if not _is_refused(claimed, engine, found, observed):
        return _STILL_ACCEPTED
    said = "the engine refuses it"
    # One that is disabled says at its last second that it has expired, too.
    wake_at = found.expires_at if reason == access_key.DISABLED else None
    return outcomes.Converged(_usable(found, status.FALSE, reason, said, now), wake_at)


def _usable(
    found: access_key.AccessKey,
    value: str,
    reason: str,
    message: str,
    now: datetime.datetime,
) -> list[status.Condition]:
    return status.with_condition(
        found.conditions, status.USABLE, value, reason, message, status.stamp(now)
    )


def _remove(
    claimed: queue.Claim,
    engine: port.Engine,
    found: access_key.AccessKey,
    observed: state.AccessKey | None,
) -> outcomes.Outcome:
    """A deletion is done when the engine refuses the key, not when it was asked to."""
    if observed is not None and not claimed.ours:
        return outcomes.Removed()
    if not _is_refused(claimed, engine, found, observed):
        return _STILL_ACCEPTED
    with base.transaction() as session:
        queue.wake(session, "s3aas_users", "uuid = %s", (found.user_uuid,))
    return outcomes.Removed()


def _is_refused(
    claimed: queue.Claim,
    engine: port.Engine,
    found: access_key.AccessKey,
    observed: state.AccessKey | None,
) -> bool:
    steps.take(engine, plan.access_key(None, observed, claimed.ours))
    gone = engine.access_key(found.access_key) is None
    return gone and engine.refuses_key(found.access_key)
