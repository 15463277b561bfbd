"""One instance's turn: its node, its engine, the guard, its default bucket."""

from __future__ import annotations

import datetime
import uuid
from typing import Any

from restalchemy.dm import filters

from exordos_paas_storage.domain import errors, policy, state, status
from exordos_paas_storage.engine import port as engine_port
from exordos_paas_storage.models import base, instance, node
from exordos_paas_storage.nodes import port
from exordos_paas_storage.reconcile import (
    audit,
    engines,
    instance_conditions,
    outcomes,
    placing,
    policies,
    queue,
    watch,
)

AGAIN_S = 0.2
REMOVE_AGAIN_S = 2.0
AGAIN_UNANSWERED_S = 2.0
# Somebody has to act before these get better; waiting longer tells nobody anything.
_HOPELESS = (
    port.BINARY_MISSING,
    port.PORT_TAKEN,
    port.START_FAILED,
    port.HOST_REFUSED,
)

_EMPTIED = (
    "the engine came back without any bucket that it had, and the objects in them are "
    "gone from it; restore its data, or delete the instance and create it anew"
)

# Children before parents.
_REMOVED_WITH_IT = (
    "s3aas_access_keys",
    "s3aas_attachments",
    "s3aas_users",
    "s3aas_policies",
    "s3aas_buckets",
    "s3aas_nodes",
)


class Instances:
    """Turns of instances, on the nodes of one host.

    Args:
        nodes: where engines run.
        health: since when each engine does not answer.
        sizes_enforced: whether cpu, ram and disk_size bind the node.
        silence_s: seconds an engine may be silent before its instance is `ERROR`.
    """

    def __init__(
        self,
        nodes: port.Nodes,
        known: engines.Engines,
        health: watch.Health,
        *,
        sizes_enforced: bool,
        silence_s: float,
    ) -> None:
        self._nodes, self._engines, self._health = nodes, known, health
        self._sizes_enforced, self._silence_s = sizes_enforced, silence_s
        self._audit_at: dict[uuid.UUID, datetime.datetime] = {}

    def turn(self, claimed: queue.Claim, now: datetime.datetime) -> outcomes.Outcome:
        """Bring one instance to where it serves, or remove it with its data."""
        owner = instance.Instance.objects.get_one(
            filters={"uuid": filters.EQ(claimed.uuid)}
        )
        place = node.Node.objects.get_one_or_none(
            filters={"instance": filters.EQ(claimed.uuid)}
        )
        if place is None or claimed.deleting:
            return self._remove(owner, place)
        if place.port is None and self._nodes.places:
            placing.place(self._nodes, place)
        spec = placing.spec_of(owner, place)
        seen = self._nodes.ensure(spec)
        placing.set_state(place.uuid, seen.reason)
        if seen.endpoint and seen.endpoint != (place.host, place.port):
            placing.moved(place, seen.endpoint)
            return outcomes.Waiting(0.0)
        down_s = self._health.saw(claimed.uuid, seen)
        if seen.reason == port.PORT_TAKEN and claimed.status == status.CREATING:
            # It never served there: it may choose again.
            placing.set_port(place.uuid, None)
            return outcomes.Waiting(AGAIN_S)
        if not seen.ready:
            said = instance_conditions.of_silent(
                owner, seen, spec.settled, self._sizes_enforced, status.stamp(now)
            )
            return self._not_ready(seen, down_s, said)
        self._health.know(spec, seen.pid)
        url = f"http://{place.host}:{place.port}"
        engine = self._engines.at(owner, url, place.root())
        return self._asked(owner, engine, seen, now)

    def _asked(
        self,
        owner: instance.Instance,
        engine: engine_port.Engine,
        seen: port.NodeStatus,
        now: datetime.datetime,
    ) -> outcomes.Outcome:
        """The outcome where the engine says that it serves."""
        try:
            guard(engine, owner)
        except errors.EngineUnavailable as error:
            outcome = self._unanswered(owner, seen, error, now)
            # Turns of its objects would end alike, and keep workers from others'.
            self._set_open(owner.uuid, False)
            return outcome
        self._set_open(owner.uuid, True)
        try:
            outcome = self._converged(owner, engine, seen, now)
        except errors.EngineUnavailable as error:
            return self._unanswered(owner, seen, error, now)
        self._health.answered(owner.uuid)
        return outcome

    def _unanswered(
        self,
        owner: instance.Instance,
        seen: port.NodeStatus,
        error: errors.EngineUnavailable,
        now: datetime.datetime,
    ) -> outcomes.Outcome:
        """The outcome where the engine has long answered none of a turn's calls.

        Raises:
            EngineUnavailable: it may be a passing failure.
        """
        silent_s = self._health.unanswered_s(owner.uuid)
        if silent_s <= self._silence_s:
            raise error
        said = f"the engine says that it is ready and does not answer calls: {error}"
        conditions = instance_conditions.of_ready(
            owner, seen, self._sizes_enforced, status.stamp(now), said
        )
        return outcomes.Failed(said, conditions, again_s=AGAIN_UNANSWERED_S)

    def _not_ready(
        self, seen: port.NodeStatus, down_s: float, said: list[status.Condition]
    ) -> outcomes.Outcome:
        if seen.at_work:
            return outcomes.Waiting(seen.again_s or AGAIN_S, said, seen.message)
        if seen.reason in _HOPELESS or down_s > self._silence_s:
            again_s = seen.again_s or min(2.0, 1.0 + down_s)
            return outcomes.Failed(seen.message, said, again_s=again_s)
        return outcomes.Waiting(AGAIN_S, said)

    def _set_open(self, instance_id: uuid.UUID, opened: bool) -> None:
        """Let the instance's objects have their turns from now on, or no longer."""
        with base.transaction() as session:
            changed = session.execute(
                "UPDATE s3aas_instances SET engine_ready = %s "
                "WHERE uuid = %s AND engine_ready <> %s",
                (opened, instance_id, opened),
            )
            for table in queue.CHILDREN if opened and changed.rowcount else ():
                queue.wake(session, table, "instance = %s", (instance_id,))

    def _converged(
        self,
        owner: instance.Instance,
        engine: engine_port.Engine,
        seen: port.NodeStatus,
        now: datetime.datetime,
    ) -> outcomes.Outcome:
        at = status.stamp(now)
        conditions = instance_conditions.of_ready(owner, seen, self._sizes_enforced, at)
        lost, any_left = audit.lost_buckets(engine, owner.uuid)
        conditions = instance_conditions.with_lost(conditions, lost, any_left, at)
        if lost and not any_left:
            # Its users and keys are no data: they serve who starts over.
            audit.look(engine, owner.uuid, now)
            return outcomes.Failed(_EMPTIED, conditions)
        if seen.refused:
            return outcomes.Failed(seen.unsettled, conditions)
        late = _late_buckets(owner)
        for row in late:
            if row["status"] == status.ERROR and row["name"] == owner.bucket_name:
                said = f"default bucket: {row['status_message']}"
                return outcomes.Failed(said, conditions)
        if any(row["status"] != status.ERROR for row in late):
            return outcomes.Waiting(AGAIN_S, conditions, "", mended=True)
        if not seen.unsettled or self._audit_at.get(owner.uuid, now) <= now:
            audit.look(engine, owner.uuid, now)
            self._audit_at[owner.uuid] = audit.next_at(now)
        if seen.unsettled:
            again_s = seen.again_s or AGAIN_S
            return outcomes.Waiting(again_s, conditions, seen.unsettled, mended=True)
        return outcomes.Converged(conditions, audit.next_at(now))

    def _remove(
        self, owner: instance.Instance, place: node.Node | None
    ) -> outcomes.Outcome:
        """Remove the engine with its data, then the rows; it may be taken up again."""
        self._health.forget(owner.uuid)
        try:
            if place is not None:
                self._nodes.remove(placing.spec_of(owner, place, opened=False))
        except port.NotYet as error:
            return outcomes.Waiting(REMOVE_AGAIN_S, message=str(error))
        self._engines.forget(owner.uuid)
        self._audit_at.pop(owner.uuid, None)
        with base.transaction() as session:
            for table in _REMOVED_WITH_IT:
                session.execute(
                    f"DELETE FROM {table} WHERE instance = %s",  # noqa: S608
                    (owner.uuid,),
                )
        return outcomes.Removed()


