"""Watching the engines: a change between two looks sends their instance to its turn."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from concurrent import futures
from dataclasses import dataclass

from exordos_paas_storage.nodes import port

# A node whose machine is gone answers only by the end of its time.
_AT_ONCE = 8


@dataclass(frozen=True, eq=False)
class Watched:
    """A node that was ready, and the process that was."""

    spec: port.NodeSpec
    pid: int | None


class Health:
    """What is known of each engine since this process started.

    Args:
        clock: seconds, never stepping back.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._watched: dict[uuid.UUID, Watched] = {}
        self._down_since: dict[uuid.UUID, float] = {}
        self._deaf_since: dict[uuid.UUID, float] = {}

    def saw(self, instance_id: uuid.UUID, seen: port.NodeStatus) -> float:
        """Note what was seen; for how many seconds the engine has not been ready."""
        now = self._clock()
        with self._lock:
            if seen.ready:
                self._down_since.pop(instance_id, None)
                return 0.0
            return now - self._down_since.setdefault(instance_id, now)

    def unanswered_s(self, instance_id: uuid.UUID) -> float:
        """Note a call without an answer; for how many seconds there has been none."""
        now = self._clock()
        with self._lock:
            return now - self._deaf_since.setdefault(instance_id, now)

    def answered(self, instance_id: uuid.UUID) -> None:
        """Note that the engine answered every call of a turn."""
        with self._lock:
            self._deaf_since.pop(instance_id, None)

    def know(self, spec: port.NodeSpec, pid: int | None) -> None:
        """Watch this node, whose process is ready, from now on."""
        with self._lock:
            self._watched[spec.instance_id] = Watched(spec, pid)

    def unwatch(self, changed: Watched) -> None:
        """Watch a node no longer, unless a turn has found it ready since that look."""
        with self._lock:
            if self._watched.get(changed.spec.instance_id) is changed:
                del self._watched[changed.spec.instance_id]

    def forget(self, instance_id: uuid.UUID) -> None:
        """Know nothing of the instance's node any more."""
        with self._lock:
            self._watched.pop(instance_id, None)
            self._down_since.pop(instance_id, None)
            self._deaf_since.pop(instance_id, None)

    def look(self, nodes: port.Nodes, silence_s: float) -> list[Watched]:
        """Nodes whose engine is not the one that was ready before.

        A process that is gone or another one counts at once, one that lives and does
        not answer after `silence_s`. They are told of at every look until `unwatch`.
        """
        with self._lock:
            watched = list(self._watched.values())
        if not watched:
            return []
        with futures.ThreadPoolExecutor(min(_AT_ONCE, len(watched)), "look") as pool:
            found = list(pool.map(lambda one: nodes.status(one.spec), watched))
        changed = []
        for one, seen in zip(watched, found, strict=True):
            down_s = self.saw(one.spec.instance_id, seen)
            if seen.pid != one.pid or (not seen.ready and down_s > silence_s):
                changed.append(one)
        return changed
