"""/v1/types/s3/instances"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from restalchemy.dm import filters

from exordos_paas_storage.api import base, packer
from exordos_paas_storage.models import instance, node


class InstanceController(base.ResourceController):
    """/v1/types/s3/instances/"""

    __policy_name__ = "instance"
    __resource__ = base.described(instance.Instance)
    collection = "instances"
    inside = None

    def make(self, parent: Any, values: dict[str, Any]) -> Any:
        return instance.Instance(project_id=self.caller.project_id, **values)

    actions = ("suspend", "resume")

    def act_suspend(
        self, found: instance.Instance, parent: Any, body: dict[str, Any]
    ) -> tuple[instance.Instance, bool]:
        """Stop every key of the instance."""
        return self._suspended(found, body, True)

    def act_resume(
        self, found: instance.Instance, parent: Any, body: dict[str, Any]
    ) -> tuple[instance.Instance, bool]:
        """Let the keys act as before the instance was suspended."""
        return self._suspended(found, body, False)

    def _suspended(
        self, found: instance.Instance, body: dict[str, Any], suspended: bool
    ) -> tuple[instance.Instance, bool]:
        packer.refuse_fields(body)
        found.set_suspended(suspended)
        return found, False

    def complete(self, parent: Any, found: Iterable[Any]) -> None:
        by_id = {one.uuid: one for one in found}
        for one in by_id.values():
            one.placed = []
        nodes = node.Node.objects.get_all(
            filters={"instance": filters.In(list(by_id))}, order_by={"uuid": "asc"}
        )
        for each in nodes:
            by_id[each.instance].placed.append(each)
