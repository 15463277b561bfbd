"""The Node port over engines that somebody else starts: their addresses are given.

A machine booted from the node image is one, with the files that `image.files` renders.
Nothing here starts, stops or empties anything: who gave the address does that.
"""

from __future__ import annotations

from collections.abc import Sequence, Set

from exordos_paas_storage.domain import errors
from exordos_paas_storage.nodes import port, ready


class StaticNodes:
    """Engines at fixed addresses, each for one instance.

    The credentials of a node are those of its spec: the engine there must have been
    configured with them.

    Args:
        endpoints: where engines are reached, in the order in which they are taken.
    """

    places = True

    def __init__(self, endpoints: Sequence[port.Endpoint]) -> None:
        self._endpoints = tuple(endpoints)

    def ensure(self, spec: port.NodeSpec) -> port.NodeStatus:
        """As `status`: there is nothing that this host could start."""
        return self.status(spec)

    def status(self, spec: port.NodeSpec) -> port.NodeStatus:
        """Whether the engine there says that it serves."""
        return ready.status(spec)

    def stop(self, spec: port.NodeSpec) -> None:
        """The engine goes on: it is not this service's to stop."""

    def remove(self, spec: port.NodeSpec) -> None:
        """Engine and data stay as they are, with whoever gave the address."""

    def locate(self, taken: Set[port.Endpoint]) -> port.Endpoint:
        """The first address that no other node has."""
        for endpoint in self._endpoints:
            if endpoint not in taken:
                return endpoint
        raise errors.SetupError(
            f"all {len(self._endpoints)} nodes that were given are taken: give one more"
        )
