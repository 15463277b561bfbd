"""Column types that restalchemy lacks."""

from __future__ import annotations

from typing import Any

from psycopg.types import json
from restalchemy.dm import types


class JsonValue(types.BaseType):
    """A jsonb column that holds any JSON value; SQL NULL is `None`."""

    def __init__(self) -> None:
        super().__init__(openapi_type="object")

    def validate(self, value: Any) -> bool:
        return True

    def to_simple_type(self, value: Any) -> Any:
        return None if value is None else json.Jsonb(value)

    def from_simple_type(self, value: Any) -> Any:
        return value

    def from_unicode(self, value: str) -> Any:
        raise TypeError("a JSON column can't be compared with a text")

    def to_openapi_spec(self, prop_kwargs: Any) -> dict[str, Any]:
        return {}
