"""Rules of single fields: what a value must be, in words and as JSON schema.

A rule is used three times: by the API on what a client sends, by the models on every
write, and by OpenAPI, so that the three can't differ.
"""

from __future__ import annotations

import datetime
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from exordos_paas_storage.domain import errors

Schema = Mapping[str, Any]


def _as_it_is(value: Any) -> Any:
    return value


@dataclass(frozen=True)
class Rule:
    """One field's rule.

    Attributes:
        words: the rule as it is told to a client, after the field's name.
        schema: JSON schema (draft 2020-12) of the accepted values.
        holds: whether a value keeps the rule.
        read: a value that keeps it, as the models hold it.
    """

    words: str
    schema: Schema
    holds: Callable[[Any], bool]
    read: Callable[[Any], Any] = _as_it_is

    def check(self, field: str, value: Any) -> None:
        """Refuse a value that breaks the rule.

        Raises:
            InvalidValue: names the field and the rule, never the value.
        """
        if not self.holds(value):
            raise errors.InvalidValue(field, self.words)


def _clean(value: Any) -> bool:
    """Text that PostgreSQL can store: no NUL, no lone surrogate."""
    return (
        isinstance(value, str)
        and "\0" not in value
        and not any("\ud800" <= character <= "\udfff" for character in value)
    )


def text(most: int, least: int = 0) -> Rule:
    """Any text of `least` to `most` characters."""
    size = f"{least} to {most}" if least else f"at most {most}"
    return Rule(
        f"must be a string of {size} characters, without NUL",
        {"type": "string", "minLength": least, "maxLength": most},
        lambda value: _clean(value) and least <= len(value) <= most,
    )


def pattern(expression: str, words: str, also: Callable[[str], bool]) -> Rule:
    """Text that matches all of `expression` and for which `also` holds."""
    compiled = re.compile(expression)
    return Rule(
        words,
        {"type": "string", "pattern": f"^{expression}$"},
        lambda value: (
            isinstance(value, str)
            and compiled.fullmatch(value) is not None
            and also(value)
        ),
    )


def integer(least: int, most: int) -> Rule:
    """A whole number; `true` and `1.0` are none."""
    return Rule(
        f"must be an integer from {least} to {most}",
        {"type": "integer", "minimum": least, "maximum": most},
        lambda value: type(value) is int and least <= value <= most,
    )


def boolean() -> Rule:
    """`true` or `false`."""
    return Rule(
        "must be true or false", {"type": "boolean"}, lambda value: type(value) is bool
    )


def choice(*values: str) -> Rule:
    """One of a few texts."""
    return Rule(
        f"must be one of {', '.join(values)}",
        {"type": "string", "enum": list(values)},
        lambda value: isinstance(value, str) and value in values,
    )


def nullable(rule: Rule) -> Rule:
    """What `rule` takes, or null."""
    return Rule(
        f"{rule.words}, or be null",
        {"anyOf": [rule.schema, {"type": "null"}]},
        lambda value: value is None or rule.holds(value),
        lambda value: None if value is None else rule.read(value),
    )


def list_of(rule: Rule, most: int) -> Rule:
    """A list of at most `most` different values, each of which keeps `rule`."""
    return Rule(
        f"must be a list of at most {most} different values; each {rule.words}",
        {"type": "array", "items": rule.schema, "maxItems": most, "uniqueItems": True},
        lambda value: (
            isinstance(value, list)
            and len(value) <= most
            and all(map(rule.holds, value))
            and len(set(value)) == len(value)
        ),
    )


_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)"
)


def _time(value: Any) -> datetime.datetime | None:
    """The moment that a text of RFC 3339 names, in UTC and whole seconds."""
    if isinstance(value, datetime.datetime):
        return value if value.tzinfo else None
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    zone = "+00:00" if match[3] in "Zz" else match[3]
    try:
        found = datetime.datetime.fromisoformat(f"{match[1]}T{match[2]}{zone}")
        found = found.astimezone(datetime.timezone.utc)
    except (ValueError, OverflowError):
        return None
    # RustFS means "never" by the last second of the year 9999.
    return found if 1970 <= found.year < 9999 else None


def time() -> Rule:
    """A moment; a fraction of a second is cut off."""
    return Rule(
        "must be a time of RFC 3339 with its zone, such as 2030-01-31T12:00:00Z, "
        "before the year 9999",
        {"type": "string", "format": "date-time"},
        lambda value: _time(value) is not None,
        _time,
    )


def json_object(deepest: int = 16) -> Rule:
    """An object of any form whose texts can be stored; its form is checked later."""
    return Rule(
        f"must be an object nested at most {deepest} deep, its texts without NUL",
        {"type": "object"},
        lambda value: isinstance(value, dict) and _storable(value, deepest),
    )


def _storable(value: Any, deeper: int) -> bool:
    if isinstance(value, str):
        return _clean(value)
    if not isinstance(value, dict | list):
        return True
    inner = [*value, *value.values()] if isinstance(value, dict) else value
    return deeper > 0 and all(_storable(one, deeper - 1) for one in inner)


def any_object() -> Rule:
    """A JSON object; what lies in it is checked by a rule across fields."""
    return Rule(
        "must be an object", {"type": "object"}, lambda value: isinstance(value, dict)
    )


def is_uuid(value: str) -> bool:
    """Whether a text looks like a UUID in any form that Python or a client takes."""
    try:
        uuid.UUID(value)
    except (ValueError, AttributeError, TypeError):
        return False
    return True


def _are_labels(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and len(value) <= 50
        and all(
            _clean(key) and 1 <= len(key) <= 63 and not set(key) & set("=%\\")
            for key in value
        )
        and all(_clean(inner) and len(inner) <= 255 for inner in value.values())
    )


LABELS = Rule(
    "must be an object of at most 50 labels, keys of 1 to 63 characters without '=', "
    "'%' and '\\', values of at most 255 characters",
    {
        "type": "object",
        "maxProperties": 50,
        "propertyNames": {"minLength": 1, "maxLength": 63, "pattern": r"^[^=%\\]*$"},
        "additionalProperties": {"type": "string", "maxLength": 255},
    },
    _are_labels,
)
