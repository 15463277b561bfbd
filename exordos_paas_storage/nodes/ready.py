"""Whether the engine on a node says that it serves."""

from __future__ import annotations

import http.client

from exordos_paas_storage.domain import capabilities
from exordos_paas_storage.nodes.port import NOT_ANSWERING, READY, NodeSpec, NodeStatus

ASK_S = 1.0


def answers(spec: NodeSpec) -> bool:
    """Whether the engine on the node's port says that it serves."""
    path = capabilities.of(spec.engine, spec.engine_version).ready_path
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(spec.host, spec.host)  # noqa: S104
    connection = http.client.HTTPConnection(host, spec.port, timeout=ASK_S)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def status(spec: NodeSpec) -> NodeStatus:
    """What the engine itself says; its host is not asked."""
    if answers(spec):
        return NodeStatus(True, True, READY)
    said = f"nothing says at {spec.host}:{spec.port} that it is ready"
    return NodeStatus(False, False, NOT_ANSWERING, said)
