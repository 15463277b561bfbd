"""Schemas of the OpenAPI document: objects, errors, the parameters of lists."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from exordos_paas_storage.api import queries
from exordos_paas_storage.domain import access, errors
from exordos_paas_storage.models import idempotency

Json = dict[str, Any]

# Null in a request asks the service to choose; in an answer they never are null.
_CHOSEN_BY_SERVICE = frozenset([
    "instance.version",
    "policy.document",
    "access_key.access_key",
])  # fmt: skip


def kind(resource: access.Resource) -> str:
    """The schema's name: the resource's `kind` in CamelCase, without `s3_`."""
    return resource.kind.removeprefix("s3_").title().replace("_", "")


def ref(where: str, name: str) -> Json:
    """A reference to a component."""
    return {"$ref": f"#/components/{where}/{name}"}


def of_resource(resource: access.Resource) -> dict[str, Json]:
    """The schemas of one resource: what is read, and what may be sent."""
    name = kind(resource)
    shown = {
        field: _shown(resource, field) for field in visible(resource, creating=False)
    }
    found = {name: object_of(f"What GET answers of a `{resource.kind}`.", shown)}
    if access.CREATE in resource.verbs:
        found[f"{name}Create"] = _create(resource)
    if access.UPDATE in resource.verbs:
        found[f"{name}Update"] = _update(resource, shown)
    if has_created_view(resource):
        created = {
            field: _shown(resource, field) for field in visible(resource, creating=True)
        }
        found[f"{name}Created"] = object_of(
            "What the call that creates it answers, this once with its secret.", created
        )
    return found


def has_created_view(resource: access.Resource) -> bool:
    """Whether the answer that creates an object shows more than a later GET."""
    return any(field.once for field in resource.fields.values())


def created_name(resource: access.Resource) -> str:
    """The schema of the answer that creates an object."""
    return f"{kind(resource)}{'Created' if has_created_view(resource) else ''}"


def visible(resource: access.Resource, creating: bool) -> Iterator[str]:
    """The fields that the owner sees; no other role sees more."""
    for name, field in resource.fields.items():
        hidden = resource.level(access.OWNER, name) == access.HIDDEN
        if not hidden and (creating or not field.once):
            yield name


def settable(resource: access.Resource, level: access.Level) -> Iterator[str]:
    """The fields that some role may set at `level` or above, and that have effect."""
    for name, field in resource.fields.items():
        if max(field.access) >= level and not field.later:
            yield name


def object_of(description: str, fields: dict[str, Json]) -> Json:
    """An object of which every field is there."""
    return {
        "type": "object",
        "description": description,
        "required": list(fields),
        "properties": fields,
    }


def _shown(resource: access.Resource, name: str) -> Json:
    field = resource.fields[name]
    schema = dict(field.rule.schema)
    if f"{resource.name}.{name}" in _CHOSEN_BY_SERVICE:
        schema = without_null(schema)
    if name == "kind":
        schema = {"type": "string", "const": resource.kind}
    if max(field.access) == access.READ:
        schema["readOnly"] = True
    if field.later:
        schema["description"] = "Can't be set yet."
    if field.once:
        schema["description"] = (
            f"Shown in this answer alone; null where it is repeated later than "
            f"{idempotency.SECRET_KEPT.seconds // 60} minutes after."
        )
    return schema


def _create(resource: access.Resource) -> Json:
    names = list(settable(resource, access.SET_ONCE))
    required = [name for name in names if resource.fields[name].required]
    return {
        "type": "object",
        "description": "What POST takes; null, or left out, means the default.",
        **({"required": required} if required else {}),
        "properties": {name: _asked(resource.fields[name]) for name in names},
        "additionalProperties": False,
    }


def _update(resource: access.Resource, shown: dict[str, Json]) -> Json:
    written = {
        name: _asked(resource.fields[name]) for name in settable(resource, access.WRITE)
    }
    fixed = {
        name: {**schema, "readOnly": True}
        for name, schema in shown.items()
        if name not in written
    }
    return {
        "type": "object",
        "description": "What PATCH and PUT take; both change only the fields that are "
        "sent. Null means the default. A field that can't be set is accepted when it "
        "is equal to the current value.",
        "properties": {**written, **fixed},
        "additionalProperties": False,
    }


def _asked(field: access.Field) -> Json:
    schema = dict(field.rule.schema)
    if not field.required and without_null(schema) == schema:
        schema = {"anyOf": [schema, {"type": "null"}]}
    words = field.rule.words
    schema["description"] = f"{words[:1].upper()}{words[1:]}."
    if field.default is not None:
        schema["default"] = field.default
    return schema


def without_null(schema: Json) -> Json:
    """What a schema takes beside null."""
    inner = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    return dict(inner[0]) if len(inner) == 1 else schema


_ERROR_HEADERS: dict[int, tuple[str, Json]] = {
    401: ("WWW-Authenticate", {"type": "string", "const": "Bearer"}),
    503: ("Retry-After", {"type": "integer"}),
}


def error_schema() -> Json:
    """The error form."""
    known = errors.request_errors()
    codes = sorted({error.status for error in known.values()})
    return object_of(
        "Every error has this form.",
        {
            "type": {"type": "string", "enum": list(known)},
            "code": {"type": "integer", "enum": codes},
            "message": {
                "type": "string",
                "description": "`<field path>: <rule>` in words.",
            },
        },
    )


def error_responses() -> dict[str, Json]:
    """One answer for each status, with the types that it can have."""
    found: dict[str, Json] = {}
    for name, error in errors.request_errors().items():
        answer = found.setdefault(
            f"Error{error.status}",
            {
                "description": "",
                "content": {"application/json": {"schema": ref("schemas", "Error")}},
            },
        )
        answer["description"] += f"* `{name}`: {error.__doc__ or ''}\n"
        if error.status in _ERROR_HEADERS:
            header, schema = _ERROR_HEADERS[error.status]
            answer["headers"] = {header: {"schema": schema}}
    return found


def list_parameters(resource: access.Resource, model: Any) -> list[Json]:
    """The query parameters of a list of `resource`."""
    known = queries.comparable(resource, access.OWNER, model)
    sortable = queries.sortable(resource, access.OWNER, model)
    filters = [
        name
        for name, field in resource.fields.items()
        if name in known and not field.later
    ]
    return [
        *(ref("parameters", name) for name in LIST_PARAMETERS),
        query(
            "sort_key",
            "The field to sort by.",
            {"type": "string", "enum": [name for name in filters if name in sortable]},
        ),
        _many(
            "fields",
            "The fields to answer; repeat it for more. All by default.",
            {"type": "string", "enum": list(visible(resource, creating=False))},
        ),
        *(
            _many(
                name,
                f"Only objects whose `{name}` is this; repeat it for one of several.",
                _plain(resource.fields[name]),
            )
            for name in filters
        ),
    ]


def _plain(field: access.Field) -> Json:
    """A field's type alone: a filter may ask for what no object can have."""
    schema = without_null(dict(field.rule.schema))
    return {key: schema[key] for key in ("type", "format", "enum") if key in schema}


