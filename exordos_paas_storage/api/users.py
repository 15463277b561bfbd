"""/v1/types/s3/instances/{instance}/users"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from exordos_paas_storage.api import base
from exordos_paas_storage.models import attachment, user


class UserController(base.ChildController):
    """/v1/types/s3/instances/{instance}/users/"""

    __policy_name__ = "user"
    __resource__ = base.described(user.User)
    collection = "users"

    def complete(self, parent: Any, found: Iterable[Any]) -> None:
        own = [one for one in found if not one.inherits_policies]
        names = attachment.names_of([one.uuid for one in own]) if own else {}
        for one in own:
            one.attached = names.get(one.uuid, [])
