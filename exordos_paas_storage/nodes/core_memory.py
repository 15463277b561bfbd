"""What the adapter on Core knows of a node and has nowhere else."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import threading
from dataclasses import dataclass, field

from exordos_paas_storage.nodes import core_view, port


@dataclass
class Known:
    """One node, since this process started; whoever has `lock` may change it.

    Attributes:
        digest: of the spec that Core was last seen to have made, see `digest_of`.
        checked_at: when that was.
        delivered: digest and Core's id of the machine whose files Core has.
        delivered_at: when that was seen.
        changed_at: when Core was last sent a change that restarts the machine.
        seen_before: Core showed the set as done before that restart.
        seen_restart: the restart was seen.
        grown: Core was asked to grow the data disk, and does not tell when it has.
        doubted_at: when the answer to a call that makes something was last missed.
        state: why the node is not settled, and since when for this reason.
    """

    lock: threading.Lock = field(default_factory=threading.Lock)
    digest: str = ""
    checked_at: float = -math.inf
    delivered: tuple[str, str | None] = ("", None)
    delivered_at: float = -math.inf
    changed_at: float = -math.inf
    seen_before: bool = False
    seen_restart: bool = False
    grown: bool = False
    doubted_at: float = -math.inf
    state: tuple[str, float] = ("", 0.0)

    def changes(self, now: float) -> None:
        """Core is being sent a change that restarts the machine."""
        self.changed_at, self.seen_before, self.seen_restart = now, False, False

    def changed(self, active: bool, serves: bool, now: float) -> bool:
        """Whether the last such change is over, by what is seen now.

        Core shows the set as `IN_PROGRESS` at the change, as `ACTIVE` until its machine
        begins, and as `IN_PROGRESS` again: only that, or silence, is the restart.
        """
        if now - self.changed_at >= core_view.CHANGING_S:
            return True
        self.seen_restart |= not serves or (self.seen_before and not active)
        self.seen_before |= active
        return active and serves and self.seen_restart

    def waited_s(self, why: str, now: float) -> float:
        """For how long the node has been in this state; begins anew with another."""
        if self.state[0] != why:
            self.state = (why, now)
        return now - self.state[1]


def digest_of(spec: port.NodeSpec) -> str:
    """A digest of what Core is asked for; the address is Core's own and no part of it.

    It holds secrets of 40 random characters and more, and leaves this process never.
    """
    asked = {
        **dataclasses.asdict(spec),
        "host": None,
        "port": None,
        "served": None,
    }
    text = json.dumps(asked, default=str, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
