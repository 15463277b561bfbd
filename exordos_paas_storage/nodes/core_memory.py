"""What the adapter on Core knows of a node and has nowhere else."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import threading
from dataclasses import dataclass, field

from exordos_paas_storage.nodes import port


@dataclass
class Known:
    """One node, since this process started; whoever has `lock` may change it.

    Attributes:
        digest: of the spec that Core was last seen to have made, see `digest_of`.
        checked_at: when that was.
        delivered: digest and Core's id of the machine whose files Core has.
        delivered_at: when that was seen.
        changed_at: when Core was last sent a change that restarts the machine.
        doubted_at: when the answer to a call that makes something was last missed.
        state: why the node is not settled, and since when for this reason.
    """

    lock: threading.Lock = field(default_factory=threading.Lock)
    digest: str = ""
    checked_at: float = -math.inf
    delivered: tuple[str, str | None] = ("", None)
    delivered_at: float = -math.inf
    changed_at: float = -math.inf
    doubted_at: float = -math.inf
    state: tuple[str, float] = ("", 0.0)

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
