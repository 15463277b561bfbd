"""What a release of the element says, checked before anything is made of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import exordos_paas_storage
from exordos_paas_storage.domain import capabilities, errors
from exordos_paas_storage.onebox import engine_minio, engine_rustfs
from s3aas_element import image_files, repository, versions

# In the plugin's table `index_url` has this length (exordos_metapaas 1.3, PaaSType).
_MOST_URL = 512
# As the platform orders versions (exordos_core 0.3, repo/builders/element.py).
_VERSION = re.compile(r"\d+\.\d+\.\d+(-[0-9A-Za-z.+-]+)?")
_PINNED = {
    capabilities.RUSTFS: engine_rustfs.VERSION,
    capabilities.MINIO: engine_minio.VERSION,
}


@dataclass(frozen=True)
class Release:
    """A release.

    Attributes:
        version: of the element and of the manifests.
        wheel_version: of the plugin that it installs.
        index_url: the package index with the plugin, asked before the platform's own;
            empty where the platform's own has it.
        versions: of the data plane.
    """

    version: str
    wheel_version: str
    index_url: str
    versions: list[versions.Version]


def of(
    version: str | None, index_url: str, engine: versions.Engine, wheel: str = ""
) -> Release:
    """A release.

    Args:
        version: of the element; None for the package's.
        index_url: as `index` answers it.
        wheel: the wheel's version where it is known already; else the package's.

    Raises:
        SetupError: the platform would not take it.
    """
    packaged = exordos_paas_storage.__version__
    element = checked_version(version or packaged)
    offered = versions.on_offer(engine, element)
    return Release(element, wheel or packaged, index_url, offered)


def engine_for(name: str | None, version: str | None, folder: Path) -> versions.Engine:
    """The engine that was named, else that of a folder's image, else the one we sell.

    Raises:
        SetupError: there is no such engine, or a version was given without one.
    """
    if name is not None:
        return versions.engine(name, version or _PINNED.get(name, ""))
    if version is not None:
        raise errors.SetupError("engine version: say of which engine, with --engine")
    found = image_files.find(folder)
    if found is not None:
        return versions.engine(found.engine, found.engine_version)
    return versions.engine(capabilities.RUSTFS, engine_rustfs.VERSION)


def index(index_url: str, where: str) -> str:
    """The package index: the one that was named, or that of a served repository.

    Args:
        where: the address of what `make build` writes, with or without the folder of
            the elements at its end.

    Raises:
        SetupError: it is no address, or one with a password in it.
    """
    if index_url:
        return checked_url("index URL", index_url)
    if not where:
        return ""
    return checked_url("repository", f"{_top(where)}/simple/")


def elements(where: str) -> str:
    """The address that Core reads elements at, with a slash at its end.

    Args:
        where: as `index` takes it.

    Raises:
        SetupError: as `index`.
    """
    return checked_url("repository", f"{_top(where)}/{repository.ELEMENTS}/")


def _top(where: str) -> str:
    return re.sub(rf"/*({repository.ELEMENTS}/*)?$", "", where)


def checked_version(version: str) -> str:
    if not _VERSION.fullmatch(version) or len(version) > 64:
        raise errors.SetupError(
            f"version: {version!r} is none; it is as 1.2.3 or 1.2.3-rc.1, of at most"
            " 64 characters"
        )
    return version


def checked_url(name: str, url: str) -> str:
    """An address that the platform can ask; whoever reads the manifest reads it."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise errors.SetupError(f"{name}: this is no URL") from None
    if parts.username or parts.password:
        raise errors.SetupError(f"{name}: it must not have a user or a password in it")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise errors.SetupError(f"{name}: {url!r} is no http or https URL")
    if len(url) > _MOST_URL or re.search(r"[\s\"'\\]", url):
        raise errors.SetupError(f"{name}: it has a blank or a quote, or is too long")
    return url
