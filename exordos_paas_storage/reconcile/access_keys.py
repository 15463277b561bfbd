"""One access key's turn."""

from __future__ import annotations

import dataclasses
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


@dataclasses.dataclass(frozen=True)
class _Turn:
    """What a turn knows: the claim, its row, the row's user, and the time."""

    claimed: queue.Claim
    engine: port.Engine
    row: access_key.AccessKey
    user: str
    user_is_held: bool
    now: datetime.datetime


def turn(
    claimed: queue.Claim, engine: port.Engine, now: datetime.datetime
) -> outcomes.Outcome:
    """Make the engine hold one access key, or refuse it."""
    found = access_key.AccessKey.objects.get_one(
        filters={"uuid": filters.EQ(claimed.uuid)}
    )
    with base.transaction() as session:
        user = session.execute(
            "SELECT name, observed_generation FROM s3aas_users WHERE uuid = %s",
            (found.user_uuid,),
        ).fetchone()
    held = bool(user["observed_generation"])
    now_here = _Turn(claimed, engine, found, user["name"], held, now)
    if claimed.deleting:
        return _remove(now_here)
    reason = found.unusable(now)
    return _withdraw(now_here, reason) if reason else _keep(now_here)


def _keep(this: _Turn) -> outcomes.Outcome:
    if not this.user_is_held:
        return outcomes.Waiting(AGAIN_S, message="waits for its user")
    found, engine = this.row, this.engine
    observed = engine.access_key(found.access_key)
    scope = found.compiled_scope(engine.capabilities.engine)
    desired = state.AccessKey(
        found.access_key,
        this.user,
        scope=scope.document if scope else None,
        expires_at=plan.engine_expiry(
            found.expires_at,
            observed.expires_at if observed else None,
            this.now,
            engine.capabilities,
        ),
    )
    todo = plan.access_key(desired, observed, this.claimed.ours)
    if observed is None:
        queue.set_ours(this.claimed)
    steps.take(engine, todo, {found.access_key: found.opened()} if todo else None)
    if todo and plan.access_key(desired, engine.access_key(found.access_key), True):
        return outcomes.Failed("the engine took the key and does not show it")
    said = _on_engine(this, status.TRUE, "Held", "the engine holds the key")
    said = (
        effectiveness.told(said, scope, status.stamp(this.now))
        if scope
        else status.without_condition(said, status.FULLY_EFFECTIVE)
    )
    return outcomes.Converged(said, found.expires_at)


def _withdraw(this: _Turn, reason: str) -> outcomes.Outcome:
    """A key that may not sign is not on the engine, so that this can be proved.

    Its id and secret stay in the row, and bring it back when it may sign again.
    """
    observed = this.engine.access_key(this.row.access_key)
    if observed is not None and not _is_ours(this, observed):
        raise plan.ForeignObject("access key")
    if not _is_refused(this, observed):
        return _STILL_ACCEPTED
    # One that is disabled says at its last second that it has expired, too.
    wake_at = this.row.expires_at if reason == access_key.DISABLED else None
    said = _on_engine(this, status.FALSE, reason, "the engine refuses the key")
    return outcomes.Converged(said, wake_at)


def _remove(this: _Turn) -> outcomes.Outcome:
    """A deletion is done when the engine refuses the key, not when it was asked to."""
    if this.claimed.ours:
        observed = this.engine.access_key(this.row.access_key)
        foreign = observed is not None and not _is_ours(this, observed)
        if not foreign and not _is_refused(this, observed):
            return _STILL_ACCEPTED
    with base.transaction() as session:
        queue.wake(session, "s3aas_users", "uuid = %s", (this.row.user_uuid,))
    return outcomes.Removed()


def _is_ours(this: _Turn, observed: state.AccessKey) -> bool:
    """Whether it is the key that was made, and not a later one of the same id."""
    return this.claimed.ours and observed.user == this.user


def _is_refused(this: _Turn, observed: state.AccessKey | None) -> bool:
    """Remove the key where it is there; whether the engine refuses it by now."""
    steps.take(this.engine, plan.access_key(None, observed, this.claimed.ours))
    gone = this.engine.access_key(this.row.access_key) is None
    return gone and this.engine.refuses_key(this.row.access_key)


def _on_engine(
    this: _Turn, value: str, reason: str, message: str
) -> list[status.Condition]:
    return status.with_condition(
        this.row.conditions,
        status.ON_ENGINE,
        value,
        reason,
        message,
        status.stamp(this.now),
    )
