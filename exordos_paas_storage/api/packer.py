"""Bodies: what a client sends, checked, and what it gets, by role."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import orjson
from restalchemy.api import packers

from exordos_paas_storage.domain import access, errors

# A document of the largest policy is a fifth of this.
MOST_BYTES = 1 << 20
# Nothing that the service takes is nested by half as much, and orjson writes no more
# than 254 levels of the 1,024 that it reads (3.13).
MOST_NESTED = 64
# How much of an oversized body is read away, so that the client sees the answer.
MOST_READ_AWAY = 16 << 20


def read_object(req: Any, optional: bool = False) -> dict[str, Any]:
    """The request's body, which must be one JSON object.

    Args:
        req: the request.
        optional: no body at all is an empty object.

    Raises:
        UnsupportedMediaType: it is not said to be JSON.
        BodyTooLarge: it is over `MOST_BYTES`.
        MalformedBody: it is not a JSON object, is nested over `MOST_NESTED` deep, or
            names a member twice.
    """
    check_type(req)
    if req.is_body_seekable:
        # Where no type is said, restalchemy has looked for a form in it (seen on 16.1).
        req.body_file_raw.seek(0)
    body = req.body_file.read(MOST_BYTES + 1)
    if len(body) > MOST_BYTES:
        _read_away(req.body_file)
        raise errors.BodyTooLarge("body", f"must be at most {MOST_BYTES} bytes")
    if optional and not body:
        return {}
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise errors.MalformedBody("body", "must be valid JSON in UTF-8") from None
    if not isinstance(found, dict):
        raise errors.MalformedBody("body", "must be a JSON object")
    if _is_nested_over(MOST_NESTED, found):
        raise _nested()
    _refuse_repeated(body)
    return found


def _nested() -> errors.MalformedBody:
    return errors.MalformedBody("body", f"must be nested at most {MOST_NESTED} deep")


def _refuse_repeated(body: bytes) -> None:
    """Refuse an object that names a member twice.

    Every reader keeps one of the two, and not the same one: a policy would silently
    lose a condition. orjson does not tell (3.13).
    """

    def unique(members: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in members:
            if name in found:
                raise errors.MalformedBody(
                    "body", f"names {_printable(name)} twice in one object"
                )
            found[name] = value
        return found

    try:
        json.loads(body, object_pairs_hook=unique)
    except RecursionError:  # in a member that is repeated, and so was not seen above
        raise _nested() from None


def _is_nested_over(most: int, found: dict[str, Any]) -> bool:
    level: list[Any] = [found]
    for _ in range(most):
        level = [
            inner
            for one in level
            for inner in (one.values() if isinstance(one, dict) else one)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def check_type(req: Any) -> None:
    """Refuse a body that is said to be anything but JSON; nothing said is JSON.

    Raises:
        UnsupportedMediaType: it is.
    """
    kind = packers.parse_content_type(req.headers.get("Content-Type"))
    if kind not in (None, "application/json"):
        raise errors.UnsupportedMediaType("Content-Type", "must be application/json")


def _read_away(stream: Any) -> None:
    left = MOST_READ_AWAY
    while left > 0 and (chunk := stream.read(1 << 16)):
        left -= len(chunk)


def created(
    resource: access.Resource, role: str, body: dict[str, Any]
) -> dict[str, Any]:
    """The values to create an object with; a default stands for what is left out.

    Raises:
        RequestError: names the first field, in the body's order, that is wrong.
    """
    for name in body:
        level = _known(resource, role, name)
        if level < access.SET_ONCE:
            raise _not_settable(resource, name)
    values = {}
    for name, field in _settable(resource, role):
        value = body.get(name)
        if value is None and field.required:
            raise errors.MissingField(name, "is required")
        values[name] = _checked(resource, name, value)
    return values


def changed(
    resource: access.Resource, role: str, body: dict[str, Any], model: Any
) -> dict[str, Any]:
    """The values of `body` that differ from the object's own.

    A field that can't be set is accepted when it is equal to the current value, so that
    what GET answered may be sent back by PUT.

    Raises:
        RequestError: names the first field, in the body's order, that is wrong.
    """
    values = {}
    for name, value in body.items():
        level = _known(resource, role, name)
        shown = plain(getattr(model, name)) if not resource.fields[name].once else None
        if _same(value, shown):
            continue
        if level < access.WRITE:
            raise _not_settable(resource, name)
        checked = _checked(resource, name, value)
        if resource.fields[name].later:
            continue
        if not _same(
            _ordered(resource, name, plain(checked)), _ordered(resource, name, shown)
        ):
            values[name] = checked
    return values


def _same(one: Any, other: Any) -> bool:
    """Whether two JSON values are the same; to Python 1 equals 1.0 and `True`."""
    return orjson.dumps(one, option=orjson.OPT_SORT_KEYS) == orjson.dumps(
        other, option=orjson.OPT_SORT_KEYS
    )


def _ordered(resource: access.Resource, name: str, value: Any) -> Any:
    unordered = resource.fields[name].unordered and isinstance(value, list)
    return sorted(value) if unordered else value


def _known(resource: access.Resource, role: str, name: str) -> access.Level:
    level = resource.level(role, name)
    if level == access.HIDDEN:
        raise errors.UnknownField(_printable(name), "is not a field of this resource")
    return level


def _not_settable(resource: access.Resource, name: str) -> errors.RequestError:
    best = max(resource.fields[name].access)
    if best == access.READ:
        return errors.ReadOnlyField(name, "is set by the service")
    if best == access.SET_ONCE:
        return errors.ReadOnlyField(name, "can't be changed after creation")
    return errors.Forbidden(name, "can't be set by this role")


def _settable(
    resource: access.Resource, role: str
) -> Iterator[tuple[str, access.Field]]:
    for name, field in resource.fields.items():
        if resource.level(role, name) >= access.SET_ONCE:
            yield name, field


def _checked(resource: access.Resource, name: str, value: Any) -> Any:
    field = resource.fields[name]
    if value is None and not field.rule.holds(None):
        value = _copied(field.default)
    access.check(resource, name, value)
    return field.default if field.later else field.rule.read(value)


def refuse_fields(body: dict[str, Any], *known: str) -> None:
    """Refuse what a call that is no resource's own does not take.

    Raises:
        UnknownField: names the first such field.
    """
    for name in body:
        if name not in known:
            raise errors.UnknownField(_printable(name), "is not a field of this call")


def _copied(value: Any) -> Any:
    return value.copy() if isinstance(value, dict | list) else value


def _printable(name: str) -> str:
    return name if len(name) <= 64 and name.isprintable() else "(a field)"


def shown(
    resource: access.Resource, role: str, model: Any, creating: bool
) -> dict[str, Any]:
    """An object as `role` sees it; every visible field is present."""
    return {
        name: getattr(model, name)
        for name, field in resource.fields.items()
        if field.access[access.ROLES.index(role)] > access.HIDDEN
        and (creating or not field.once)
    }


def plain(value: Any) -> Any:
    """A value as it stands in an answer."""
    return orjson.loads(packed(value))


def packed(value: Any) -> bytes:
    """JSON of an answer: times in UTC with `Z`, UUIDs as text."""
    return orjson.dumps(value, option=orjson.OPT_UTC_Z)


class Packer(packers.JSONPackerIncludeNullFields):
    """Writes objects by the field table of their resource and the caller's role."""

    def pack_resource(self, obj: Any) -> Any:
        resource = getattr(obj, "resource", None)
        if resource is None:
            return obj
        creating = getattr(self._req, "creating", False)
        found = shown(resource, self._req.caller.role, obj, creating)
        wanted = self._req.GET.getall("fields") if self._req.method == "GET" else []
        return {n: v for n, v in found.items() if n in wanted} if wanted else found

    def pack(self, obj: Any) -> bytes:
        if isinstance(obj, list):
            return packed([self.pack_resource(one) for one in obj])
        return packed(self.pack_resource(obj))
