"""/v1/types/s3/instances/{instance}/users/{user}/access-keys"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from exordos_paas_storage.api import base, packer
from exordos_paas_storage.domain import expiry, rules
from exordos_paas_storage.models import access_key

_OVERLAP = rules.integer(0, expiry.MOST_OVERLAP_S)
_ROTATE = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "overlap_s": {
            **_OVERLAP.schema,
            "default": expiry.DEFAULT_OVERLAP_S,
            "description": "Seconds for which the old key still signs.",
        }
    },
}


class AccessKeyController(base.ResourceController):
    """/v1/types/s3/instances/{instance}/users/{user}/access-keys/"""

    __policy_name__ = "access_key"
    __resource__ = base.described(access_key.AccessKey)
    collection = "access_keys"
    by = "access_key"
    inside = "user_uuid"

    actions = ("rotate",)
    creating = ("rotate",)
    action_schemas = {"rotate": _ROTATE}

    def act_rotate(
        self, found: access_key.AccessKey, parent: Any, body: dict[str, Any]
    ) -> tuple[access_key.AccessKey, bool]:
        """Make the key that follows this one, which signs on until the overlap ends."""
        packer.refuse_fields(body, "overlap_s")
        overlap_s = body.get("overlap_s")
        if overlap_s is None:
            overlap_s = expiry.DEFAULT_OVERLAP_S
        _OVERLAP.check("overlap_s", overlap_s)
        return found.rotate(overlap_s), True

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
