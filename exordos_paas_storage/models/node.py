"""Nodes: where an instance's engine runs, with the secrets it starts from."""

from __future__ import annotations

import base64
import secrets as random
import string
import uuid
from typing import Any

from restalchemy.dm import models, properties, types
from restalchemy.storage.sql import orm

from exordos_paas_storage.domain.state import Credentials
from exordos_paas_storage.models import secrets

_ALPHABET = string.ascii_uppercase + string.digits
SEALED = ("root_secret", "sse_master_key", "iam_master_key")


def random_text(alphabet: str, length: int) -> str:
    """`length` characters drawn from `alphabet` by the system's random source."""
    return "".join(random.choice(alphabet) for _ in range(length))


class Node(models.ModelWithUUID, models.ModelWithProject, orm.SQLStorableMixin):
    """One engine process (one box) or VM (the platform) of an instance.

    Written when the instance is, and from then on by the reconciler alone; no client
    sets anything of it.
    """

    __tablename__ = "s3aas_nodes"

    instance = properties.property(types.UUID(), required=True, read_only=True)
    host = properties.property(types.AllowNone(types.String(max_length=255)))
    # None until the node is placed.
    port = properties.property(types.AllowNone(types.Integer(1, 65535)))
    state = properties.property(types.String(max_length=32), default="Unplaced")
    status = properties.property(types.String(max_length=16), default="PENDING")
    root_access_key = properties.property(types.String(max_length=64), required=True)
    root_secret = properties.property(types.String(), required=True)
    sse_master_key = properties.property(types.String(), required=True)
    iam_master_key = properties.property(types.String(), required=True)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.uuid}>"

    __str__ = __repr__

    @classmethod
    def made_for(cls, instance: uuid.UUID, project: uuid.UUID) -> Node:
        """A new node with secrets of its own, not stored yet."""
        node = uuid.uuid4()
        fresh = {
            "root_secret": random_text(string.ascii_letters + string.digits, 40),
            "sse_master_key": base64.b64encode(random.token_bytes(32)).decode(),
            "iam_master_key": base64.b64encode(random.token_bytes(32)).decode(),
        }
        sealed = {
            column: secrets.seal(cls.__tablename__, node, column, value)
            for column, value in fresh.items()
        }
        return cls(
            uuid=node,
            project_id=project,
            instance=instance,
            root_access_key="ROOT" + random_text(_ALPHABET, 16),
            **sealed,
        )

    def opened(self) -> dict[str, str]:
        """The node's secrets in clear, by column."""
        return {
            column: secrets.opened(
                self.__tablename__, self.uuid, column, getattr(self, column)
            )
            for column in SEALED
        }

    def root(self) -> Credentials:
        """The engine's root key pair."""
        return Credentials(self.root_access_key, self.opened()["root_secret"])

    def shown(self) -> dict[str, Any]:
        """The node as a tenant sees it."""
        return {
            "id": str(self.uuid),
            "ip": self.host,
            "port": self.port,
            "state": self.state,
        }
