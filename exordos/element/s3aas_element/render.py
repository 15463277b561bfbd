"""Renders the manifests from their templates in `exordos/manifests`."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import jinja2

from exordos_paas_storage.nodes import image
from exordos_paas_storage.plugin import place
from s3aas_element import grants, identity, image_files, urns, versions
from s3aas_element.release import Release

TEMPLATES = versions.FILE.parent
ELEMENTS = (place.ELEMENT, "example_s3", "communal_s3")

# What `exordos build` puts in, where that command renders the manifest once more.
_ITS_VERSION = "{{ version }}"
_ITS_IMAGE = f"{{{{ images.{image.NAME.replace('-', '_')} }}}}"


def manifest(element: str, release: Release) -> str:
    """The manifest of one element, as YAML.

    Args:
        element: one of `ELEMENTS`.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - this is YAML, and each value is quoted
    )
    environment.filters["quoted"] = _quoted
    return environment.get_template(f"{element}.yaml.j2").render(
        element=place.ELEMENT,
        slug=place.SLUG,
        instances=f"${place.ELEMENT}.types.{place.SLUG}.instances",
        version=release.version,
        plugin={
            "id": identity.of("plugin", place.SLUG),
            "package": f"{place.DISTRIBUTION}[metapaas]",
            "version": release.wheel_version,
            "index_url": release.index_url,
        },
        versions=release.versions,
        roles=grants.roles(),
        permissions=grants.permissions(),
        grants=grants.grants(),
        metapaas_project=identity.METAPAAS_PROJECT,
        project=identity.MANIFEST_PROJECT,
    )


def write(release: Release, folder: Path) -> list[Path]:
    """Write every manifest into a folder; their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for element in ELEMENTS:
        path = folder / f"{element}.yaml"
        path.write_text(manifest(element, release))
        written.append(path)
    return written


def write_template(release: Release, folder: Path) -> Path:
    """Write the element's manifest as a template that `exordos build` renders.

    That command takes the element's version from git and names the image by it.
    """
    built = urns.image(place.ELEMENT, release.version, image_files.FILE)
    offered = [
        dataclasses.replace(one, image=_ITS_IMAGE) if one.image == built else one
        for one in release.versions
    ]
    template = dataclasses.replace(release, version=_ITS_VERSION, versions=offered)
    path = folder / f"{place.ELEMENT}.yaml.j2"
    path.write_text(manifest(place.ELEMENT, template))
    return path


def _quoted(value: Any) -> str:
    """A value as YAML reads it back whole: JSON is YAML."""
    return json.dumps(value if isinstance(value, bool) else str(value))
