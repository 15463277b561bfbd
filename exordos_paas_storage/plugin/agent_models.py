"""The models of the platform's agent: each kind of object that manifests declare.

Only the process of that agent imports this module; it is named in the agent's
configuration, which the host renders of `declared.AGENT_MODELS`.
"""

from __future__ import annotations

import hmac
import uuid
from typing import Any, ClassVar

from restalchemy.dm import filters

from exordos_paas_storage.domain import access, errors
from exordos_paas_storage.models import (
    access_key,
    attachment,
    bucket,
    instance,
    policy,
    secrets,
    user,
)
from exordos_paas_storage.plugin import (
    declared_links,
    declared_log,
    declared_object,
    declared_versions,
    keys,
)

# The host loads the agent's models and nothing else of a plugin into this process.
secrets.provide(keys.ensure)
declared_log.hide_views()


class DeclaredVersion(declared_object.Declared):
    """`$s3aas.types.s3.versions`: what instances can be made of."""

    path = "versions"
    row_model = declared_versions.Written
    resource = declared_versions.RESOURCE


class DeclaredInstance(declared_object.Declared):
    """`$s3aas.types.s3.instances`"""

    path = "instances"
    row_model = instance.Instance
    resource = access.INSTANCE

    def body(self, session: Any) -> dict[str, Any]:
        found = super().body(session)
        if "version" in found:
            found["version"] = declared_links.name(
                session, "s3aas_versions", found["version"]
            )
        return found


class _Child(declared_object.Declared):
    """What lies in an instance, which its view names."""

    places: ClassVar[tuple[str, ...]] = ("instance",)

    def place(self, session: Any) -> dict[str, Any]:
        return {"instance": declared_links.instance(session, self.state.asked)}

    def check_unmoved(self, session: Any, row: Any) -> None:
        declared_links.check_same(self.state.asked, "instance", row.instance)


class DeclaredPolicy(_Child):
    """`$s3aas.types.s3.instances.policies`"""

    path = "instances.policies"
    row_model = policy.Policy
    resource = access.POLICY

    @classmethod
    def declarable(cls, session: Any, rows: list[Any]) -> list[Any]:
        return [row for row in rows if not row.reserved]


class DeclaredBucket(_Child):
    """`$s3aas.types.s3.instances.buckets`"""

    path = "instances.buckets"
    row_model = bucket.Bucket
    resource = access.BUCKET

    @classmethod
    def declarable(cls, session: Any, rows: list[Any]) -> list[Any]:
        made = session.execute(
            "SELECT uuid, bucket_name FROM s3aas_instances WHERE uuid = ANY(%s)",
            ([row.instance for row in rows],),
        ).fetchall()
        with_instance = {(one["uuid"], one["bucket_name"]) for one in made}
        return [row for row in rows if (row.instance, row.name) not in with_instance]


class DeclaredUser(_Child):
    """`$s3aas.types.s3.instances.users`"""

    path = "instances.users"
    row_model = user.User
    resource = access.USER

    @classmethod
    def complete(cls, session: Any, rows: list[Any]) -> None:
        names = attachment.names_of([row.uuid for row in rows], session)
        for row in rows:
            row.attached = names.get(row.uuid, [])


class _OfUser(_Child):
    """What lies at a user of an instance; its view names both."""

    places: ClassVar[tuple[str, ...]] = ("instance", "user")

    def place(self, session: Any) -> dict[str, Any]:
        inside = super().place(session)
        return {**inside, "user_uuid": declared_links.user(session, self.state.asked)}

    def check_unmoved(self, session: Any, row: Any) -> None:
        super().check_unmoved(session, row)
        declared_links.check_same(self.state.asked, "user", row.user_uuid)


class DeclaredAttachment(_OfUser):
    """`$s3aas.types.s3.instances.users.policies`: one policy on one user."""

    path = "instances.users.policies"
    row_model = attachment.Attachment
    resource = access.ATTACHMENT

    @classmethod
    def complete(cls, session: Any, rows: list[Any]) -> None:
        users = _names(session, "s3aas_users", [row.user_uuid for row in rows])
        found = _names(session, "s3aas_policies", [row.policy_uuid for row in rows])
        for row in rows:
            row.user, row.policy = users[row.user_uuid], found[row.policy_uuid]

    def body(self, session: Any) -> dict[str, Any]:
        found = super().body(session)
        if "policy" in found:
            found["policy"] = declared_links.name(
                session, "s3aas_policies", found["policy"]
            )
        return found

    def store(
        self, session: Any, columns: dict[str, Any], values: dict[str, Any]
    ) -> Any:
        owner = user.User.objects.get_one(
            session=session, filters={"uuid": filters.EQ(columns["user_uuid"])}
        )
        row = attachment.attach(session, owner, values["policy"])
        # Core knows it by the uuid in the manifest; here it is its user and policy.
        session.execute(
            "UPDATE s3aas_attachments SET uuid = %s WHERE uuid = %s",
            (self.state.uuid, row.uuid),
        )
        return attachment.one(session, owner, str(self.state.uuid))


class DeclaredAccessKey(_OfUser):
    """`$s3aas.types.s3.instances.users.access_keys`

    The hash is of all that was asked for, with the secret; the view goes without it.
    """

    path = "instances.users.access_keys"
    row_model = access_key.AccessKey
    resource = access.ACCESS_KEY

    @classmethod
    def complete(cls, session: Any, rows: list[Any]) -> None:
        users = _names(session, "s3aas_users", [row.user_uuid for row in rows])
        for row in rows:
            row.user = users[row.user_uuid]

    def body(self, session: Any) -> dict[str, Any]:
        found = super().body(session)
        if "secret_key" in self.state.untold:
            # It was compared when it was told.
            return found
        if found.get("secret_key") is None:
            raise errors.MissingField(
                "secret_key", "is required here: nobody would hear of a generated one"
            )
        if self.state.row is not None:
            asked = str(found.pop("secret_key")).encode()
            if not hmac.compare_digest(asked, self.state.row.opened().encode()):
                raise errors.ReadOnlyField(
                    "secret_key", "can't be changed after creation; declare another key"
                )
        return found

    def view(self) -> dict[str, Any]:
        found = super().view()
        found.pop("secret_key", None)
        return found


def _names(session: Any, table: str, rows: list[uuid.UUID]) -> dict[uuid.UUID, str]:
    found = session.execute(
        f"SELECT uuid, name FROM {table} WHERE uuid = ANY(%s)",  # noqa: S608
        (rows,),
    ).fetchall()
    return {row["uuid"]: row["name"] for row in found}
