"""Objects that manifests declare, as the platform's agent deals with them.

The agent (gcl_sdk 3.7: `DirectAgentDriver` over `DatabaseBackendClient`) looks up a
model's `objects`, builds one from a view, calls `insert`, `update` and `delete`, and
reports the view that comes of it. To Core an object is done when its status is `ACTIVE`
and the hash of what is reported, over the fields that were asked for, is the asked one.

What raises here is never heard of: the object is just not reported, and its whole view,
secrets included, is in the agent's log. So a refusal is reported, as the object's
status. It is tried again at each pass, because the reported hash is not the asked one.

The agent takes its own resources as they are, so the hash is ours to report. A list
has the hash of nothing: each pass compares every object.
"""

from __future__ import annotations

import contextlib
import logging
import types
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

from gcl_sdk.agents.universal.dm import models as ua_models
from restalchemy.dm import filters

from exordos_paas_storage.api import packer
from exordos_paas_storage.domain import access, errors, status
from exordos_paas_storage.models import base
from exordos_paas_storage.plugin import declared, declared_lookup, declared_report

LOG = logging.getLogger(__name__)

# Of `ua_actual_resources.status`, the one text of ours that Core's API shows.
_STATUS_LENGTH = 32

View = dict[str, Any]


@dataclass
class _State:
    """What is known of one declared object.

    Attributes:
        uuid: the object's, which the manifest or Core gave it.
        row: what is stored of it; `None` for nothing.
        asked: the view that was asked for, field by field; empty if it is not known.
        read: that view, once it is complete.
        refusal: why that is not what is stored.
    """

    uuid: uuid.UUID
    row: Any
    asked: View = field(default_factory=dict, repr=False)
    read: declared_report.Asked | None = None
    refusal: errors.RequestError | None = None

    @property
    def untold(self) -> frozenset[str]:
        """Fields that are asked for and came back without values."""
        return frozenset() if self.read is None else self.read.untold


