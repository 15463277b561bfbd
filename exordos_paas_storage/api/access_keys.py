"""/v1/types/s3/instances/{instance}/users/{user}/access-keys"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from exordos_paas_storage.api import base
from exordos_paas_storage.models import access_key


class AccessKeyController(base.ResourceController):
    """/v1/types/s3/instances/{instance}/users/{user}/access-keys/"""

    __policy_name__ = "access_key"
    __resource__ = base.described(access_key.AccessKey)
    collection = "access_keys"
    by = "access_key"
    inside = "user_uuid"

    def make(self, parent: Any, values: dict[str, Any]) -> Any:
        secret = values.pop("secret_key")
        made = access_key.AccessKey(
            project_id=parent.project_id,
            instance=parent.instance,
            user_uuid=parent.uuid,
            **values,
        )
        made.secret_key = secret
        return made

    def complete(self, parent: Any, found: Iterable[Any]) -> None:
        for one in found:
            one.user = parent.name
