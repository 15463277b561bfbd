"""Access keys: key pairs that act with their user's rights."""

from __future__ import annotations

import string
from typing import Any

from restalchemy.dm import properties, types

from exordos_paas_storage.domain import access, errors
from exordos_paas_storage.models import child, columns, node, secrets

_ID = string.ascii_uppercase + string.digits
_SECRET = string.ascii_letters + string.digits


class AccessKey(child.Child):
    """A key pair of a user; its secret is shown once and lies here sealed."""

    __tablename__ = "s3aas_access_keys"
    resource = access.ACCESS_KEY
    # User names and key ids share one namespace on an engine.
    shares_instance = False
    unique_field = "access_key"
    taken = errors.AccessKeyTaken

    user_uuid = properties.property(types.UUID(), required=True, read_only=True)
    access_key = properties.property(
        types.AllowNone(types.String()), default=lambda: node.random_text(_ID, 20)
    )
    # Sealed.
    secret = properties.property(types.AllowNone(types.String()), default=None)
    description = properties.property(types.String(), default="")
    enabled = properties.property(types.Boolean(), default=True)
    expires_at = properties.property(
        types.AllowNone(types.UTCDateTimeZ()), default=None
    )
    scope = properties.property(columns.JsonValue(), default=None)
    rotated_from = properties.property(types.AllowNone(types.String()), default=None)
    rotated_to = properties.property(types.AllowNone(types.String()), default=None)

    # The secret in clear, in the process and the moment that made the key.
    secret_key: str | None = None
    # The user's name, as the API shows it.
    user: str | None = None

    def opened(self) -> str:
        """The secret in clear."""
        return secrets.opened(self.__tablename__, self.uuid, "secret", self.secret)

    def _before_insert(self, session: Any) -> None:
        super()._before_insert(session)
        access.check(self.resource, "secret_key", self.secret_key)
        self.access_key = self.access_key or node.random_text(_ID, 20)
        self.secret_key = self.secret_key or node.random_text(_SECRET, 40)
        self.secret = secrets.seal(
            self.__tablename__, self.uuid, "secret", self.secret_key
        )
        self._refuse_deleted_user(session)
        if self.named_on_engine(session, self.access_key):
            raise errors.AccessKeyTaken("access_key", "is taken")

    def _refuse_deleted_user(self, session: Any) -> None:
        row = session.execute(
            "SELECT status FROM s3aas_users WHERE uuid = %s FOR SHARE",
            (self.user_uuid,),
        ).fetchone()
        if row is None or row["status"] == "DELETING":
            raise errors.BeingDeleted("user", "is being deleted")
