"""Users of an instance."""

from __future__ import annotations

from typing import Any

from restalchemy.dm import properties, types

from exordos_paas_storage.domain import access, errors, status
from exordos_paas_storage.models import access_key, attachment, child

_UNTOUCHED: Any = object()


class User(child.Child):
    """A user a tenant asked for; keys act with the user's rights."""

    __tablename__ = "s3aas_users"
    resource = access.USER
    # User names and key ids share one namespace on an engine.
    shares_instance = False

    name = properties.property(types.String(), required=True, read_only=True)
    description = properties.property(types.String(), default="")
    enabled = properties.property(types.Boolean(), default=True)
    # Whether the instance's default_user_policies hold for the user.
    inherits_policies = properties.property(types.Boolean(), default=True)

    _wanted: list[str] | None = _UNTOUCHED
    # A page of users reads its attachments at once and leaves the names here.
    attached: list[str] | None = None

    @property
    def policies(self) -> list[str] | None:
        """Names of the attached policies; `None`: the instance's defaults hold."""
        if self._wanted is not _UNTOUCHED:
            return self._wanted
        if self.inherits_policies:
            return None
        if self.attached is None:
            self.attached = attachment.names_of([self.uuid]).get(self.uuid, [])
        return self.attached

    @policies.setter
    def policies(self, names: list[str] | None) -> None:
        self._wanted = names

    def _changed(self) -> set[str]:
        dirty = super()._changed()
        return dirty if self._wanted is _UNTOUCHED else dirty | {"policies"}

    def _before_insert(self, session: Any) -> None:
        super()._before_insert(session)
        if self._wanted is _UNTOUCHED:
            self._wanted = None
        access.check(self.resource, "policies", self._wanted)
        self.inherits_policies = self._wanted is None
        if self.named_on_engine(session, self.name):
            raise errors.NameTaken("name", "is taken by a user or an access key")

    def _after_insert(self, session: Any) -> None:
        attachment.replace(session, self, self._wanted or [])
        self._settle()

    def _write(self, session: Any, changed: set[str]) -> None:
        super()._write(session, changed)
        if "policies" in changed:
            session.execute(
                "UPDATE s3aas_users SET inherits_policies = %s WHERE uuid = %s",
                (self._wanted is None, self.uuid),
            )
            attachment.replace(session, self, self._wanted or [])
            self._settle()

    def _settle(self) -> None:
        self._wanted, self.attached = _UNTOUCHED, None

    def _after_delete(self, session: Any) -> None:
        for model in (access_key.AccessKey, attachment.Attachment):
            model.queue(
                session,
                "user_uuid = %s AND status <> 'DELETING'",
                (self.uuid,),
                status.DELETING,
            )
