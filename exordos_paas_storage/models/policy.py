"""Policies of an instance: what its users may be allowed."""

from __future__ import annotations

from typing import Any

from restalchemy.dm import properties, types

from exordos_paas_storage.domain import access, errors, names, status
from exordos_paas_storage.domain import policy as documents
from exordos_paas_storage.models import child, columns

_PARAMETERS = "bucket and prefix, both strings; prefix only beside bucket"


class Policy(child.Child):
    """A policy a user asked for, or one of the templates every instance has."""

    __tablename__ = "s3aas_policies"
    resource = access.POLICY
    # A policy is deleted only while nobody makes it a default or attaches it.
    shares_instance = False

    name = properties.property(types.String(), required=True, read_only=True)
    template = properties.property(types.AllowNone(types.String()), default=None)
    parameters = properties.property(columns.JsonValue(), default=dict)
    # The document as it was written; policies of templates have none.
    source = properties.property(columns.JsonValue(), default=None)
    reserved = properties.property(types.Boolean(), default=False, read_only=True)

    @property
    def document(self) -> dict[str, Any]:
        """What the policy says, in AWS's language."""
        if self.source is not None:
            return self.source
        return documents.from_template(self.template, **self.parameters)

    def _before_insert(self, session: Any) -> None:
        super()._before_insert(session)
        self._check_template()
        if self.name in documents.TEMPLATES and not self.reserved:
            raise errors.NameTaken("name", "is the name of a template")

    def _before_update(self, session: Any, changed: set[str]) -> None:
        if self.reserved and changed != {"labels"}:
            raise errors.PolicyReserved("name", "is a template's policy")
        self._check_template()

    def _check_template(self) -> None:
        if self.template is None:
            raise errors.MissingField("template", "is required")
        unknown = set(self.parameters) - {"bucket", "prefix"}
        texts = all(isinstance(value, str) for value in self.parameters.values())
        if unknown or not texts or set(self.parameters) == {"prefix"}:
            raise errors.InvalidValue("parameters", f"must hold at most {_PARAMETERS}")
        if "bucket" in self.parameters:
            names.BUCKET.check("parameters.bucket", self.parameters["bucket"])
        if not _plain(self.parameters.get("prefix", "")):
            raise errors.InvalidValue(
                "parameters.prefix",
                "must be at most 512 characters without '*', '?', '$' and control "
                "characters",
            )

    def _after_update(self, session: Any, changed: set[str]) -> None:
        """Nothing follows: users are mapped to the policy by its id."""

    def _before_delete(self, session: Any) -> None:
        if self.reserved:
            raise errors.PolicyReserved("name", "is a template's policy")
        # The instance is locked against a default, its users against an attachment,
        # that is being written at this moment.
        defaults = session.execute(
            "SELECT default_user_policies FROM s3aas_instances WHERE uuid = %s",
            (self.instance,),
        ).fetchone()["default_user_policies"]
        if self.name in defaults:
            raise errors.PolicyInUse("name", "is one of default_user_policies")
        attached = session.execute(
            "SELECT 1 FROM s3aas_attachments WHERE policy_uuid = %s LIMIT 1",
            (self.uuid,),
        ).fetchone()
        if attached:
            raise errors.PolicyInUse("name", "is attached to a user")


def _plain(prefix: str) -> bool:
    return len(prefix) <= 512 and not any(
        character in "*?$" or character < " " or "\ud800" <= character <= "\udfff"
        for character in prefix
    )


def add_templates(session: Any, instance: Any) -> None:
    """Give a new instance the policies that every instance has."""
    for template in documents.TEMPLATES:
        Policy(
            uuid=documents.template_id(instance.uuid, template),
            project_id=instance.project_id,
            instance=instance.uuid,
            name=template,
            template=template,
            reserved=True,
        ).insert(session=session)


def named(session: Any, instance: Any, name: str, field: str) -> dict[str, Any]:
    """The row of an instance's policy, kept from being deleted meanwhile.

    Args:
        session: of the transaction in which it must not be deleted.
        instance: the instance's id.
        name: of the policy.
        field: the field that names it, for the error.

    Raises:
        InvalidValue: the instance has no such policy.
    """
    row = session.execute(
        "SELECT * FROM s3aas_policies WHERE instance = %s AND name = %s FOR SHARE",
        (instance, name),
    ).fetchone()
    if row is None or row["status"] == status.DELETING:
        raise errors.InvalidValue(field, f"{name} is not a policy of the instance")
    return row
