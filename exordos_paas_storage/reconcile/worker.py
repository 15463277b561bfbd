"""The reconciler: listens, claims, works and watches, in threads of its own."""

from __future__ import annotations

import collections
import datetime
import logging
import threading
import time
import uuid
from collections.abc import Callable
from concurrent import futures
from dataclasses import dataclass

import psycopg

from exordos_paas_storage.domain import errors, plan
from exordos_paas_storage.engine import port as engine_port
from exordos_paas_storage.models import base
from exordos_paas_storage.nodes import port
from exordos_paas_storage.reconcile import (
    access_keys,
    buckets,
    engines,
    instances,
    order,
    outcomes,
    policies,
    queue,
    users,
    watch,
)

LOG = logging.getLogger(__name__)

Turn = Callable[[queue.Claim, engine_port.Engine, datetime.datetime], outcomes.Outcome]
_TURNS: dict[str, Turn] = {
    "s3aas_policies": policies.turn,
    "s3aas_buckets": buckets.turn,
    "s3aas_users": users.turn,
    "s3aas_access_keys": access_keys.turn,
}
UNAVAILABLE_AGAIN_S = 1.0
# A writer holds a row that is due; it may not say when it has ended.
LOCKED_AGAIN_S = 0.02


@dataclass(frozen=True)
class Settings:
    """How the reconciler works.

    Attributes:
        workers: turns at once, over all instances; a quarter of them is kept for
            changes, and half of them for what lies in instances and for changes.
        per_instance: turns at once on one engine.
        lease_s: after so long a row of a dead process is claimed by another.
        tick_s: how often is looked without being woken, in case a wake was lost.
        watch_s: how often engines are looked at.
        silence_s: how long an engine may be silent before its instance is `ERROR`.
        alone: no other process reconciles this database, so nothing is leased at
            the start.
        sizes_enforced: whether cpu, ram and disk_size bind the nodes.
    """

    workers: int = 16
    per_instance: int = 4
    lease_s: float = 120.0
    tick_s: float = 2.0
    watch_s: float = 1.0
    silence_s: float = 5.0
    alone: bool = True
    sizes_enforced: bool = False


