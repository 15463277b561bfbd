"""The versions of the data plane on offer: `exordos/manifests/versions.yaml`."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from exordos_paas_storage.domain import capabilities, errors
from exordos_paas_storage.plugin import place
from s3aas_element import identity, image_files, urns

FILE = Path(__file__).resolve().parents[2] / "manifests" / "versions.yaml"

_KIND = f"${place.ELEMENT}.types.{place.SLUG}.versions"
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


@dataclass(frozen=True)
class _Built:
    """A version as a release was built with it; its folder is the release's."""

    id: uuid.UUID
    element: str
    engine: Engine
    folder: Path


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


def check_engines_stay(offered: list[Version], manifests: Iterable[Path]) -> None:
    """Compare each version's engine with that of the last release that built it.

    A platform that has it refuses another engine (`plugin/declared_versions.py`), and
    would give new instances another engine version without a word.

    Args:
        manifests: of the releases that platforms may have.

    Raises:
        SetupError: they differ; the message has the entry that is missing.
    """
    built = [one for manifest in manifests for one in _built(manifest)]
    last = {one.id: one for one in sorted(built, key=lambda one: _age(one.element))}
    for new in offered:
        was = last.get(new.id)
        if was and was.engine != new.engine:
            raise errors.SetupError(_changed(was, new))


def _built(manifest: Path) -> Iterator[_Built]:
    text = yaml.safe_load(manifest.read_text())
    element = text["version"]
    image = urns.image(place.ELEMENT, element, image_files.FILE)
    for one in text["resources"].get(_KIND, {}).values():
        # Any other was built with an older release, and stands in that one's manifest.
        if one.get("image") == image:
            used = Engine(one["engine"], one["engine_version"])
            yield _Built(uuid.UUID(one["uuid"]), element, used, manifest.parents[1])


def _age(element: str) -> tuple[list[int], bool, str]:
    """Orders releases as the platform does: 1.2.3-rc.1 stands before 1.2.3."""
    numbers, _, candidate = element.partition("-")
    return [int(each) for each in numbers.split(".")], not candidate, candidate


def _changed(was: _Built, new: Version) -> str:
    return (
        f"{place.ELEMENT} {was.element} has {was.engine.name} {was.engine.version} as"
        f" version {new.name}, and this build would make it {new.engine.name}"
        f" {new.engine.version}. Write into {FILE} what it was, and a new one below:\n"
        f'- name: "{new.name}"\n'
        f"  engine: {was.engine.name}\n"
        f'  engine_version: "{was.engine.version}"\n'
        f'  element: "{was.element}"\n'
        f"Where nobody has installed {was.element}, remove {was.folder} instead"
    )


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
