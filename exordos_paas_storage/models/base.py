"""The one write path of everything that users ask for."""

from __future__ import annotations

import contextlib
import datetime
import logging
import uuid as uuids
from collections.abc import Iterator
from typing import Any, ClassVar

import psycopg
import psycopg_pool
from psycopg import errors as pg_errors
from restalchemy.dm import filters, models, properties, types
from restalchemy.storage import exceptions
from restalchemy.storage.sql import engines, orm

from exordos_paas_storage.domain import access, errors, status
from exordos_paas_storage.models import columns, due

LOG = logging.getLogger(__name__)


def now() -> datetime.datetime:
    """This moment in UTC, by this process's clock."""
    return datetime.datetime.now(datetime.timezone.utc)


def unreachable(error: BaseException) -> bool:
    """Whether the database, and not what was asked of it, is the reason of an error."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(
            seen,
            psycopg.OperationalError
            | psycopg_pool.PoolTimeout
            | psycopg_pool.TooManyRequests
            | exceptions.DeadLock,
        ):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


@contextlib.contextmanager
def transaction(session: Any = None) -> Iterator[Any]:
    """The given session, else the thread's own, else a new one that commits."""
    with engines.engine_factory.get_engine().session_manager(session=session) as found:
        yield found


class Asked(models.ModelWithUUID, models.ModelWithProject, orm.SQLStorableMixin):
    """Base of every row a user asks for: a desired half with one writer.

    `generation` counts changes of the desired half. A change that the engine must hear
    of also bumps the queue's `revision` and shows `PENDING`; one that it need not
    (labels, a description) does neither.
    """

    resource: ClassVar[access.Resource]
    # The status of a row that was just written, and what a clash of names is called.
    born: ClassVar[str] = status.PENDING
    unique_field: ClassVar[str] = "name"
    taken: ClassVar[type[errors.RequestError]] = errors.NameTaken
    taken_rule: ClassVar[str] = "is taken, perhaps by one still being deleted"
    # The generations at which the next write may happen; `None`: at any.
    only_at: frozenset[int] | None = None

    labels = properties.property(columns.JsonValue(), default=dict)
    generation = properties.property(types.Integer(), default=1, read_only=True)
    status = properties.property(
        types.Enum(list(status.STATUSES)), default=status.PENDING
    )
    status_message = properties.property(types.String(max_length=1024), default="")
    conditions = properties.property(columns.JsonValue(), default=list)
    created_at = properties.property(types.UTCDateTimeZ(), default=now, read_only=True)
    updated_at = properties.property(types.UTCDateTimeZ(), default=now)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.uuid}>"

    __str__ = __repr__

    @property
    def id(self) -> uuids.UUID:
        """The same value as `uuid`, as the API names it."""
        return self.uuid

    @property
    def kind(self) -> str:
        """What kind of object this is, as the API names it."""
        return self.resource.kind

    def check_at(self, generation: int) -> None:
        """Raise PreconditionFailed at a generation that `only_at` leaves out."""
        if self.only_at is not None and generation not in self.only_at:
            raise errors.PreconditionFailed("If-Match", "names another generation")

    def lock_first(self, session: Any) -> None:
        """Lock the rows that must be locked before this one."""

    # What a model adds to the three writes; each runs inside their transaction.

    def _before_insert(self, session: Any) -> None:
        """Lock what must not change meanwhile, and fill in what was left out."""

    def _after_insert(self, session: Any) -> None:
        """Write the rows that come with this one."""

    def _before_update(self, session: Any, changed: set[str]) -> None:
        """Refuse what breaks a rule across fields or rows."""

    def _after_update(self, session: Any, changed: set[str]) -> None:
        """Queue the rows whose state on the engine follows from the change."""

    def _before_delete(self, session: Any) -> None:
        """Refuse a deletion that must not happen."""

    def _after_delete(self, session: Any) -> None:
        """Queue the rows whose state on the engine follows from the deletion."""

    def insert(self, session: Any = None) -> None:
        """Store a new row.

        Raises:
            RequestError: a rule is broken; nothing is stored.
        """
        with transaction(session) as found:
            self._before_insert(found)
            self._check(self._settable())
            self.properties["status"].set_value_force(self.born)
            try:
                super().insert(session=found)
            except exceptions.ConflictRecords:
                raise self.taken(self.unique_field, self.taken_rule) from None
            self._after_insert(found)

    def update(self, session: Any = None, force: bool = False) -> None:
        """Write the desired columns that changed since the row was read.

        Raises:
            RequestError: a rule is broken, or the row is being deleted; nothing is
                stored.
        """
        changed = self._changed()
        if not changed and not force:
            return
        with transaction(session) as found:
            self.lock_first(found)
            self._refresh(self.locked(found), changed)
            self._check(changed)
            self._before_update(found, changed)
            try:
                self._write(found, changed)
            except pg_errors.UniqueViolation:
                raise self.taken(self.unique_field, self.taken_rule) from None
            self._after_update(found, changed)
            self._reload(found)

    def delete(self, session: Any = None) -> None:
        """Turn the row into a tombstone; it goes once the engine is rid of it.

        Raises:
            RequestError: it is protected, or another object needs it.
        """
        with transaction(session) as found:
            self.lock_first(found)
            row = self.locked(found, also_deleting=True)
            if row["status"] == status.DELETING:
                return
            self._before_delete(found)
            self.queue(found, "uuid = %s", (self.uuid,), status.DELETING)
            self._after_delete(found)
            self._reload(found)

    def locked(self, session: Any, also_deleting: bool = False) -> dict[str, Any]:
        """Lock this row until the transaction ends, and read it.

        Raises:
            NotFound: the row is gone.
            BeingDeleted: it is a tombstone.
            PreconditionFailed: it is at another generation than `only_at` says.
        """
        row = session.execute(
            f"SELECT * FROM {self.__tablename__} WHERE uuid = %s FOR UPDATE",  # noqa: S608
            (self.uuid,),
        ).fetchone()
        if row is None:
            raise errors.NotFound(self.resource.name, "is gone")
        if row["status"] == status.DELETING and not also_deleting:
            raise errors.BeingDeleted(self.resource.name, "is being deleted")
        if row["status"] != status.DELETING:
            self.check_at(row["generation"])
        return row

    @classmethod
    def queue(
        cls,
        session: Any,
        where: str,
        values: tuple[Any, ...],
        shown: str,
        asked: bool = False,
    ) -> None:
        """`due.queue` for rows of this model's table."""
        due.queue(session, cls.__tablename__, where, values, shown, asked)

    def _settable(self) -> set[str]:
        """The desired columns of this model."""
        return {
            name
            for name, field in self.resource.fields.items()
            if name in self.properties and max(field.access) > access.READ
        }

    def _changed(self) -> set[str]:
        dirty = {name for name, value in self.properties.items() if value.is_dirty()}
        foreign = dirty - self._settable()
        if foreign:
            raise errors.ReadOnlyField(min(foreign), "is set by the service")
        for name in sorted(dirty):
            if max(self.resource.fields[name].access) < access.WRITE:
                raise errors.ReadOnlyField(name, "can't be changed after creation")
        return dirty

    def _check(self, names: set[str]) -> None:
        for name in sorted(names):
            access.check(self.resource, name, getattr(self, name))

    def _write(self, session: Any, changed: set[str]) -> None:
        data = {
            name: value.property_type.to_simple_type(value.value)
            for name, value in self.properties.items()
            if name in changed
        }
        silent = all(self.resource.fields[name].silent for name in changed)
        columns_set = "".join(f'"{name}" = %s, ' for name in data)
        session.execute(
            f"""
            UPDATE {self.__tablename__} SET {columns_set}
                generation = generation + 1,
                {_SILENT if silent else _EFFECTIVE},
                updated_at = now() AT TIME ZONE 'UTC'
            WHERE uuid = %s
            """,  # noqa: S608
            (*data.values(), self.uuid),
        )

    def _refresh(self, row: dict[str, Any], changed: set[str]) -> None:
        """Take what the row has by now for all that is not to be changed.

        A rule across fields would hold of what was read before, and not of the row.
        """
        known = {name: row[name] for name in self.properties if name in row}
        fresh = type(self).restore_row(known)
        for name in changed & set(self.properties):
            value = self.properties[name].value
            fresh.properties[name].set_value_force(value)
        object.__setattr__(self, "properties", fresh.properties)

    def _reload(self, session: Any) -> None:
        fresh = type(self).objects.get_one(
            filters={"uuid": filters.EQ(self.uuid)}, session=session
        )
        object.__setattr__(self, "properties", fresh.properties)
        self.only_at = None


_SILENT = """
    observed_generation = observed_generation
        + (observed_generation = generation)::integer
"""
_EFFECTIVE = f"""
    revision = revision + 1, attempts = 0, next_try_at = {due.URGENT},
    status_message = '',
    status = CASE WHEN status = 'CREATING' THEN status ELSE 'PENDING' END
"""
