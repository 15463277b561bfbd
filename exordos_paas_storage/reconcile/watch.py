"""Watching the engines: a change between two looks sends their instance to its turn."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable

from exordos_paas_storage.nodes import port


class Health:
    """What is known of each engine since this process started.

    Args:
        clock: seconds, never stepping back.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._specs: dict[uuid.UUID, port.NodeSpec] = {}
        self._pids: dict[uuid.UUID, int | None] = {}
        self._down_since: dict[uuid.UUID, float] = {}

    def saw(self, instance_id: uuid.UUID, seen: port.NodeStatus) -> float:
        """Note what was seen; for how many seconds the engine has not been ready."""
        now = self._clock()
        with self._lock:
            if seen.ready:
                self._down_since.pop(instance_id, None)
                self._pids[instance_id] = seen.pid
                return 0.0
            return now - self._down_since.setdefault(instance_id, now)

    def know(self, instance_id: uuid.UUID, spec: port.NodeSpec) -> None:
        """Watch this node from now on."""
        with self._lock:
            self._specs[instance_id] = spec

    def forget(self, instance_id: uuid.UUID) -> None:
        """Watch the instance's node no longer."""
        with self._lock:
            for known in (self._specs, self._pids, self._down_since):
                known.pop(instance_id, None)

    def look(self, nodes: port.Nodes, silence_s: float) -> list[uuid.UUID]:
        """Instances whose engine is not the one that was ready before.

        A process that is gone or another one counts at once, one that lives and does
        not answer after `silence_s`.
        """
        with self._lock:
            watched = list(self._specs.items())
        changed = []
        for instance_id, spec in watched:
            before = self._pids.get(instance_id)
            seen = nodes.status(spec)
            down_s = self.saw(instance_id, seen)
            another = seen.pid != before
            if another or (not seen.ready and down_s > silence_s):
                changed.append(instance_id)
        for instance_id in changed:
            with self._lock:
                # Its turn says when it is ready, and to be watched, again.
                self._specs.pop(instance_id, None)
        return changed
