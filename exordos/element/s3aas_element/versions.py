"""The versions of the data plane on offer: `exordos/manifests/versions.yaml`."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from exordos_paas_storage.domain import capabilities, errors
from exordos_paas_storage.plugin import place
from s3aas_element import identity, image_files, urns

FILE = Path(__file__).resolve().parents[2] / "manifests" / "versions.yaml"

_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z._+-]{0,62}")
_KEYS = {"name", "engine", "engine_version", "element", "deprecated"}
_SHIPPED = {"engine", "engine_version", "element"}


@dataclass(frozen=True)
class Engine:
    """What runs on a node."""

    name: str
    version: str


@dataclass(frozen=True)
class Version:
    """A version on offer.

    Attributes:
        name: what an instance asks for.
        image: the node image, by its URN.
        default: whether an instance that asks for none gets it.
        deprecated: whether no new instance gets it.
    """

    label: str
    id: uuid.UUID
    name: str
    engine: Engine
    image: str
    default: bool
    deprecated: bool


def engine(name: str, version: str) -> Engine:
    """An engine that was named by hand.

    Raises:
        SetupError: there is no such engine, or this is no version.
    """
    if name not in capabilities.ENGINES:
        known = " and ".join(capabilities.ENGINES)
        raise errors.SetupError(f"engine: {name!r} is none; there are {known}")
    if not _NAME.fullmatch(version):
        raise errors.SetupError(f"engine version: {version!r} is none")
    return Engine(name, version)


def on_offer(
    built: Engine, element_version: str, listing: Path = FILE
) -> list[Version]:
    """Every version of the listing; the last is the default.

    Args:
        built: the engine of the image that is built with this element.
        element_version: of the element that is built.

    Raises:
        SetupError: the listing is not as its first lines say.
    """
    entries = _entries(listing)
    try:
        found = [_version(one, built, element_version, entries) for one in entries]
        if sum("element" not in one for one in entries) > 1:
            raise errors.SetupError("only one version can be built with an element")
        if len({one.name for one in found}) < len(found):
            raise errors.SetupError("a name stands twice")
        if found[-1].deprecated:
            raise errors.SetupError("the last is the default and can't be deprecated")
    except errors.SetupError as error:
        raise errors.SetupError(f"{listing}: {error}") from None
    return found


def _entries(listing: Path) -> list[Mapping[str, Any]]:
    try:
        entries = yaml.safe_load(listing.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise errors.SetupError(f"{listing} can't be read: {error}") from None
    if not isinstance(entries, list) or not entries:
        raise errors.SetupError(f"{listing} must be a list of at least one version")
    return entries


def _version(
    entry: Mapping[str, Any],
    built: Engine,
    element_version: str,
    entries: list[Mapping[str, Any]],
) -> Version:
    if not isinstance(entry, Mapping) or not set(entry) <= _KEYS:
        raise errors.SetupError(
            f"a version has no more than {', '.join(sorted(_KEYS))}"
        )
    name = entry.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise errors.SetupError(f"{name!r} is no name; write it in quotes")
    if shipped := _SHIPPED & set(entry):
        if shipped != _SHIPPED or not all(
            isinstance(entry[key], str) for key in shipped
        ):
            wanted = ", ".join(sorted(_SHIPPED))
            raise errors.SetupError(f"{name}: give {wanted}, each in quotes, or none")
        used = engine(entry["engine"], entry["engine_version"])
    else:
        used = built
    release = entry.get("element", element_version)
    return Version(
        label=f"v{re.sub('[^0-9A-Za-z]', '_', name)}",
        id=identity.of("version", name),
        name=name,
        engine=used,
        image=urns.image(place.ELEMENT, release, image_files.FILE),
        default=entry is entries[-1],
        deprecated=bool(entry.get("deprecated", False)),
    )
