"""Headers of the OpenAPI document: preconditions, entity tags, keys of repeats."""

from __future__ import annotations

from typing import Any

from exordos_paas_storage.api import idempotency, preconditions
from exordos_paas_storage.api import openapi_schemas as schemas

Json = schemas.Json

_TEXT: Json = {"type": "string"}

PARAMETERS: dict[str, Json] = {
    preconditions.HEADER: {
        "name": preconditions.HEADER,
        "in": "header",
        "description": "Only at this generation, or at one of several; "
        f"{preconditions.RULE}. Else the answer is a 412, and nothing is stored.",
        "schema": _TEXT,
        "example": '"3"',
    },
    idempotency.HEADER: {
        "name": idempotency.HEADER,
        "in": "header",
        "description": "The same key with the same body is answered as the first time "
        "for 24 hours, and nothing is done again. With another body it is a 409.",
        "schema": {
            "type": "string",
            "minLength": 1,
            "maxLength": idempotency.MOST,
            "pattern": "^[ -~]+$",
        },
    },
}

HEADERS: dict[str, Json] = {
    "ETag": {
        "description": "The object's `generation` in quotes, for If-Match.",
        "schema": _TEXT,
    },
    idempotency.REPLAYED: {
        "description": "`true` where the answer is that of an earlier call.",
        "schema": {"type": "string", "const": "true"},
    },
    "Location": {
        "description": "Where the new object is, by name.",
        "schema": {"type": "string", "format": "uri-reference"},
    },
}


def taken(*names: str) -> list[Json]:
    """The headers that a call takes, as parameters of its operation."""
    return [schemas.ref("parameters", name) for name in names]


def said(answer: Json, *names: str) -> Json:
    """An answer with these headers."""
    headers: dict[str, Any] = {name: schemas.ref("headers", name) for name in names}
    return {**answer, "headers": headers}