@ua_models.Resource.register
class Declared:
    """One object that a manifest declares: what is asked, and the row that answers it.

    All of its own is in `state`: the agent sets what is asked as attributes.
    """

    path: ClassVar[str]
    row_model: ClassVar[type[base.Asked]]
    resource: ClassVar[access.Resource]
    # Fields that say where the object lies, and are no fields of a POST's body.
    places: ClassVar[tuple[str, ...]] = ()

    objects = declared_lookup.ObjectsOfKind()
    properties = declared_lookup.EveryField()
    state: _State

    def __init__(self, own: uuid.UUID, row: Any, asked: View | None = None) -> None:
        object.__setattr__(self, "state", _State(own, row, asked or {}))

    def __setattr__(self, name: str, value: Any) -> None:
        self.state.asked[name] = value

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.state.uuid}>"

    @property
    def kind(self) -> str:
        """What the platform calls the kind."""
        return declared.kind(self.path)

    # What a kind does in its own way.

    @classmethod
    def rows(cls, session: Any, chosen: View) -> list[Any]:
        """What a manifest can have declared; not what the service made by itself."""
        return list(cls.row_model.objects.get_all(session=session, filters=chosen))

    @classmethod
    def complete(cls, session: Any, rows: list[Any]) -> None:
        """Read what rows show from other tables, at once."""

    def body(self, session: Any) -> View:
        """What is asked, as the API would be asked it."""
        return dict(self.state.asked)

    def place(self, session: Any) -> View:
        """Columns that say where a new row lies.

        Raises:
            RequestError: there is no such place in this project.
        """
        return {}

    def store(self, session: Any, columns: View, values: View) -> Any:
        """Store a new row of checked values, and give it."""
        fits = {n: v for n, v in values.items() if n in self.row_model.properties}
        row = self.row_model(uuid=self.state.uuid, **columns, **fits)
        for name in values.keys() - fits.keys():
            if not self.resource.fields[name].later:
                setattr(row, name, values[name])
        row.insert(session=session)
        return row

    def check_unmoved(self, session: Any, row: Any) -> None:
        """Refuse another place than the row has."""

    # What the agent calls.

    @classmethod
    def restore_from_simple_view(cls, /, **view: Any) -> Declared:
        """A new object, not stored yet."""
        return cls(uuid.UUID(str(view["uuid"])), None, view)

    @classmethod
    def from_ua_resource(cls, resource: Any) -> types.SimpleNamespace:
        """What is asked by now; the agent copies it to the object field by field."""
        return types.SimpleNamespace(**resource.value)

    def is_dirty(self) -> bool:
        """Whether to call `update`, which itself finds what differs."""
        return True

    def insert(self, session: Any) -> None:
        """Store what is asked, or know why not."""
        with self._refusable(session):
            self._check_own(session)
            # The agent puts it there; in a manifest it says nothing.
            self.state.asked.pop("project_id", None)
            self._read()
            if self.state.untold:
                # It is gone; Core tells all of it once it hears so.
                return
            body = self._plain_body(session)
            columns = {"project_id": declared.PROJECT, **self.place(session)}
            values = packer.created(self.resource, access.OWNER, body)
            row = self.store(session, columns, values)
            self.complete(session, [row])
            self.state.row = row

    def update(self, session: Any) -> None:
        """Store what of the asked differs from the row, or know why not."""
        row = self.state.row
        with self._refusable(session):
            self._read()
            if row.status == status.DELETING:
                raise errors.BeingDeleted(self.resource.name, "is being deleted")
            self._check_project()
            self.check_unmoved(session, row)
            body = self._given_once(self._plain_body(session))
            values = packer.changed(self.resource, access.OWNER, body, row)
            for name, value in values.items():
                setattr(row, name, value)
            if values:
                row.update(session=session)
                self.complete(session, [row])
        if self.state.refusal is not None:
            # What is stored, and not what it was to be changed to.
            self.state.row = self.row_model.objects.get_one(
                session=session, filters={"uuid": filters.EQ(self.state.uuid)}
            )
            self.complete(session, [self.state.row])

    def delete(self, session: Any) -> None:
        """Have the row deleted; what goes with its instance goes by itself.

        Raises:
            RequestError: it must not go; the agent logs it and asks again.
        """
        row = self.state.row
        if row.status == status.DELETING:
            return
        with contextlib.suppress(errors.BeingDeleted, errors.NotFound):
            row.delete(session=session)

    def dump_to_simple_view(self, skip: Any = ()) -> View:
        """The report, as the agent stores it and sends it to Core."""
        state, asked = self.state, None
        if state.read is not None and state.refusal is None and state.row is not None:
            asked = state.read.hash
        found = declared_report.resource(self.view(), self.kind, asked)
        return found.dump_to_simple_view(skip=skip)

    def listed(self) -> ua_models.Resource:
        """The object as a list of the agent holds it."""
        return declared_report.resource(self.view(), self.kind)

    def view(self) -> View:
        """The object as Core sees it; a field that holds is told as it was asked for.

        A version may be asked for by its URI and a time in another zone: Core compares
        texts.
        """
        found: View = {"uuid": str(self.state.uuid)}
        if self.state.row is not None:
            shown = packer.shown(
                self.resource, access.OWNER, self.state.row, creating=False
            )
            found.update(packer.plain(shown))
        refusal = self.state.refusal
        if refusal is None:
            found.update(self.state.asked)
            if self.state.row is None:
                found["status"] = status.CREATING
            elif self.state.read is not None:
                found.update(self.state.read.told())
            return found
        where = f"ERROR {type(refusal).__name__} {refusal.field}"
        return {
            **found,
            "status": where[:_STATUS_LENGTH],
            "status_message": str(refusal),
        }

    # What all kinds do alike.

    def _read(self) -> None:
        read = declared_report.Asked.read(self.state.asked)
        self.state.read, self.state.asked = read, dict(read.view)

    def _plain_body(self, session: Any) -> View:
        body = self.body(session)
        for name in ("uuid", "project_id", *self.places):
            body.pop(name, None)
        return body

    def _given_once(self, body: View) -> View:
        """Leave out what was left to the service when the object was made."""
        fields = self.resource.fields
        return {
            name: value
            for name, value in body.items()
            if value is not None
            or name not in fields
            or max(fields[name].access) == access.WRITE
        }

    def _check_project(self) -> None:
        given = self.state.asked.get("project_id", str(declared.PROJECT))
        if str(given) != str(declared.PROJECT):
            raise errors.InvalidValue(
                "project_id", "must be the element manager's own; leave it out"
            )

    def _check_own(self, session: Any) -> None:
        self._check_project()
        # The agent looked for it in the project of declared objects alone.
        taken = self.row_model.objects.get_one_or_none(
            session=session, filters={"uuid": filters.EQ(self.state.uuid)}
        )
        if taken is not None:
            raise errors.NameTaken("uuid", "is another object's")

    @contextlib.contextmanager
    def _refusable(self, session: Any) -> Iterator[None]:
        """Undo what fails, and keep the reason as the refusal.

        Not even a fault may get out: the agent would log what was asked, whole.
        """
        try:
            session.execute("SAVEPOINT s3aas_declared")
            try:
                yield
            except Exception:
                session.execute("ROLLBACK TO SAVEPOINT s3aas_declared")
                raise
        except errors.RequestError as refusal:
            self.state.refusal = refusal
            LOG.warning("%s %s is refused: %s", self.path, self.state.uuid, refusal)
        except Exception:
            LOG.exception("%s %s could not be stored", self.path, self.state.uuid)
            self.state.refusal = errors.Unavailable(
                self.resource.name, "can't be stored now; the agent's log says why"
            )
