"""Buckets of an instance."""

from __future__ import annotations

from typing import Any

from restalchemy.dm import properties, types

from exordos_paas_storage.domain import access, errors
from exordos_paas_storage.models import child, columns


class Bucket(child.Child):
    """A bucket a user asked for; `status` says whether the engine holds it."""

    __tablename__ = "s3aas_buckets"
    resource = access.BUCKET

    name = properties.property(types.String(), required=True, read_only=True)
    # None: the instance's.
    versioning = properties.property(types.AllowNone(types.Boolean()), default=None)
    encryption = properties.property(types.AllowNone(types.String()), default=None)
    object_lock = properties.property(columns.JsonValue(), default=None)
    lifecycle = properties.property(columns.JsonValue(), default=None)
    cors = properties.property(columns.JsonValue(), default=None)
    tags = properties.property(columns.JsonValue(), default=dict)
    policy = properties.property(columns.JsonValue(), default=None)
    public = properties.property(types.Boolean(), default=False)
    # None: no limit.
    quota_bytes = properties.property(types.AllowNone(types.Integer()), default=None)

    def _before_delete(self, session: Any) -> None:
        row = session.execute(
            "SELECT bucket_name FROM s3aas_instances WHERE uuid = %s", (self.instance,)
        ).fetchone()
        if row["bucket_name"] == self.name:
            raise errors.DeletionProtected(
                "name", "is the instance's default bucket, which goes with the instance"
            )
