"""The Node port: what runs an instance's engine, whatever the host is."""

from __future__ import annotations

import uuid
from collections.abc import Set
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

READY = "Ready"
STARTING = "Starting"
NOT_ANSWERING = "NotAnswering"
STOPPED = "Stopped"
CRASHED = "Crashed"
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
class NodeSpec:
    """One wanted node; `host` and `port` are where its engine is reached."""

    node_id: uuid.UUID
    instance_id: uuid.UUID
    engine: str
    engine_version: str
    host: str
    port: int
    secrets: NodeSecrets = field(repr=False)


@dataclass(frozen=True)
class NodeStatus:
    """What was seen of a node.

    Attributes:
        running: whether its process lives.
        ready: whether it will serve requests.
        reason: CamelCase, one of this module's constants.
        message: a sentence for the instance's owner and the operator.
        pid: of the process, where it lives.
    """

    running: bool
    ready: bool
    reason: str
    message: str = ""
    pid: int | None = None


class Nodes(Protocol):
    """Every method is idempotent; trouble with one node is its status, not a raise."""

    def ensure(self, spec: NodeSpec) -> NodeStatus:
        """Adopt the node's running engine or start it; called again, restart it."""
        ...

    def status(self, spec: NodeSpec) -> NodeStatus:
        """What is seen of the node now; starts nothing."""
        ...

    def stop(self, spec: NodeSpec) -> None:
        """Stop the engine and keep its data."""
        ...

    def remove(self, spec: NodeSpec) -> None:
        """Stop the engine and delete all its data.

        Raises:
            SetupError: something could not be deleted.
        """
        ...

    def locate(self, taken: Set[Endpoint]) -> Endpoint:
        """Where a new node will serve; not in `taken`, which other nodes have.

        Raises:
            SetupError: there is no place left.
        """
        ...
