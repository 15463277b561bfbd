"""What an instance's conditions say of its node, its engine and its data."""

from __future__ import annotations

from exordos_paas_storage.domain import status
from exordos_paas_storage.models import instance
from exordos_paas_storage.nodes import port

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
# Lost buckets that are named; there may be thousands.
_NAMED = 10


def of_silent(
    owner: instance.Instance,
    seen: port.NodeStatus,
    settled: bool,
    sizes_enforced: bool,
    at: str,
) -> list[status.Condition]:
    """The conditions of an instance whose engine does not say that it serves.

    Args:
        settled: the instance worked with all that is wanted of it now.
        sizes_enforced: whether cpu, ram and disk_size bind the node.
        at: the time, as `status.stamp` gives it.
    """
    why = (seen.reason, seen.message, at)
    said = status.with_condition(
        owner.conditions, status.ENGINE_READY, status.FALSE, *why
    )
    known = _OF_THE_NODE.get(seen.reason)
    if known and seen.pid is None:
        said = status.with_condition(said, status.NODES_READY, known, *why)
    if sizes_enforced and (known == status.FALSE or not settled):
        said = status.with_condition(said, status.SIZES_ENFORCED, status.UNKNOWN, *why)
    return said


def of_ready(
    owner: instance.Instance,
    seen: port.NodeStatus,
    sizes_enforced: bool,
    at: str,
    unanswered: str = "",
) -> list[status.Condition]:
    """The conditions of an instance whose engine says that it serves.

    Args:
        unanswered: why it does not serve all the same.
    """
    engine = (status.TRUE, port.READY, "the engine answers and holds the guard")
    if unanswered:
        engine = (status.FALSE, port.NOT_ANSWERING, unanswered)
    node = (status.TRUE, port.READY, "the node serves")
    conditions = status.with_condition(
        owner.conditions, status.ENGINE_READY, *engine, at
    )
    conditions = status.with_condition(conditions, status.NODES_READY, *node, at)
    sizes = _sizes(seen, sizes_enforced)
    if sizes is None:
        return conditions
    return status.with_condition(conditions, status.SIZES_ENFORCED, *sizes, at)


def _sizes(seen: port.NodeStatus, enforced: bool) -> tuple[str, str, str] | None:
    """Status, reason and message of `SizesEnforced`; None where they stay."""
    if not enforced:
        said = "on one box cpu, ram and disk_size are recorded and bind nothing"
        return status.FALSE, "LocalNode", said
    if seen.unsettled:
        why = port.HOST_REFUSED if seen.refused else port.NODE_PENDING
        return status.UNKNOWN, why, seen.unsettled
    if seen.not_told is None:
        return None
    if seen.not_told:
        return status.UNKNOWN, port.GROWTH_NOT_TOLD, seen.not_told
    said = "the node has the cores, memory and disk that were asked for"
    return status.TRUE, "OwnMachine", said


def with_lost(
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
