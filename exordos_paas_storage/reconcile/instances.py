"""One instance's turn: its node, its engine, the guard, its default bucket."""

from __future__ import annotations

import datetime
import uuid
from typing import Any

from restalchemy.dm import filters

from exordos_paas_storage.domain import policy, state, status
from exordos_paas_storage.engine import port as engine_port
from exordos_paas_storage.models import base, instance, node
from exordos_paas_storage.nodes import port
from exordos_paas_storage.reconcile import (
    audit,
    engines,
    outcomes,
    placing,
    policies,
    queue,
    watch,
)

AGAIN_S = 0.2
REMOVE_AGAIN_S = 2.0
# Lost buckets that are named; there may be thousands.
_NAMED = 10
# Somebody has to act before these get better; waiting longer tells nobody anything.
_HOPELESS = (
    port.BINARY_MISSING,
    port.PORT_TAKEN,
    port.START_FAILED,
    port.HOST_REFUSED,
)

# Whether the instance has its node: it is there, or that can't be said.
_OF_THE_NODE = {
    port.NODE_PENDING: status.FALSE,
    port.NODE_LOST: status.FALSE,
    port.HOST_REFUSED: status.FALSE,
    port.HOST_UNAVAILABLE: status.UNKNOWN,
    port.STARTING: status.TRUE,
    # Where the host sees no process, its machine may be gone as well.
    port.NOT_ANSWERING: status.UNKNOWN,
}

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
            said = self._unready(owner, seen, spec.settled, status.stamp(now))
            return self._not_ready(seen, down_s, said)
        self._health.know(spec, seen.pid)
        url = f"http://{place.host}:{place.port}"
        engine = self._engines.at(owner, url, place.root())
        guard(engine, owner)
        self._open(claimed.uuid)
        return self._converged(owner, engine, seen, now)

    def _unready(
        self, owner: instance.Instance, seen: port.NodeStatus, settled: bool, now: str
    ) -> list[status.Condition]:
        """The conditions of an instance whose engine does not serve."""
        why = (seen.reason, seen.message, now)
        said = status.with_condition(
            owner.conditions, status.ENGINE_READY, status.FALSE, *why
        )
        known = _OF_THE_NODE.get(seen.reason)
        if known and seen.pid is None:
            said = status.with_condition(said, status.NODES_READY, known, *why)
        if self._sizes_enforced and (known == status.FALSE or not settled):
            said = status.with_condition(
                said, status.SIZES_ENFORCED, status.UNKNOWN, *why
            )
        return said

    def _not_ready(
        self, seen: port.NodeStatus, down_s: float, said: list[status.Condition]
    ) -> outcomes.Outcome:
        if seen.at_work:
            return outcomes.Waiting(seen.again_s or AGAIN_S, said, seen.message)
        if seen.reason in _HOPELESS or down_s > self._silence_s:
            again_s = seen.again_s or min(2.0, 1.0 + down_s)
            return outcomes.Failed(seen.message, said, again_s=again_s)
        return outcomes.Waiting(AGAIN_S, said)

    def _open(self, instance_id: uuid.UUID) -> None:
        """Let the instance's objects have their turns from now on."""
        with base.transaction() as session:
            opened = session.execute(
                "UPDATE s3aas_instances SET engine_ready = true "
                "WHERE uuid = %s AND NOT engine_ready",
                (instance_id,),
            )
            for table in queue.CHILDREN if opened.rowcount else ():
                queue.wake(session, table, "instance = %s", (instance_id,))

    def _converged(
        self,
        owner: instance.Instance,
        engine: engine_port.Engine,
        seen: port.NodeStatus,
        now: datetime.datetime,
    ) -> outcomes.Outcome:
        conditions = self._healthy(owner, seen, status.stamp(now))
        lost, any_left = audit.lost_buckets(engine, owner.uuid)
        conditions = _with_lost(conditions, lost, any_left, status.stamp(now))
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
            return outcomes.Waiting(AGAIN_S, conditions, "")
        if not seen.unsettled or self._audit_at.get(owner.uuid, now) <= now:
            audit.look(engine, owner.uuid, now)
            self._audit_at[owner.uuid] = audit.next_at(now)
        if seen.unsettled:
            return outcomes.Waiting(seen.again_s or AGAIN_S, conditions, "")
        return outcomes.Converged(conditions, audit.next_at(now))

    def _healthy(
        self, owner: instance.Instance, seen: port.NodeStatus, at: str
    ) -> list[status.Condition]:
        """The conditions of an instance whose engine serves."""
        said = "the engine answers and holds the guard"
        conditions = status.with_condition(
            owner.conditions, status.ENGINE_READY, status.TRUE, port.READY, said, at
        )
        conditions = status.with_condition(
            conditions,
            status.NODES_READY,
            status.TRUE,
            port.READY,
            "the node serves",
            at,
        )
        if not self._sizes_enforced:
            said = "on one box cpu, ram and disk_size are recorded and bind nothing"
            sizes = (status.FALSE, "LocalNode", said)
        elif seen.unsettled:
            why = port.HOST_REFUSED if seen.refused else port.NODE_PENDING
            sizes = (status.UNKNOWN, why, seen.unsettled)
        elif seen.not_told is None:
            return conditions
        elif seen.not_told:
            sizes = (status.UNKNOWN, port.GROWTH_NOT_TOLD, seen.not_told)
        else:
            said = "the node has the cores, memory and disk that were asked for"
            sizes = (status.TRUE, "OwnMachine", said)
        return status.with_condition(conditions, status.SIZES_ENFORCED, *sizes, at)

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


def _with_lost(
    conditions: list[status.Condition], lost: list[str], any_left: bool, at: str
) -> list[status.Condition]:
    """The conditions, with what the engine had and lost; without a loss, not a word."""
    if not lost:
        return status.without_condition(conditions, status.DATA_PRESENT)
    said = f"{len(lost)} buckets are gone from the engine with their objects: "
    said = f"{said}{', '.join(lost[:_NAMED])}{' …' * (len(lost) > _NAMED)}"
    reason = "BucketsGone" if any_left else "DataLost"
    return status.with_condition(
        conditions, status.DATA_PRESENT, status.FALSE, reason, said, at
    )


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
