"""What the adapter on Core knows of a node and has nowhere else."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import math
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from exordos_paas_storage.nodes import core_view, port


@dataclass
class Restart:
    """What is seen of a machine's restart for other cores or memory.

    Attributes:
        asked_at: when Core was last sent such a change.
        seen_before: Core showed the set as done before the restart.
        seen: the restart was seen.
    """

    asked_at: float = -math.inf
    seen_before: bool = False
    seen: bool = False


@dataclass
class Known:
    """One node, since this process started; whoever has `lock` may change it.

    Attributes:
        digest: of the spec that Core was last seen to have made, see `digest_of`; at
            first of the one that the process before saw it make.
        checked_at: when that was.
        delivered: digest and Core's id of the machine whose files Core has.
        delivered_at: when that was seen.
        restart: the last one that Core was asked for.
        grown: Core was asked to grow the data disk, and does not tell when it has.
            None: not seen yet.
        doubted_at: when the answer to a call that makes something was last missed.
        state: why the node is not settled, and since when for this reason.
    """

    lock: threading.Lock = field(default_factory=threading.Lock)
    digest: str = ""
    checked_at: float = -math.inf
    delivered: tuple[str, str | None] = ("", None)
    delivered_at: float = -math.inf
    restart: Restart = field(default_factory=Restart)
    grown: bool | None = None
    doubted_at: float = -math.inf
    state: tuple[str, float] = ("", 0.0)

    def saw(self, view: core_view.View, spec: port.NodeSpec, now: float) -> None:
        """Note what the process before may have asked of Core and not seen the end of.

        A change is over for good once the instance worked with it. A generation that
        the instance has not come to is of a time before its database was restored.
        """
        self.grown = view.grown
        unseen = spec.observed_generation < view.resized_at <= spec.generation
        if unseen and self.restart.asked_at == -math.inf:
            self.restart = Restart(now)

    def changed(self, active: bool, serves: bool, now: float) -> bool:
        """Whether the last such change is over, by what is seen now.

        Core shows the set as `IN_PROGRESS` at the change, as `ACTIVE` until its machine
        begins, and as `IN_PROGRESS` again: only that, or silence, is the restart.
        """
        restart = self.restart
        if now - restart.asked_at >= core_view.CHANGING_S:
            return True
        restart.seen |= not serves or (restart.seen_before and not active)
        restart.seen_before |= active
        return active and serves and restart.seen

    def waited_s(self, why: str, now: float) -> float:
        """For how long the node has been in this state; begins anew with another."""
        if self.state[0] != why:
            self.state = (why, now)
        return now - self.state[1]


class Memory:
    """What is known of every node; safe to use from several threads.

    Args:
        clock: seconds, never stepping back.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._lock, self._began = threading.Lock(), clock()
        self._known: dict[uuid.UUID, Known] = {}

    @contextlib.contextmanager
    def of(self, spec: port.NodeSpec) -> Iterator[Known]:
        """What is known of one node, for one caller at a time."""
        with self._lock:
            known = self._known.get(spec.node_id)
            if known is None:
                known = self._known[spec.node_id] = self._fresh(spec)
        with known.lock:
            yield known

    def forget(self, node_id: uuid.UUID) -> None:
        """The node is removed."""
        with self._lock:
            self._known.pop(node_id, None)

    def _fresh(self, spec: port.NodeSpec) -> Known:
        # The process before may have died in a call that makes it; none is under way
        # for what has served.
        doubted_at = -math.inf if spec.served else self._began
        made = digest_of(spec) if spec.settled else ""
        return Known(digest=made, doubted_at=doubted_at)


def digest_of(spec: port.NodeSpec) -> str:
    """A digest of what Core is asked for, of a node whose machine was made.

    The address is Core's own, and the image that of the machine's birth. It holds
    secrets of 40 random characters and more, and leaves this process never.
    """
    asked = dataclasses.asdict(spec)
    for name in ("host", "port", "image", "generation", "observed_generation"):
        del asked[name]
    text = json.dumps(asked, default=str, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
