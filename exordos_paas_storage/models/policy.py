"""Policies of an instance: what its users may be allowed."""

from __future__ import annotations

from typing import Any

from restalchemy.dm import properties, types

from exordos_paas_storage.domain import access, errors, status
from exordos_paas_storage.domain import policy as documents
from exordos_paas_storage.models import child, columns, rights

_UNTOUCHED: Any = object()


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

    _wanted: Any = _UNTOUCHED

    @property
    def document(self) -> dict[str, Any] | None:
        """What the policy says, in AWS's language; a template's where it has one."""
        source = self.source if self._wanted is _UNTOUCHED else self._wanted
        if source is not None or self.template is None:
            return source
        return documents.from_template(self.template, **self.parameters)

    @document.setter
    def document(self, written: dict[str, Any] | None) -> None:
        self._wanted = written

    def compiled(self, engine: str) -> rights.Compiled:
        """What an engine gets of it; see `rights.compiled_policy`."""
        return rights.compiled_policy(engine, self.document, "document")

    def _changed(self) -> set[str]:
        dirty = super()._changed()
        return dirty if self._wanted is _UNTOUCHED else dirty | {"document"}

    def _check(self, names: set[str]) -> None:
        # First, as the document of a template is made of it.
        self._check_template()
        super()._check(names)

    def _check_template(self) -> None:
        for name in ("template", "parameters"):
            access.check(self.resource, name, getattr(self, name))
        if self.template is not None:
            rights.check_template(
                self.template, self.parameters, "template", "parameters"
            )

    def _before_insert(self, session: Any) -> None:
        super()._before_insert(session)
        if self._wanted is not _UNTOUCHED:
            self.source, self._wanted = self._wanted, _UNTOUCHED
        self._check_template()
        access.check(self.resource, "document", self.source)
        self._check_content(session, self.source)
        if self.name in documents.TEMPLATES and not self.reserved:
            raise errors.NameTaken("name", "is the name of a template")

    def _before_update(self, session: Any, changed: set[str]) -> None:
        if self.reserved and changed != {"labels"}:
            raise errors.PolicyReserved("name", "is a template's policy")
        wanted = self._wanted is not _UNTOUCHED
        self._check_content(session, self._wanted if wanted else self.source)

    def _write(self, session: Any, changed: set[str]) -> None:
        super()._write(session, changed)
        if "document" in changed:
            session.execute(
                "UPDATE s3aas_policies SET source = %s WHERE uuid = %s",
                (columns.JsonValue().to_simple_type(self._wanted), self.uuid),
            )
            self._wanted = _UNTOUCHED

    def _check_content(self, session: Any, source: Any) -> None:
        """Refuse what is no policy, or none that the instance's engine can hold."""
        if source is None and self.template is None:
            raise errors.MissingField("document", "is required, or template")
        if source is not None and self.template is not None:
            raise errors.InvalidValue(
                "document", "and template exclude each other; set one to null"
            )
        if self.template is None and self.parameters:
            raise errors.InvalidValue("parameters", "are a template's")
        owner = session.execute(
            "SELECT engine FROM s3aas_instances WHERE uuid = %s", (self.instance,)
        ).fetchone()
        self.compiled(owner["engine"])

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
