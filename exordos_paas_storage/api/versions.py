"""/v1/types/s3/versions"""

from __future__ import annotations

from typing import Any

from exordos_paas_storage.api import base
from exordos_paas_storage.models import version


class VersionController(base.ResourceController):
    """/v1/types/s3/versions/"""

    __policy_name__ = "version"
    __resource__ = base.described(version.Version)
    collection = "versions"
    inside = None

    def _inside(self, parent: Any) -> dict[str, Any]:
        return {}  # versions belong to no project
