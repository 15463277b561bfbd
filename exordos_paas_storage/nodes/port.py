"""The Node port: what runs an instance's engine, whatever the host is."""

from __future__ import annotations

import uuid
from collections.abc import Set
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from exordos_paas_storage.domain import errors

READY = "Ready"
STARTING = "Starting"
NOT_ANSWERING = "NotAnswering"
STOPPED = "Stopped"
CRASHED = "Crashed"
NODE_PENDING = "NodePending"
NODE_LOST = "NodeLost"
HOST_UNAVAILABLE = "HostUnavailable"
HOST_REFUSED = "HostRefused"
GROWTH_NOT_TOLD = "GrowthNotTold"
BINARY_MISSING = "BinaryMissing"
PORT_TAKEN = "PortTaken"
START_FAILED = "StartFailed"


class Endpoint(NamedTuple):
    """Where a node's engine is reached from here."""

    host: str
    port: int


@dataclass(frozen=True)
class NodeSecrets:
    """What an engine must know and nobody else; each is kept for its data's life.

    Attributes:
        access_key: root's key id.
        secret_key: root's secret, 40 characters.
        sse_master_key: base64 of 32 bytes; losing it loses encrypted objects.
        iam_master_key: base64 of 32 bytes; losing it loses users and keys.
    """

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    sse_master_key: str = field(repr=False)
    iam_master_key: str = field(repr=False)


@dataclass(frozen=True)
class Sizes:
    """What a node is to have of its own: cores, MiB of memory, GiB for objects."""

    cores: int
    ram_mib: int
    disk_gib: int


@dataclass(frozen=True)
class NodeSpec:
    """One wanted node; `host` and `port` are where its engine is reached.

    Attributes:
        host: empty until the node has an address.
        port: 0 until the node is placed.
        sizes: None where the host does not bind them.
        image: what the node boots from, as its host names it.
        generation: of the instance, whose sizes these are.
        observed_generation: the last one that the instance worked with; 0 before.
    """

    node_id: uuid.UUID
    instance_id: uuid.UUID
    engine: str
    engine_version: str
    host: str
    port: int
    secrets: NodeSecrets = field(repr=False)
    sizes: Sizes | None = None
    image: str | None = None
    generation: int = 1
    observed_generation: int = 0

    @property
    def served(self) -> bool:
        """Whether the instance worked before, so that objects may lie there."""
        return self.observed_generation > 0

    @property
    def settled(self) -> bool:
        """Whether the instance worked with all that is wanted of it now."""
        return self.observed_generation >= self.generation

    @property
    def endpoint(self) -> Endpoint:
        """Where the engine is reached, as far as it is known."""
        return Endpoint(self.host, self.port)


@dataclass(frozen=True)
class NodeStatus:
    """What was seen of a node.

    Attributes:
        running: whether its process or machine lives, as far as its host knows.
        ready: whether it will serve requests.
        reason: CamelCase, one of this module's constants.
        message: a sentence for the instance's owner and the operator.
        pid: of the process, where it lives.
        endpoint: where the host says the engine is; None: where the spec has it.
        at_work: the host brings the node up, so its silence is no failure yet.
        unsettled: what the host has not made of the spec, while the engine serves.
        refused: the host will not make it; somebody has to act.
        not_told: what the host took on and never tells the end of; not waited for.
            None: it was not asked, and what was known of it holds.
        again_s: when the host wants to be asked again; None: the caller's choice.
    """

    running: bool
    ready: bool
    reason: str
    message: str = ""
    pid: int | None = None
    endpoint: Endpoint | None = None
    at_work: bool = False
    unsettled: str = ""
    refused: bool = False
    not_told: str | None = ""
    again_s: float | None = None


class NotYet(errors.StorageError):
    """Nobody: the host is not done, or can't be asked; the queue comes back."""


class Nodes(Protocol):
    """Every method is idempotent; trouble with one node is its status, not a raise.

    Attributes:
        places: whether this side chooses where a node serves, by `locate`; else the
            host does, and says it with the status.
    """

    places: bool = True

    def ensure(self, spec: NodeSpec) -> NodeStatus:
        """Adopt the node's running engine or start it; called again, restart it.

        An address that the host gave comes with the status.
        """
        ...

    def status(self, spec: NodeSpec) -> NodeStatus:
        """What is seen of the node now; starts nothing."""
        ...

    def stop(self, spec: NodeSpec) -> None:
        """Stop the engine and keep its data, where the host can do that."""
        ...

    def remove(self, spec: NodeSpec) -> None:
        """Stop the engine and delete all its data.

        Raises:
            SetupError: something could not be deleted.
            NotYet: the host is still at it; nothing waits for that here.
        """
        ...

    def locate(self, taken: Set[Endpoint]) -> Endpoint:
        """Where a new node will serve; not in `taken`, which other nodes have.

        Raises:
            SetupError: there is no place left, or the host chooses it.
        """
        ...
