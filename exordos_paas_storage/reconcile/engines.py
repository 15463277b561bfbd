"""Connections to the engines: one for each instance, kept while its address holds."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable

from restalchemy.dm import filters

from exordos_paas_storage.domain import state
from exordos_paas_storage.engine import connect, port
from exordos_paas_storage.models import instance, node

Connect = Callable[[str, str, str, state.Credentials], port.Engine]


class Engines:
    """The engine of each instance, connected once and shared by the workers.

    Args:
        connect: makes an adapter of an engine's name, version, URL and root key.
    """

    def __init__(self, connect: Connect = connect.connect) -> None:
        self._connect = connect
        self._lock = threading.Lock()
        self._known: dict[uuid.UUID, tuple[str, port.Engine]] = {}

    def of(self, instance_id: uuid.UUID) -> port.Engine:
        """The engine of an instance whose node is placed."""
        with self._lock:
            if instance_id in self._known:
                return self._known[instance_id][1]
        chosen = {"instance": filters.EQ(instance_id)}
        placed = node.Node.objects.get_one(filters=chosen)
        owner = instance.Instance.objects.get_one(
            filters={"uuid": filters.EQ(instance_id)}
        )
        url = f"http://{placed.host}:{placed.port}"
        return self.at(owner, url, placed.root())

    def at(
        self, owner: instance.Instance, url: str, root: state.Credentials
    ) -> port.Engine:
        """The engine of `owner` at `url`; a new connection where the address moved."""
        with self._lock:
            known = self._known.get(owner.uuid)
            if known is None or known[0] != url:
                made = self._connect(owner.engine, owner.engine_version, url, root)
                known = self._known[owner.uuid] = (url, made)
        return known[1]

    def forget(self, instance_id: uuid.UUID) -> None:
        """Drop the connection of an instance that is gone."""
        with self._lock:
            self._known.pop(instance_id, None)
