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
from exordos_paas_storage.domain import policy as templates
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
    declared,
    declared_attachments,
    declared_keys,
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
            found["version"] = declared_links.version(session, found["version"])
        return found

    def store(
        self, session: Any, columns: dict[str, Any], values: dict[str, Any]
    ) -> Any:
        """Leave defaults of the instance's own to `update`: they need the instance.

        All of them, as what is missing may deny what the others allow.
        """
        if set(values["default_user_policies"]) - set(templates.TEMPLATES):
            values = {**values, "default_user_policies": []}
        return super().store(session, columns, values)


class _Child(declared_object.Declared):
    """What lies in an instance, which its view names."""

    places: ClassVar[tuple[str, ...]] = ("instance",)

    @classmethod
    def rows(cls, session: Any, chosen: dict[str, Any]) -> list[Any]:
        """By instances, as the project has no index; each pass lists every kind."""
        found = session.execute(
            "SELECT uuid FROM s3aas_instances WHERE project_id = %s",
            (declared.PROJECT,),
        ).fetchall()
        if not found:
            return []
        inside = filters.In([one["uuid"] for one in found])
        return super().rows(session, {**chosen, "instance": inside})

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
    def rows(cls, session: Any, chosen: dict[str, Any]) -> list[Any]:
        return super().rows(session, {**chosen, "reserved": filters.EQ(False)})


class DeclaredBucket(_Child):
    """`$s3aas.types.s3.instances.buckets`"""

    path = "instances.buckets"
    row_model = bucket.Bucket
    resource = access.BUCKET

    @classmethod
    def rows(cls, session: Any, chosen: dict[str, Any]) -> list[Any]:
        found = super().rows(session, chosen)
        made = session.execute(
            "SELECT uuid, bucket_name FROM s3aas_instances WHERE uuid = ANY(%s)",
            ([row.instance for row in found],),
        ).fetchall()
        with_instance = {(one["uuid"], one["bucket_name"]) for one in made}
        return [row for row in found if (row.instance, row.name) not in with_instance]


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

    def body(self, session: Any) -> dict[str, Any]:
        """A user has the instance's defaults where its manifest says `null` alone.

        Without `policies` it would have them until its attachments are stored, and for
        good where they are refused. A list stands beside declared attachments.

        Raises:
            InvalidValue: `null` does not, or the two are too many together.
        """
        found, row = super().body(session), self.state.row
        if "policies" not in found:
            unnamed = row is not None and not row.inherits_policies
            return found if unnamed else {**found, "policies": []}
        attached = declared_attachments.policies_of(session, self.state.uuid)
        if attached and found["policies"] is None:
            raise errors.InvalidValue(
                "policies", "can't be null beside declared attachments"
            )
        if isinstance(found["policies"], list):
            found["policies"] = self._together(found["policies"], attached)
        return found

    def update(self, session: Any) -> None:
        super().update(session)
        asked = self.state.asked.get("policies")
        listed = asked if isinstance(asked, list) else []
        with self._refusable(session):
            declared_attachments.settle(
                session, self.state.uuid, listed, holds=self.state.refusal is None
            )

    def _together(self, listed: list[Any], attached: list[str]) -> list[Any]:
        """A list with what is attached; what is wrong with the list is said later."""
        rule = self.resource.fields["policies"].rule
        found = listed + [one for one in attached if one not in listed]
        if rule.holds(listed) and not rule.holds(found):
            raise errors.InvalidValue(
                "policies", f"and those of declared attachments together {rule.words}"
            )
        return found


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
            found["policy"] = declared_links.policy(session, found)
        return found

    def store(
        self, session: Any, columns: dict[str, Any], values: dict[str, Any]
    ) -> Any:
        owner = user.User.objects.get_one(
            session=session, filters={"uuid": filters.EQ(columns["user_uuid"])}
        )
        return declared_attachments.attach(
            session, owner, values["policy"], self.state.uuid
        )

    def update(self, session: Any) -> None:
        super().update(session)
        if self.state.refusal is None:
            with self._refusable(session):
                declared_attachments.mark(session, self.state.uuid)

    def delete(self, session: Any) -> None:
        # The user's own list may name the policy by now: its pass knows.
        if declared_attachments.leave(session, self.state.uuid):
            return
        super().delete(session)
        # It may be attached again by somebody else before it is gone.
        declared_attachments.unmark(session, self.state.uuid)


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
        if self.state.row is not None:
            declared_keys.settle_end(session, self.state.row, found)
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

    def store(
        self, session: Any, columns: dict[str, Any], values: dict[str, Any]
    ) -> Any:
        key = values.get("access_key") or str(self.state.uuid)
        declared_keys.refuse_rotated(session, columns["instance"], key)
        return super().store(session, columns, values)

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
