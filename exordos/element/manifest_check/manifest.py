"""A manifest, its resources, and the links in them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from exordos_paas_storage.domain import errors

# `$element.type.type.$name:field`, alone or in braces in a value that begins with f".
_LINK = re.compile(r"\$\w+(?:\.[\w$-]+)+(?::[\w\[\]().,]+)?")
_INLINE = re.compile(r"(?<!\\)\{(\$[^}]*)\}")


class Resource(NamedTuple):
    """One declared object.

    Attributes:
        type: `$element.type.type`, as its heading says.
    """

    type: str
    name: str
    fields: Mapping[str, Any]

    @property
    def link(self) -> str:
        """What other objects call it."""
        return f"{self.type}.${self.name}"


class Link(NamedTuple):
    """A link, and where it stands.

    Attributes:
        target: without its field.
        field: what is taken of the target; empty for all of it.
    """

    place: str
    target: str
    field: str


@dataclass(frozen=True)
class Manifest:
    """A manifest as it was read."""

    path: Path
    data: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The element."""
        return str(self.data.get("name", ""))

    def section(self, name: str) -> Mapping[str, Any]:
        """A section that may be left out."""
        return self.data.get(name) or {}

    def resources(self) -> Iterator[Resource]:
        """Every declared object."""
        for kind, declared in self.section("resources").items():
            for name, fields in (declared or {}).items():
                yield Resource(kind, name, fields or {})

    def misshapen(self) -> Iterator[str]:
        """Where it has no mapping and needs one; nothing else can be asked then."""
        for name in ("requirements", "imports", "exports", "resources"):
            section = self.data.get(name) or {}
            if not isinstance(section, Mapping):
                yield f"{name}: must be a mapping"
                continue
            for key, inner in section.items():
                yield from _misshapen(f"{name}.{key}", inner, deep=name == "resources")

    def links(self) -> Iterator[Link]:
        """Every link in a declared object."""
        for each in self.resources():
            yield from _links(each.fields, each.link)


def read(path: Path) -> Manifest:
    """A manifest.

    Raises:
        SetupError: it can't be read, or is no YAML mapping.
    """
    try:
        data = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise errors.SetupError(f"{path} can't be read: {error}") from None
    if not isinstance(data, Mapping):
        raise errors.SetupError(f"{path} is no manifest")
    return Manifest(path, data)


def is_link(value: Any) -> bool:
    """Whether the platform puts something else in the place of a value."""
    return isinstance(value, str) and value.startswith(("$", 'f"'))


def _misshapen(place: str, value: Any, *, deep: bool) -> Iterator[str]:
    if not isinstance(value or {}, Mapping):
        yield f"{place}: must be a mapping"
    elif deep:
        for key, inner in (value or {}).items():
            yield from _misshapen(f"{place}.{key}", inner, deep=False)


def _links(value: Any, place: str) -> Iterator[Link]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _links(inner, f"{place} {key}")
    elif isinstance(value, list):
        for inner in value:
            yield from _links(inner, place)
    elif isinstance(value, str) and value.startswith("$"):
        yield _link(value, place)
    elif is_link(value):
        yield from (_link(inner, place) for inner in _INLINE.findall(value))


def _link(text: str, place: str) -> Link:
    """A link; one that is malformed has no target."""
    if text.startswith("$self:"):
        return Link(place, "$self", text.partition(":")[2])
    target, _, field = text.partition(":")
    return Link(place, target if _LINK.fullmatch(text) else "", field)
