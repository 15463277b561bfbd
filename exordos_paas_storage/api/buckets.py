"""/v1/types/s3/instances/{instance}/buckets"""

from __future__ import annotations

from typing import Any

import webob

from exordos_paas_storage.api import base
from exordos_paas_storage.domain import errors
from exordos_paas_storage.models import bucket

ON_NONEMPTY = ("fail", "wait", "empty", "retain")


class BucketController(base.ChildController):
    """/v1/types/s3/instances/{instance}/buckets/"""

    __policy_name__ = "bucket"
    __resource__ = base.described(bucket.Bucket)
    collection = "buckets"

    def _delete(self, name: str, parent: Any) -> webob.Response:
        asked = self.request.GET.get("on_nonempty", "fail")
        if asked not in ON_NONEMPTY:
            raise errors.InvalidQuery(
                "on_nonempty", f"must be one of {', '.join(ON_NONEMPTY)}"
            )
        if asked != "fail":
            raise errors.NotYetSupported("on_nonempty", "can only be fail yet")
        return super()._delete(name, parent)