def _late_buckets(owner: instance.Instance) -> list[dict[str, Any]]:
    """Buckets that the instance's own settings have not reached.

    Until the instance worked once that is its default bucket; afterwards those which
    follow the instance and were there before.
    """
    with base.transaction() as session:
        return session.execute(
            """
            SELECT b.name, b.status, b.status_message
            FROM s3aas_buckets b JOIN s3aas_instances i ON i.uuid = b.instance
            WHERE i.uuid = %s AND b.status NOT IN ('ACTIVE', 'DELETING') AND (
                (i.observed_generation = 0 AND b.name = i.bucket_name)
                OR (i.observed_generation > 0 AND b.observed_generation > 0
                    AND (b.versioning IS NULL OR b.encryption IS NULL)))
            """,
            (owner.uuid,),
        ).fetchall()


def guard(engine: engine_port.Engine, owner: instance.Instance) -> None:
    """Put and read back what holds for every user, before any right is given.

    Both engines ignore a mapped policy that is missing, so a guard that was lost would
    open everything without an error. Every user carries it, so one write suspends an
    instance or makes it read-only, and the users' own policies stay as they are.
    """
    able = engine.capabilities
    if owner.suspended:
        document = policy.SUSPENDED
    elif owner.read_only:
        document = policy.guard(able.read_actions, able.unsafe_keys, able.version_named)
    else:
        document = policy.guard(
            able.guard_actions, able.unsafe_keys, able.version_named
        )
    policies.put(engine, policy.GUARD_NAME, state.Policy(policy.GUARD_NAME, document))
