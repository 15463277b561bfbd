"""/v1/types/s3/instances/{instance}/users/{user}/policies"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from exordos_paas_storage.api import base
from exordos_paas_storage.models import attachment
from exordos_paas_storage.models import base as models


class AttachmentController(base.ResourceController):
    """/v1/types/s3/instances/{instance}/users/{user}/policies/"""

    __policy_name__ = "attachment"
    __resource__ = base.described(attachment.Attachment)
    collection = "policies"
    by = "policy"
    inside = "user_uuid"

    def make(self, parent: Any, values: dict[str, Any]) -> Any:
        return values["policy"]

    def store(self, parent: Any, made: Any) -> Any:
        with models.transaction() as session:
            return attachment.attach(session, parent, made)

    def complete(self, parent: Any, found: Iterable[Any]) -> None:
        attachment.name(list(found), parent)

    def find(self, name: str, parent: Any) -> Any:
        found = None
        if "\0" not in name:
            with models.transaction() as session:
                found = attachment.one(session, parent, name)
        if found is None:
            raise self._unknown()
        return found
