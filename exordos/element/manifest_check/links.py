"""What links, imports, exports and requirements lead to.

Source: exordos_core 0.3, `elements/dm/models.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from manifest_check.manifest import Link, Manifest

# Columns of the platform's tables; `kind` is MetaPaaS's and Core's (gcl_sdk 3.7).
_MOST_KIND, _MOST_LINK, _MOST_NAME = 64, 255, 255
_OF_THE_ELEMENT = ("uuid", "name", "version", "status")


def problems(found: Manifest, beside: Mapping[str, Manifest]) -> Iterator[str]:
    """What is wrong with links.

    Args:
        beside: the manifests of elements that are at hand, by name.
    """
    yield from _requirements(found)
    yield from _sizes(found)
    declared = {each.link for each in found.resources()}
    for link in found.links():
        yield from _link(link, found, declared)
    for name, export in found.section("exports").items():
        if export["link"] not in declared:
            yield f"exports.{name}: {export['link']} is not declared here"
    for name, wanted in found.section("imports").items():
        yield from _import(name, wanted, beside)


def _requirements(found: Manifest) -> Iterator[str]:
    given = {found.name, *found.section("requirements")}
    used = {kind: _element(kind) for kind in found.section("resources")}
    imported = {
        f"import {name}": _element(wanted["element"])
        for name, wanted in found.section("imports").items()
    }
    for place, element in {**used, **imported}.items():
        if element not in given:
            yield f"{place}: the element {element} is not in requirements"


def _sizes(found: Manifest) -> Iterator[str]:
    ids = Counter(str(each.fields.get("uuid")) for each in found.resources())
    for each in found.resources():
        kind = "_".join(["em", _element(each.type), *each.type.split(".")[1:]])
        if len(kind) > _MOST_KIND:
            yield f"{each.type}: the kind {kind} has over {_MOST_KIND} characters"
        if len(each.link) > _MOST_LINK or not 0 < len(each.name) <= _MOST_NAME:
            yield f"{each.link}: it is too long"
        if "." in each.name or "$" in each.name or ":" in each.name:
            yield f"{each.link}: no link can lead to a name with '.', '$' or ':'"
        given = each.fields.get("uuid")
        if given is not None and ids[str(given)] > 1:
            yield f"{each.link}: another object has its uuid"


def _link(link: Link, found: Manifest, declared: set[str]) -> Iterator[str]:
    if link.target == "$self":
        if link.field not in _OF_THE_ELEMENT:
            yield f"{link.place}: an element has no {link.field!r} to link to"
    elif not link.target:
        yield f"{link.place}: this is no link"
    elif link.target.startswith(f"${found.name}.imports.$"):
        name = link.target.rpartition("$")[2]
        if name not in found.section("imports"):
            yield f"{link.place}: {link.target} is not imported"
    elif link.target not in declared:
        yield f"{link.place}: {link.target} is not declared here"


def _import(
    name: str, wanted: Mapping[str, str], beside: Mapping[str, Manifest]
) -> Iterator[str]:
    element = _element(wanted["element"])
    if element not in beside:
        return  # not at hand; that it is required was checked
    exported = beside[element].section("exports").values()
    if wanted["link"] not in [each["link"] for each in exported]:
        yield f"imports.{name}: {element} does not export {wanted['link']}"


def _element(link: str) -> str:
    return link.split(".", maxsplit=1)[0].removeprefix("$")
