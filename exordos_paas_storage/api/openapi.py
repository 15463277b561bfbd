"""/specifications: the OpenAPI document, made of the route tree and the access table.

restalchemy makes one too, with another error form and other paths than the service's.
"""

from __future__ import annotations

import functools
from typing import Any

import webob

import exordos_paas_storage
from exordos_paas_storage.api import index, packer, routes, token
from exordos_paas_storage.api import openapi_actions as actions
from exordos_paas_storage.api import openapi_calls as calls
from exordos_paas_storage.api import openapi_headers as headers
from exordos_paas_storage.api import openapi_schemas as schemas
from exordos_paas_storage.domain import errors
from exordos_paas_storage.iam import issuer

VERSION = "3.1.0"
PREFIX = "/v1/types/s3"
Json = schemas.Json


class SpecificationController(index.NamesController):
    """/specifications/{version}"""

    names = (VERSION,)

    def do_resource(self, uuid: str, parent_resource: Any = None) -> webob.Response:
        if uuid not in self.names:
            raise errors.NotFound("path", "names nothing that exists")
        return webob.Response(body=_served(), content_type="application/json")


@functools.cache
def _served() -> bytes:
    # A relative server URL: whoever reads the document reached the service by it.
    return packer.packed(document(routes.TypeRoute, PREFIX, "/"))


def document(root: type[routes.Route], prefix: str, server_url: str) -> Json:
    """The OpenAPI document of the service.

    Args:
        root: the route tree.
        prefix: the path at which `root` is mounted, without a slash at its end.
        server_url: what the paths are appended to.
    """
    paths: dict[str, Json] = {}
    found = list(calls.places(root, prefix))
    for place in found:
        paths.update(calls.of_place(place))
        paths.update(actions.of_place(place))
    return {
        "openapi": VERSION,
        "info": {
            "title": "Exordos S3 storage",
            "version": exordos_paas_storage.__version__,
            "description": "S3 instances, buckets, users, policies and access keys. "
            "A write is answered at once and shown as `PENDING` until the engine "
            "has it; a path takes an object's name or its id, with or without a "
            "slash at its end.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": server_url}],
        "security": [{"bearer": []}],
        "tags": [
            *(
                {
                    "name": schemas.kind(place.resource),
                    "description": f"Objects of kind `{place.resource.kind}`.",
                }
                for place in found
                if not place.lists_names
            ),
            {"name": "Service", "description": "Tokens, health and this document."},
        ],
        "paths": {**paths, **_service_paths()},
        "components": _components(found),
    }


def _components(found: list[calls.Place]) -> Json:
    shapes = {"Error": schemas.error_schema(), **_token_schemas()}
    parameters = {**schemas.LIST_PARAMETERS, **headers.PARAMETERS}
    for place in found:
        if not place.lists_names:
            shapes.update(schemas.of_resource(place.resource))
            parameters[place.parameter] = calls.path_parameter(place)
    return {
        "schemas": shapes,
        "parameters": parameters,
        "headers": {**schemas.LIST_HEADERS, **headers.HEADERS},
        "responses": schemas.error_responses(),
        "securitySchemes": {
            "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
        },
    }


def _service_paths() -> dict[str, Json]:
    """The paths beside the tree that need no token."""
    well: Json = {"type": "object", "properties": {"status": {"const": "ok"}}}
    names = calls.names_call("/specifications", SpecificationController.names)
    return {
        token.PATH: {"post": _token_call()},
        "/healthz": {"get": _open_call("health", "The process answers", well)},
        "/readyz": {"get": _open_call("ready", "Requests are served", well, 503)},
        "/specifications": {"get": names},
        f"/specifications/{VERSION}": {
            "get": _open_call("specification", "This document", {"type": "object"})
        },
    }


def _open_call(name: str, summary: str, schema: Json, *statuses: int) -> Json:
    return {
        "operationId": name,
        "summary": summary,
        "tags": ["Service"],
        "security": [],
        "responses": {
            "200": calls.said(summary, schema),
            **calls.errors_of(500, *statuses),
        },
    }


def _token_call() -> Json:
    call = _open_call(
        "get_token",
        "Exchange a password or a refresh token for an access token",
        schemas.ref("schemas", "Token"),
        *(405, 413, 415, 503),
    )
    forms = ("application/x-www-form-urlencoded", "application/json")
    asked = {"schema": schemas.ref("schemas", "TokenRequest")}
    call["requestBody"] = {"required": True, "content": dict.fromkeys(forms, asked)}
    refused = calls.said(
        "The grant is refused.", schemas.ref("schemas", "TokenRefused")
    )
    call["responses"]["400"] = refused
    call["description"] = (
        f"Tokens live {issuer.DEFAULT_TTL_S} s unless `ttl` says else."
    )
    return call


def _token_schemas() -> dict[str, Json]:
    """What the token call takes and answers."""
    text: Json = {"type": "string"}
    common: Json = {
        "scope": {
            "type": "string",
            "pattern": "^project:",
            "description": "`project:<uuid>`; a token without a project opens nothing.",
        },
        "ttl": {"type": "integer", "minimum": 1, "maximum": issuer.MOST_TTL_S},
        "client_id": text,
        "client_secret": text,
    }
    return {
        "TokenRequest": {
            "oneOf": [
                _grant("password", ("username", "password"), common),
                _grant("refresh_token", ("refresh_token",), common),
            ]
        },
        "Token": schemas.object_of(
            "An access token, and what to renew it by. Times are in seconds.",
            {
                "access_token": text,
                "token_type": {"type": "string", "const": issuer.ACCESS_TYPE},
                "expires_in": {"type": "integer"},
                "refresh_token": text,
                "refresh_expires_in": {"type": "integer"},
                "scope": text,
            },
        ),
        "TokenRefused": schemas.object_of(
            "A refused grant: the error of RFC 6749, and the error form beside it.",
            {
                "error": text,
                "error_description": text,
                "type": {"type": "string", "const": "InvalidGrant"},
                "code": {"type": "integer", "const": 400},
                "message": text,
            },
        ),
    }


def _grant(name: str, required: tuple[str, ...], common: Json) -> Json:
    fields = {field: {"type": "string"} for field in required}
    return {
        "type": "object",
        "required": ["grant_type", *required],
        "properties": {
            "grant_type": {"type": "string", "const": name},
            **fields,
            **common,
        },
    }
