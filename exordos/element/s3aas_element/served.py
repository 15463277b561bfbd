"""What lies at a repository's address, read as Core reads it.

Source: exordos_core 0.3.5, `repo/drivers/nginx.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import yaml

from exordos_paas_storage.domain import errors
from exordos_paas_storage.plugin import place

_READ_S = 30.0
# What lies at an address.
Read = Callable[[str], str]


@dataclass(frozen=True)
class Content:
    """What a release is, as Core keeps it."""

    manifest: dict[str, Any]
    inventory: dict[str, Any]

    def wheels(self) -> dict[str, str]:
        """Digests of the plugin's wheels by their names."""
        known: dict[str, str] = self.inventory.get("wheels", {})
        return known

    def names(self, urn: str) -> bool:
        """Whether the manifest has it, as a version of the data plane its image."""
        return f'"{urn}"' in json.dumps(self.manifest)

    def requirements(self) -> str:
        """What else has to be installed, in one line."""
        wanted: dict[str, dict[str, str]] = self.manifest.get("requirements", {})
        return ", ".join(
            " ".join([name, *(f"{word} {bound}" for word, bound in bounds.items())])
            for name, bounds in wanted.items()
        )


@dataclass(frozen=True)
class Offer:
    """A release that is served.

    Attributes:
        listed: versions of all releases that are served beside it, and its own.
    """

    content: Content
    version: str
    listed: frozenset[str]


def read(address: str) -> str:
    """What a web server has at an address.

    Raises:
        SetupError: it can't be read from here.
    """
    try:
        answer = httpx.get(address, timeout=_READ_S, follow_redirects=True)
        answer.raise_for_status()
    except httpx.HTTPError as error:
        raise errors.SetupError(
            f"{address} can't be read from here ({error}). Is the built"
            " output/repository served at that address? Nothing was changed"
        ) from None
    return answer.text


def offer(look: Read, address: str, version: str) -> Offer:
    """A release of the element, and which others are there.

    Args:
        address: of the repository, with a slash at its end.

    Raises:
        SetupError: there is no such release.
    """
    folder = f"{address}{place.ELEMENT}/{version}/"
    listed = _listed(look, address)
    if version not in listed:
        raise errors.SetupError(
            f"{address} has {place.ELEMENT} {', '.join(sorted(listed)) or 'not at all'}"
            f" and no {version}: run `make build` and serve that. Nothing was changed"
        )
    try:
        manifest = yaml.safe_load(look(f"{folder}manifests/{place.ELEMENT}.yaml"))
        inventory = json.loads(look(f"{folder}inventory.json"))
    except (ValueError, yaml.YAMLError):
        raise errors.SetupError(
            f"{folder} has no release as `make build` makes"
        ) from None
    return Offer(Content(manifest, inventory), version, listed)


def _listed(look: Read, address: str) -> frozenset[str]:
    try:
        elements = json.loads(look(f"{address}inventory.json"))["elements"]
        return frozenset(elements.get(place.ELEMENT, {}))
    except (ValueError, TypeError, KeyError, AttributeError):
        raise errors.SetupError(
            f"{address}inventory.json is no list of elements as `make build` makes"
        ) from None
