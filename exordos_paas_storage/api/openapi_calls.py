"""Calls of the OpenAPI document: what hangs where in the route tree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from restalchemy.api import constants

from exordos_paas_storage.api import buckets, idempotency, index, preconditions, routes
from exordos_paas_storage.api import openapi_headers as headers
from exordos_paas_storage.api import openapi_schemas as schemas
from exordos_paas_storage.domain import access

Json = schemas.Json

# What every call, and every call with a body, may be refused with.
ANY_TIME = (401, 403, 500, 503)
BODY = (400, 409, 413, 415, 422)


class Place(NamedTuple):
    """A collection of the route tree: where it hangs and what hangs there.

    `model`, `resource` and `parameter` are there only where `lists_names` is false.
    """

    path: str
    route: type[routes.Route]

    @property
    def controller(self) -> Any:
        """The class that answers here."""
        return self.route.get_controller_class()

    @property
    def lists_names(self) -> bool:
        """Whether the path lists the collections below it, and no objects."""
        return issubclass(self.controller, index.NamesController)

    @property
    def model(self) -> Any:
        """The model of the objects here."""
        return self.controller.__resource__.get_model()

    @property
    def resource(self) -> access.Resource:
        """Their row of the access table."""
        return self.model.resource

    @property
    def kind(self) -> str:
        """The name of their schema."""
        return schemas.kind(self.resource)

    @property
    def parameter(self) -> str:
        """The path parameter that names one of them."""
        by = self.controller.by
        return self.resource.name if by == "name" else by

    @property
    def above(self) -> tuple[int, ...]:
        """The statuses that an unknown object above this one has."""
        return (404,) if "{" in self.path else ()


def places(root: type[routes.Route], path: str) -> Iterator[Place]:
    """Every collection of the route tree under `root`, which hangs at `path`."""
    place = Place(path, root)
    yield place
    for name in root.get_routes():
        below = root.get_route(name)
        inside = f"/{{{place.parameter}}}" if below.is_resource_route() else ""
        yield from places(below, f"{path}{inside}/{name.replace('_', '-')}")


def of_place(place: Place) -> dict[str, Json]:
    """The paths of a collection and of the objects in it."""
    if place.lists_names:
        return {place.path: {"get": names_call(place.path, place.controller.names)}}
    makers = {
        constants.FILTER: ("get", _list),
        constants.CREATE: ("post", _create),
    }
    own_makers = {
        constants.GET: ("get", _get),
        constants.UPDATE: ("put", _put),
        constants.DELETE: ("delete", _delete),
    }
    allowed = place.route.get_allow_methods()
    on_all = {m: make(place) for verb, (m, make) in makers.items() if verb in allowed}
    on_one = {
        m: make(place) for verb, (m, make) in own_makers.items() if verb in allowed
    }
    if constants.UPDATE in allowed:
        on_one["patch"] = _patch(place)
    one = f"{place.path}/{{{place.parameter}}}"
    return {
        place.path: with_parameters(place.path, on_all),
        one: with_parameters(one, on_one),
    }


def with_parameters(path: str, operations: Json) -> Json:
    """The item of a path, with the parameters that its names in braces are."""
    named = [
        schemas.ref("parameters", part.strip("{}"))
        for part in path.split("/")
        if part.startswith("{")
    ]
    return {"parameters": named, **operations} if named else operations


def path_parameter(place: Place) -> Json:
    """The component that describes `place.parameter`."""
    name = place.parameter
    words = "Access key id" if name == "access_key" else "Name"
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": f"{words} or id of the {name.replace('_', ' ')}.",
        "schema": {"type": "string", "minLength": 1},
    }


def names_call(path: str, names: tuple[str, ...]) -> Json:
    """The call that lists what lies below `path`."""
    items = {"type": "string", "enum": list(names)}
    return {
        "operationId": f"list_below_{path.rsplit('/', 1)[-1]}",
        "summary": f"List what lies below {path}",
        "tags": ["Service"],
        "security": [],
        "responses": {
            "200": said("The names.", {"type": "array", "items": items}),
            **errors_of(500),
        },
    }


def operation(place: Place, call: str, verb: str, **rest: Any) -> Json:
    """What every operation says: who may, and whatever `rest` adds to it."""
    resource = place.resource
    what = resource.kind.removeprefix("s3_")
    roles = [role for role in access.ROLES if resource.may(role, verb)]
    return {
        "operationId": f"{call}_{what}",
        "summary": f"{call.capitalize()} {what.replace('_', ' ')}",
        "description": f"Needs `{access.permission(resource.name, verb)}`, which has: "
        f"{', '.join(roles)}.",
        "tags": [schemas.kind(resource)],
        **rest,
    }


def _list(place: Place) -> Json:
    items = schemas.ref("schemas", place.kind)
    page = said("A page of objects.", {"type": "array", "items": items})
    answer = headers.said(page, *schemas.LIST_HEADERS)
    return operation(
        place,
        "list",
        access.READ_VERB,
        parameters=schemas.list_parameters(place.resource, place.model),
        responses={"200": answer, **errors_of(400, *place.above, *ANY_TIME)},
    )


def _create(place: Place) -> Json:
    shown = schemas.created_name(place.resource)
    answer = said("It is stored.", schemas.ref("schemas", shown))
    return operation(
        place,
        "create",
        access.CREATE,
        parameters=headers.taken(idempotency.HEADER),
        requestBody=_sent(f"{place.kind}Create"),
        responses={
            "201": headers.said(answer, "Location", "ETag", idempotency.REPLAYED),
            **errors_of(*BODY, *place.above, *ANY_TIME),
        },
    )


def _get(place: Place) -> Json:
    answer = said("The object.", schemas.ref("schemas", place.kind))
    return operation(
        place,
        "get",
        access.READ_VERB,
        parameters=headers.taken(preconditions.HEADER),
        responses={
            "200": headers.said(answer, "ETag"),
            **errors_of(400, 404, 412, *ANY_TIME),
        },
    )


def _put(place: Place) -> Json:
    return _change(place, "put")


def _patch(place: Place) -> Json:
    return _change(place, "update")


def _change(place: Place, call: str) -> Json:
    answer = said("It is stored.", schemas.ref("schemas", place.kind))
    return operation(
        place,
        call,
        access.UPDATE,
        parameters=headers.taken(preconditions.HEADER),
        requestBody=_sent(f"{place.kind}Update"),
        responses={
            "200": headers.said(answer, "ETag"),
            **errors_of(*BODY, 404, 412, *ANY_TIME),
        },
    )


def _delete(place: Place) -> Json:
    gone = {"description": "It is being deleted: `DELETING` until it is unknown."}
    refused = [400, 404, 409, 412]
    asked = headers.taken(preconditions.HEADER)
    if issubclass(place.controller, buckets.BucketController):
        refused += [422]
        asked += [_on_nonempty()]
    return operation(
        place,
        "delete",
        access.DELETE,
        parameters=asked,
        responses={"204": gone, **errors_of(*refused, *ANY_TIME)},
    )


def _on_nonempty() -> Json:
    return schemas.query(
        "on_nonempty",
        "What to do about a bucket that holds objects; only `fail` yet.",
        {
            "type": "string",
            "enum": list(buckets.ON_NONEMPTY),
            "default": buckets.ON_NONEMPTY[0],
        },
    )


def said(description: str, schema: Json) -> Json:
    """An answer with a JSON body."""
    return {"description": description, "content": _json(schema)}


def _sent(name: str) -> Json:
    return {"required": True, "content": _json(schemas.ref("schemas", name))}


def _json(schema: Json) -> Json:
    return {"application/json": {"schema": schema}}


def errors_of(*statuses: int) -> Json:
    """References to the error answers of some statuses."""
    return {
        str(status): schemas.ref("responses", f"Error{status}")
        for status in sorted(statuses)
    }
