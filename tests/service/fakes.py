"""Engines and nodes whose behaviour the test sets."""

from __future__ import annotations

import collections
import functools
import threading
import uuid
from collections.abc import Callable
from typing import Any

from exordos_paas_storage.domain import capabilities
from exordos_paas_storage.engine import memory
from exordos_paas_storage.engine import port as engine_port
from exordos_paas_storage.nodes import port

_METHODS = [
    name
    for name, value in vars(engine_port.Engine).items()
    if callable(value) and not name.startswith("_")
]


class Spied(memory.MemoryEngine):
    """A memory engine that tells what it was asked and does what `on` says first.

    `on[method]` is called with the method's arguments, and may block or raise; what it
    returns, unless it is `None`, is the method's answer.
    """

    def __init__(self, engine: str) -> None:
        super().__init__(capabilities.of(engine, ""))
        self.on: dict[str, Callable[..., Any]] = {}
        self.calls: list[tuple[Any, ...]] = []
        self.running, self.most = 0, 0
        self._counting = threading.Lock()

    def policies_of(self, user: str) -> frozenset[str] | None:
        found = self._users.get(user)
        return found.policies if found else None


def _spied(name: str) -> Callable[..., Any]:
    real = getattr(memory.MemoryEngine, name)

    @functools.wraps(real)
    def method(self: Spied, *args: Any) -> Any:
        with self._counting:
            self.calls.append((name, *args))
            self.running += 1
            self.most = max(self.most, self.running)
        try:
            said = self.on[name](*args) if name in self.on else None
            return real(self, *args) if said is None else said
        finally:
            with self._counting:
                self.running -= 1

    return method


for _name in _METHODS:
    setattr(Spied, _name, _spied(_name))


class Nodes(port.Nodes):
    """Nodes that are ready at once, unless the test sets another state."""

    def __init__(self) -> None:
        self.states: dict[uuid.UUID, port.NodeStatus] = {}
        self.default: port.NodeStatus | None = None
        self.ensured: collections.Counter[uuid.UUID] = collections.Counter()
        self.removed: list[uuid.UUID] = []
        self.specs: dict[uuid.UUID, port.NodeSpec] = {}
        self.on_remove: Callable[[port.NodeSpec], None] = lambda spec: None

    def set(self, instance: str, status: port.NodeStatus) -> None:
        self.states[uuid.UUID(instance)] = status

    def ensure(self, spec: port.NodeSpec) -> port.NodeStatus:
        self.ensured[spec.instance_id] += 1
        self.specs[spec.instance_id] = spec
        return self.status(spec)

    def status(self, spec: port.NodeSpec) -> port.NodeStatus:
        return self.states.get(spec.instance_id) or self.default or ready()

    def stop(self, spec: port.NodeSpec) -> None:
        self.states[spec.instance_id] = down(port.STOPPED)

    def remove(self, spec: port.NodeSpec) -> None:
        self.on_remove(spec)
        self.removed.append(spec.instance_id)

    def locate(self, taken: Any) -> port.Endpoint:
        every = (port.Endpoint("127.0.0.1", n) for n in range(9000, 65536))
        return next(one for one in every if one not in taken)


def ready(pid: int = 100) -> port.NodeStatus:
    return port.NodeStatus(True, True, port.READY, "", pid)


def down(reason: str, message: str = "it is down", pid: int | None = None) -> Any:
    return port.NodeStatus(pid is not None, False, reason, message, pid)


class World:
    """The engines that a reconciler connects to, by URL; they outlive it."""

    def __init__(self) -> None:
        self.nodes = Nodes()
        self.engines: dict[str, Spied] = {}
        # What a test wants of every engine before it is first asked.
        self.prepare: Callable[[Spied], None] = lambda engine: None
        self._lock = threading.Lock()

    def connect(self, engine: str, version: str, url: str, root: Any) -> Spied:
        with self._lock:
            if url not in self.engines:
                self.engines[url] = Spied(engine)
                self.prepare(self.engines[url])
            return self.engines[url]

    @property
    def only(self) -> Spied:
        (found,) = self.engines.values()
        return found
