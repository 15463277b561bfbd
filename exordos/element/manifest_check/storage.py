"""What is declared of S3 storage, by the API's own document and the table behind it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from exordos_paas_storage.domain import access, errors
from exordos_paas_storage.domain.language import document
from exordos_paas_storage.plugin import declared as plugin
from exordos_paas_storage.plugin import declared_versions, place
from manifest_check.manifest import Manifest, Resource, is_link

_PREFIX = f"${place.ELEMENT}.types.{place.SLUG}."
_PATH = f"/v1/types/{place.SLUG}/"
# What every declared object may have.
_ANY = {"uuid", "project_id"}
# A secret that the service makes is shown in the API's answer, which nobody reads here.
_NEEDED_HERE = {"instances.users.access_keys": ("secret_key",)}


@dataclass(frozen=True)
class Collection:
    """Where POST makes an object.

    Attributes:
        parents: fields that say in what the object lies.
        schema: of the body.
    """

    parents: tuple[str, ...]
    schema: Mapping[str, Any]


def collections(openapi: Mapping[str, Any]) -> dict[str, Collection]:
    """The collections of an API's document, by what a manifest calls them.

    Raises:
        SetupError: it is not the document of S3 storage.
    """
    found = {}
    for path, calls in openapi.get("paths", {}).items():
        if "post" not in calls or not path.startswith(_PATH):
            continue
        parts = path.removeprefix(_PATH).strip("/").split("/")
        words = [part.replace("-", "_") for part in parts if part[0] != "{"]
        parents = tuple(part.strip("{}") for part in parts if part[0] == "{")
        body = calls["post"]["requestBody"]["content"]["application/json"]["schema"]
        if "$ref" not in body:
            continue  # an action: it makes nothing that has a name
        schema = openapi["components"]["schemas"][body["$ref"].rpartition("/")[2]]
        found[".".join(words)] = Collection(parents, schema)
    if "instances" not in found:
        raise errors.SetupError("this is not the API's document: run `make docs`")
    return found


def problems(found: Manifest, known: Mapping[str, Collection]) -> Iterator[str]:
    """What the service would refuse.

    Args:
        known: as `collections` answers it.
    """
    for each in found.resources():
        name = each.type.removeprefix(_PREFIX)
        if name == each.type:
            if each.type.startswith(f"${place.ELEMENT}"):
                yield f"{each.link}: S3 storage has no such type"
        elif name == access.VERSION.collection:
            yield from _version(each, found)
        elif name in known and name in plugin.AGENT_MODELS:
            needed = (
                *known[name].schema.get("required", ()),
                *_NEEDED_HERE.get(name, ()),
            )
            yield from _missing(each, (*known[name].parents, *needed))
            yield from _object(each, known[name], _resource(name))
        else:
            yield f"{each.link}: S3 storage has no such type"


def _object(
    declared: Resource, collection: Collection, resource: access.Resource
) -> Iterator[str]:
    fields = declared.fields
    for name in sorted(set(fields) - _ANY - set(collection.parents)):
        if name not in collection.schema["properties"]:
            yield f"{declared.link} {name}: can't be declared"
        elif not is_link(fields[name]):
            yield from _value(declared, resource, name)


def _missing(declared: Resource, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        if name not in declared.fields:
            yield f"{declared.link} {name}: is missing"


def _value(declared: Resource, resource: access.Resource, name: str) -> Iterator[str]:
    value = declared.fields[name]
    try:
        access.check(resource, name, value)
        if name in ("document", "scope") and value is not None:
            document.parse(value, name)
    except errors.RequestError as error:
        yield f"{declared.link} {error}"


def _version(declared: Resource, found: Manifest) -> Iterator[str]:
    if found.name != place.ELEMENT:
        yield f"{declared.link}: versions come with the element {place.ELEMENT} alone"
    resource = declared_versions.RESOURCE
    required = [name for name, field in resource.fields.items() if field.required]
    yield from _missing(declared, required)
    for name in sorted(set(declared.fields) - _ANY):
        if resource.level(access.OWNER, name) < access.SET_ONCE:
            yield f"{declared.link} {name}: can't be declared"
        else:
            yield from _value(declared, resource, name)


def _resource(name: str) -> access.Resource:
    """The table's part: attachments and policies both are `policies` in a path."""
    last = name.rpartition(".")[2].replace("_", "-")
    inside_user = name.startswith("instances.users.")
    [found] = [
        each
        for each in access.RESOURCES
        if each.collection == last
        and (each is access.ATTACHMENT) <= inside_user
        and not (each is access.POLICY and inside_user)
    ]
    return found
