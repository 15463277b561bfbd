"""What Exordos Core shows of one node, and what that means for its instance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from exordos_paas_storage.nodes import core_bodies, port

ACTIVE, ERROR = core_bodies.ACTIVE, core_bodies.ERROR

# How long an instance is waited for without being called failed. A first node is
# scheduled, its image written and booted; nothing tells how far that is.
PENDING_S = 1800.0
STARTING_S = 300.0
# How long after other cores or memory were asked for the machine may be restarting.
CHANGING_S = 600.0
# A first node that takes longer is pointed at: its image may be one Core has not.
SEE_S = 60.0
# The host is asked at this pace while nothing moves.
AGAIN_FIRST_S, AGAIN_MOST_S = 1.0, 10.0


@dataclass(frozen=True)
class View:
    """One node set as Core shows it.

    Attributes:
        status: Core's word; empty where there is no set.
        node: Core's id of the machine, None until there is one.
        address: IPv4, None until it has one.
        grown: its data disk was asked to grow after the machine was made.
        resized_at: the instance's generation at the last change of cores or memory.
    """

    status: str
    node: str | None = None
    address: str | None = None
    grown: bool = False
    resized_at: int = 0

    @property
    def active(self) -> bool:
        """Whether Core has the machine running, with an address."""
        return self.status == ACTIVE and self.address is not None


MISSING = View("")
# What is said of a node that serves: after other cores or memory, and of a grown one.
DELIVERING = "Core is being given the node's files"
CHANGING = "the machine has not been seen to restart for its sizes yet"
GROWTH = "Core was asked to grow the disk, and does not tell when it has"


def growth(grown: bool | None) -> str | None:
    """What Core does not tell of the disk; None where it was not asked."""
    return None if grown is None else GROWTH * grown


def read(shown: dict[str, Any]) -> View:
    """The view of a node set of one node.

    Core fills `nodes` with `{node: {"ipv4": address}}`, the address once it is given.
    Source: exordos_core 0.3.5, `compute/builders/node_set.py`, `actualize_infra`.
    """
    nodes = shown.get("nodes") or {}
    node, facts = next(iter(nodes.items()), (None, None))
    return View(
        str(shown.get("status", "")),
        node,
        (facts or {}).get("ipv4"),
        core_bodies.is_grown(shown),
        core_bodies.resized_at(shown),
    )


def silent(view: View, served: bool, changing: bool) -> tuple[str, str, float]:
    """What it means that the engine does not answer.

    Args:
        served: the instance worked before.
        changing: Core may be at work on a change of ours that restarts the machine.

    Returns:
        The reason, a message, and for how many seconds it is no failure yet.
    """
    said = f"Core has the node set as {view.status}"
    if view is MISSING:
        return port.NODE_LOST, "Core has no node set for the instance any more", 0.0
    if view.status == ERROR:
        reason = port.NODE_LOST if served else port.NODE_PENDING
        return reason, f"{said}; see the node there", 0.0
    if not view.active and (changing or not served):
        return port.NODE_PENDING, said, PENDING_S
    if not view.active:
        lost = view.node is None
        doing = "no machine of it any more" if lost else "is at work on its machine"
        reason = port.NODE_LOST if lost else port.NODE_PENDING
        return reason, f"{said}, and {doing}", 0.0
    at = f"nothing says at {view.address} that it is ready"
    if served and not changing:
        return port.NOT_ANSWERING, f"{said}, but {at}", 0.0
    return port.STARTING, f"the machine runs; {at} yet", STARTING_S


def pace_s(waited_s: float) -> float:
    """Seconds until Core is asked again, after so long."""
    return min(AGAIN_MOST_S, AGAIN_FIRST_S + waited_s / 20.0)
