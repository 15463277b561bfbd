"""Versions as manifests declare them: the platform's side writes what tenants read."""

from __future__ import annotations

from typing import Any

from exordos_paas_storage.domain import access, capabilities, errors, rules
from exordos_paas_storage.models import base, version
from exordos_paas_storage.plugin import declared

_ONCE = (access.SET_ONCE,) * 3
_WRITE = (access.WRITE,) * 3

# Silent: no engine hears of a version, so it is `ACTIVE` at once and stays so.
RESOURCE = access.Resource(
    access.VERSION.name,
    access.VERSION.collection,
    {
        **access.VERSION.fields,
        "labels": access.Field(rules.LABELS, _WRITE, default={}, silent=True),
        "name": access.Field(rules.text(255, 1), _ONCE, required=True, silent=True),
        "engine": access.Field(
            rules.choice(*capabilities.ENGINES), _ONCE, required=True, silent=True
        ),
        "engine_version": access.Field(
            rules.text(64, 1), _WRITE, required=True, silent=True
        ),
        "image": access.Field(rules.nullable(rules.text(255, 1)), _WRITE, silent=True),
        "default": access.Field(rules.boolean(), _WRITE, False, silent=True),
        "deprecated": access.Field(rules.boolean(), _WRITE, False, silent=True),
    },
)


class Written(version.Version):
    """A version with the fields that a manifest sets.

    Instances keep the engine and its version that they were made with.
    """

    resource = RESOURCE

    def _settable(self) -> set[str]:
        return base.Asked._settable(self)

    def _before_insert(self, session: Any) -> None:
        self._take_default(session)

    def _before_update(self, session: Any, changed: set[str]) -> None:
        self._take_default(session)

    def _take_default(self, session: Any) -> None:
        """Be the only default; another one of a manifest's stands.

        It would be set again and again, each time by the other's turn.
        """
        if not self.default:
            return
        # Two that are written at once would not see each other.
        session.execute("LOCK TABLE s3aas_versions IN SHARE ROW EXCLUSIVE MODE")
        other = session.execute(
            'SELECT 1 FROM s3aas_versions WHERE "default" AND project_id = %s '
            "AND uuid <> %s",
            (declared.PROJECT, self.uuid),
        ).fetchone()
        if other:
            raise errors.InvalidValue("default", "is another declared version's")
        session.execute(
            'UPDATE s3aas_versions SET "default" = false WHERE uuid <> %s',
            (self.uuid,),
        )

    def delete(self, session: Any = None) -> None:
        """Remove the row; no engine has to hear of it.

        Raises:
            DeletionProtected: an instance is of this version.
        """
        with base.transaction(session) as found:
            self.locked(found, also_deleting=True)
            used = found.execute(
                "SELECT 1 FROM s3aas_instances WHERE version = %s LIMIT 1", (self.name,)
            ).fetchone()
            if used:
                raise errors.DeletionProtected(
                    "name", "is an instance's version; deprecate it instead"
                )
            found.execute("DELETE FROM s3aas_versions WHERE uuid = %s", (self.uuid,))
