"""Actions of objects and calls of collections in the OpenAPI document."""

from __future__ import annotations

import inspect
from typing import Any

from exordos_paas_storage.api import idempotency, preconditions
from exordos_paas_storage.api import openapi_calls as calls
from exordos_paas_storage.api import openapi_headers as headers
from exordos_paas_storage.api import openapi_schemas as schemas
from exordos_paas_storage.domain import access

Json = schemas.Json

_NO_FIELDS: Json = {"type": "object", "properties": {}, "additionalProperties": False}


def of_place(place: calls.Place) -> dict[str, Json]:
    """The paths of what else a collection and its objects take by POST."""
    if place.lists_names:
        return {}
    one = f"{place.path}/{{{place.parameter}}}"
    found = {
        f"{place.path}/{name.replace('_', '-')}": _call(place, name)
        for name in place.controller.calls
    }
    for name in place.controller.actions:
        path = f"{one}/actions/{name.replace('_', '-')}/invoke"
        found[path] = _action(place, name)
    return {
        path: calls.with_parameters(path, {"post": operation})
        for path, operation in found.items()
    }


def _action(place: calls.Place, name: str) -> Json:
    creates = name in place.controller.creating
    shown = schemas.created_name(place.resource) if creates else place.kind
    answer = calls.said("It is stored.", schemas.ref("schemas", shown))
    told = ("ETag", idempotency.REPLAYED, *(("Location",) if creates else ()))
    return calls.operation(
        place,
        name,
        name,
        summary=_summary(place, f"act_{name}"),
        parameters=headers.taken(preconditions.HEADER, idempotency.HEADER),
        requestBody=_body(place, name),
        responses={
            "201" if creates else "200": headers.said(answer, *told),
            **calls.errors_of(*calls.BODY, 404, 412, *calls.ANY_TIME),
        },
    )


def _call(place: calls.Place, name: str) -> Json:
    schema = place.controller.answer_schemas.get(name, {"type": "object"})
    answer = calls.said("What is found; nothing is stored.", schema)
    return calls.operation(
        place,
        name,
        access.READ_VERB,
        summary=_summary(place, f"call_{name}"),
        parameters=headers.taken(idempotency.HEADER),
        requestBody={**_body(place, name), "required": True},
        responses={
            "200": headers.said(answer, idempotency.REPLAYED),
            **calls.errors_of(*calls.BODY, *place.above, *calls.ANY_TIME),
        },
    )


def _summary(place: calls.Place, method: str) -> str:
    said: Any = inspect.getdoc(getattr(place.controller, method)) or method
    return str(said).splitlines()[0].rstrip(".")


def _body(place: calls.Place, name: str) -> Json:
    schema = place.controller.action_schemas.get(name, _NO_FIELDS)
    return {
        "required": bool(schema.get("required")),
        "content": {"application/json": {"schema": schema}},
    }
