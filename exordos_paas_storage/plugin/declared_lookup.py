"""What the platform's agent asks of a model's class: its objects, and its fields.

Source: gcl_sdk 3.7, `clients/backend/db.py`.
"""

from __future__ import annotations

from typing import Any


class EveryField:
    """Lets the agent set every field: one that is unknown must be refused aloud."""

    def get(self, name: str) -> EveryField:
        """The field of that name."""
        return self

    def is_read_only(self) -> bool:
        """Whether the agent leaves it out."""
        return False


class Objects:
    """What the agent looks declared objects up in."""

    def __init__(self, kind: Any) -> None:
        self._kind = kind

    def get_all(self, session: Any, filters: dict[str, Any]) -> list[Any]:
        """All of the kind that a manifest can have declared, as they are reported."""
        found = self._kind.rows(session, filters)
        self._kind.complete(session, found)
        return [self._kind(row.uuid, row).listed() for row in found]

    def get_one(self, session: Any, filters: dict[str, Any]) -> Any:
        """The one that the filters choose; restalchemy's RecordNotFound if none is."""
        row = self._kind.row_model.objects.get_one(session=session, filters=filters)
        self._kind.complete(session, [row])
        return self._kind(row.uuid, row)

    def get_one_or_none(self, session: Any, filters: dict[str, Any]) -> Any:
        """The one that the filters choose, if there is one."""
        row = self._kind.row_model.objects.get_one_or_none(
            session=session, filters=filters
        )
        if row is None:
            return None
        self._kind.complete(session, [row])
        return self._kind(row.uuid, row)


class ObjectsOfKind:
    """Gives each kind its own `objects`."""

    def __get__(self, one: Any, kind: Any) -> Objects:
        return Objects(kind)
