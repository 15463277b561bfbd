"""Base of what lies in an instance."""

from __future__ import annotations

from typing import Any

from restalchemy.dm import properties, types

from exordos_paas_storage.domain import errors, status
from exordos_paas_storage.models import base


class Child(base.Asked):
    """Base of what lies in an instance: the instance is locked while it is added.

    The lock is shared, so that children are added side by side, unless the model says
    that its names are compared with those of another table.
    """

    shares_instance: bool = True

    instance = properties.property(types.UUID(), required=True, read_only=True)

    def _before_insert(self, session: Any) -> None:
        self.lock_first(session)

    def lock_first(self, session: Any) -> None:
        """Lock the instance before every other row, so that no writers wait in a ring.

        Raises:
            NotFound: the instance is gone.
            BeingDeleted: it is being deleted, and this goes with it.
        """
        lock = "SHARE" if self.shares_instance else "NO KEY UPDATE"
        row = session.execute(
            f"SELECT status FROM s3aas_instances WHERE uuid = %s FOR {lock}",  # noqa: S608
            (self.instance,),
        ).fetchone()
        if row is None:
            raise errors.NotFound("instance", "is gone")
        if row["status"] == status.DELETING:
            raise errors.BeingDeleted("instance", "is being deleted")

    def named_on_engine(self, session: Any, name: str | None) -> bool:
        """Whether a user, an access key or the root of the instance has this name.

        On an engine they share one namespace.
        """
        return bool(
            session.execute(
                """
                SELECT 1 FROM s3aas_users
                    WHERE instance = %(instance)s AND name = %(name)s
                UNION ALL SELECT 1 FROM s3aas_access_keys
                    WHERE instance = %(instance)s AND access_key = %(name)s
                UNION ALL SELECT 1 FROM s3aas_nodes
                    WHERE instance = %(instance)s AND root_access_key = %(name)s
                """,
                {"instance": self.instance, "name": name},
            ).fetchone()
        )