def query(name: str, description: str, schema: Json) -> Json:
    """A query parameter."""
    return {"name": name, "in": "query", "description": description, "schema": schema}


def _many(name: str, description: str, items: Json) -> Json:
    array = {"type": "array", "items": items}
    return {**query(name, description, array), "explode": True}


LIST_PARAMETERS: dict[str, Json] = {
    "page_limit": query(
        "page_limit",
        "How many objects a page holds.",
        {
            "type": "integer",
            "minimum": 1,
            "maximum": queries.MOST_LIMIT,
            "default": queries.DEFAULT_LIMIT,
        },
    ),
    "page_marker": query(
        "page_marker",
        "The id of the last object of the page before: its X-Pagination-Marker.",
        {"type": "string", "format": "uuid"},
    ),
    "sort_dir": query(
        "sort_dir",
        "The direction of `sort_key`.",
        {"type": "string", "enum": ["asc", "desc"], "default": "asc"},
    ),
    "q": query(
        "q",
        'A filter expression, such as `name = "a" OR generation > 3`.',
        {"type": "string"},
    ),
    "label": _many(
        "label",
        "Only objects with this label, as `key=value`; repeated ones hold together.",
        {"type": "string", "pattern": "^[^=]+=.*$"},
    ),
}

LIST_HEADERS: dict[str, Json] = {
    "X-Pagination-Limit": {
        "description": "How many objects a page holds.",
        "schema": {"type": "integer"},
    },
    "X-Pagination-Marker": {
        "description": "The `page_marker` of the next page; absent on the last one.",
        "schema": {"type": "string", "format": "uuid"},
    },
}