class Reconciler:
    """Makes engines hold what the rows ask for, until it is stopped.

    Args:
        uri: of the database, for the connections that listen and claim.
        nodes: where engines run.
        settings: see `Settings`.
        clock: the time of day, with a time zone. The ends of keys follow it, and the
            next audits; leases and tries follow the database's.
        known: connections to the engines.
    """

    def __init__(
        self,
        uri: str,
        nodes: port.Nodes,
        settings: Settings,
        clock: Callable[[], datetime.datetime],
        known: engines.Engines | None = None,
    ) -> None:
        self._uri, self._nodes, self._settings = uri, nodes, settings
        self._clock = clock
        self._engines = known or engines.Engines()
        self._health = watch.Health(time.monotonic)
        self._instances = instances.Instances(
            nodes,
            self._engines,
            self._health,
            sizes_enforced=settings.sizes_enforced,
            silence_s=settings.silence_s,
        )
        self._wake, self._stopping = threading.Event(), threading.Event()
        self._lock = threading.Lock()
        self._busy: collections.Counter[uuid.UUID] = collections.Counter()
        self._in_hand: dict[uuid.UUID, str] = {}
        self._due: list[float] = []
        self._started_over = False
        self._pool = futures.ThreadPoolExecutor(settings.workers, "turn")
        self._slots = threading.Semaphore(settings.workers)
        self._threads = [
            threading.Thread(target=self._serve, args=(loop,), name=loop.__name__)
            for loop in (self._listen, self._dispatch, self._watch)
        ]

    def start(self) -> None:
        """Begin; returns at once."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End: no turn is begun any more, and those begun are finished."""
        self._stopping.set()
        self._wake.set()
        for thread in self._threads:
            thread.join()
        self._pool.shutdown()

    def _serve(self, loop: Callable[[psycopg.Connection], None]) -> None:
        """Run a loop with a connection of its own; a lost one is made again."""
        started = False
        while not self._stopping.is_set():
            try:
                with psycopg.connect(self._uri, autocommit=True) as connection:
                    if started:
                        LOG.info("%s goes on", loop.__name__)
                    started = True
                    loop(connection)
            except psycopg.Error as error:
                LOG.warning("%s lost the database: %s", loop.__name__, error.sqlstate)
                self._stopping.wait(0.2)
            except Exception:
                LOG.exception("%s failed and goes on", loop.__name__)
                self._stopping.wait(1.0)

    def _listen(self, connection: psycopg.Connection) -> None:
        connection.execute(f"LISTEN {queue.CHANNEL}")
        self._wake.set()
        while not self._stopping.is_set():
            for _ in connection.notifies(timeout=0.5):
                self._wake.set()
                if self._stopping.is_set():
                    return

    def _watch(self, connection: psycopg.Connection) -> None:
        while not self._stopping.wait(self._settings.watch_s):
            for changed in self._health.look(self._nodes, self._settings.silence_s):
                LOG.info("instance %s: its engine changed", changed.spec.instance_id)
                queue.look_again(changed.spec.instance_id)
                self._health.unwatch(changed)

    def _dispatch(self, connection: psycopg.Connection) -> None:
        if self._settings.alone:
            with self._lock, base.transaction() as session:
                queue.take_back(session, self._in_hand)
                if not self._started_over:
                    queue.look_at_all(session)
            self._started_over = True
        while not self._stopping.is_set():
            self._wake.clear()
            while not self._stopping.is_set() and self._claim_one(connection):
                pass
            self._wake.wait(self._idle_s(connection))

    def _idle_s(self, connection: psycopg.Connection) -> float:
        """Seconds until something is due that nobody will wake us for."""
        if queue.any_due(connection, *self._held()):
            return LOCKED_AGAIN_S
        wake_s = self._settings.tick_s
        wake_at = order.next_wake(connection)
        if wake_at is not None:
            wake_s = max(0.0, (wake_at - self._clock()).total_seconds())
        now = time.monotonic()
        with self._lock:
            ahead = [due for due in self._due if due > now]
            missed = len(ahead) < len(self._due)
            self._due = ahead
        if missed:
            return 0.0
        return min([self._settings.tick_s, wake_s, *(due - now for due in ahead)])

    def _claim_one(self, connection: psycopg.Connection) -> bool:
        if not self._slots.acquire(timeout=0.5):
            return not self._stopping.is_set()
        busy, in_hand, urgent_alone = self._held()
        claimed = None
        try:
            passes = order.passes(connection, self._clock(), urgent_alone)
            for table, urgent in passes:
                lease_s = self._settings.lease_s
                claimed = queue.claim(connection, table, busy, in_hand, lease_s, urgent)
                if claimed:
                    break
        finally:
            if claimed is None:
                self._slots.release()
        if claimed is None:
            return False
        with self._lock:
            self._busy[claimed.instance] += 1
            self._in_hand[claimed.uuid] = claimed.table
        self._pool.submit(self._work, claimed)
        return True

    def _held(self) -> tuple[list[uuid.UUID], list[uuid.UUID], tuple[str, ...]]:
        """Instances with no room, rows in hand, and tables with room for changes alone.

        Some workers are kept for what takes access away, so that slow engines can't
        have them all. Instances whose machines are dead have half of them at most: each
        of their turns waits for one, and is due again soon.
        """
        with self._lock:
            most = self._settings.per_instance
            busy = [instance for instance, n in self._busy.items() if n >= most]
            in_hand = dict(self._in_hand)
        workers = self._settings.workers
        if len(in_hand) >= workers - workers // 4:
            return busy, list(in_hand), queue.TABLES
        looks = sum(table == queue.INSTANCES for table in in_hand.values())
        full = looks >= max(1, workers // 2)
        return busy, list(in_hand), (queue.INSTANCES,) if full else ()

    def _work(self, claimed: queue.Claim) -> None:
        try:
            outcome = self._outcome(claimed)
            self._record(claimed, outcome)
        finally:
            with self._lock:
                del self._in_hand[claimed.uuid]
                self._busy[claimed.instance] -= 1
                if not self._busy[claimed.instance]:
                    del self._busy[claimed.instance]
            self._slots.release()
            self._wake.set()

    def _outcome(self, claimed: queue.Claim) -> outcomes.Outcome:
        now = self._clock().astimezone(datetime.timezone.utc)
        try:
            if claimed.table == queue.INSTANCES:
                return self._instances.turn(claimed, now)
            engine = self._engines.of(claimed.instance)
            return _TURNS[claimed.table](claimed, engine, now)
        except Exception as error:  # noqa: BLE001 - it is the row's, and told or logged
            return _of_error(claimed, error)

    def _record(self, claimed: queue.Claim, outcome: outcomes.Outcome) -> None:
        """Record an outcome, however long the database takes to come back."""
        while True:
            try:
                again_s = queue.record(claimed, outcome)
                break
            except Exception:
                LOG.exception("can't record %s %s", claimed.table, claimed.uuid)
                if self._stopping.wait(1.0):
                    return
        if again_s is not None:
            with self._lock:
                self._due.append(time.monotonic() + again_s)
        if claimed.table == "s3aas_users" and isinstance(outcome, outcomes.Failed):
            users.say_failed(claimed, outcome.message)
        waits = isinstance(outcome, outcomes.Waiting)
        if claimed.table == "s3aas_buckets" and not waits:
            with base.transaction() as session:
                queue.wake(session, queue.INSTANCES, "uuid = %s", (claimed.instance,))


def _of_error(claimed: queue.Claim, error: Exception) -> outcomes.Outcome:
    """What an error in a turn means for its row."""
    if isinstance(error, errors.EngineUnavailable | queue.TurnLost):
        return outcomes.Waiting(UNAVAILABLE_AGAIN_S)
    if isinstance(error, plan.ForeignObject):
        return outcomes.Failed(f"{error.reason}: {error}")
    if isinstance(error, errors.StorageError):
        return outcomes.Failed(str(error))
    if base.unreachable(error):
        LOG.warning("no database for %s %s", claimed.table, claimed.uuid)
        return outcomes.Waiting(UNAVAILABLE_AGAIN_S)
    reference = uuid.uuid4().hex[:12]
    LOG.error(
        "fault %s at %s %s", reference, claimed.table, claimed.uuid, exc_info=error
    )
    return outcomes.Failed(
        f"a fault of the service; its log has the reason under {reference}"
    )
