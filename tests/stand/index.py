"""The package index that the platform installs our package from: ours, made by ours."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
import zipfile
from pathlib import Path

from node_image import command
from s3aas_element import package_index, wheel

from exordos_paas_storage.domain import errors
from tests.stand import environment, places

# What a wheel is built from; see pyproject.toml.
FOLDERS = ("exordos_paas_storage", "migrations")
FILES = ("pyproject.toml", "README.md", "LICENSE")
_SIMPLE = places.INDEX / "simple"
_LIMIT_S = 300.0
_VERSION = re.compile(r'^__version__ = "(.*)"$', re.MULTILINE)


def add(number: str) -> Path:
    """Offer one more version of ours, on the pages that `make build` writes; its wheel.

    Args:
        number: of the version; the sources are those that are here.

    Raises:
        SetupError: it can't be built, or what it needs can't be fetched.
    """
    with tempfile.TemporaryDirectory(prefix=".index-", dir=places.STATE) as scratch:
        made = _build(number, Path(scratch))
        published = package_index.publish(made, _SIMPLE, replace=True)
        for path in _needed(made.file):
            other = wheel.Wheel(path, path.name.split("-")[1])
            package_index.publish(other, _SIMPLE)
    environment.open_to_services(places.INDEX)
    return published


def _build(number: str, scratch: Path) -> wheel.Wheel:
    """A wheel of our package from a copy of the sources, under a version's number.

    Not by `wheel.build`, which fetches what builds it: nothing is fetched in the stand.
    """
    copy, ignored = scratch / "sources", shutil.ignore_patterns("__pycache__")
    for name in FOLDERS:
        shutil.copytree(places.ROOT / name, copy / name, ignore=ignored)
    for name in FILES:
        shutil.copy(places.ROOT / name, copy / name)
    init = copy / "exordos_paas_storage" / "__init__.py"
    init.write_text(_VERSION.sub(f'__version__ = "{number}"', init.read_text()))
    builder = [places.CLI / "bin" / "python", "-m", "hatchling", "build"]
    argv = [*builder, "-t", "wheel", "-d", scratch / "built"]
    command.run(argv, cwd=copy, limit_s=_LIMIT_S)
    return wheel.read(next((scratch / "built").glob("*.whl")))


def _needed(ours: Path) -> list[Path]:
    """Wheels of what is not in the platform's environment yet, kept for next time."""
    cache = Path.home() / ".cache" / "exordos-storage" / "stand"
    # What a wheel needs depends on its metadata and on what is there already.
    wanted = _metadata(ours) + (places.VENV / ".stand").read_text()
    known = cache / f"{hashlib.sha256(wanted.encode()).hexdigest()}.json"
    if known.exists():
        paths = [cache / name for name in json.loads(known.read_text())]
        if all(path.exists() for path in paths):
            return paths
    paths = _fetch(ours, cache)
    known.write_text(json.dumps([path.name for path in paths]))
    return paths


def _metadata(ours: Path) -> str:
    with zipfile.ZipFile(ours) as archive:
        name = next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        lines = archive.read(name).decode().splitlines()
    return "\n".join(line for line in lines if line.startswith("Requires"))


def _fetch(ours: Path, cache: Path) -> list[Path]:
    cache.mkdir(parents=True, exist_ok=True)
    found: dict[str, Path] = {}
    report = json.loads(
        _pip("install", "--dry-run", "--report", "-", f"{ours}[metapaas]")
    )
    for item in report["install"]:
        source = item["download_info"]["url"]
        if source.startswith("file:"):
            continue
        name = source.rsplit("/", 1)[-1]
        if not name.endswith(".whl"):
            raise errors.SetupError(f"{name} is no wheel: the index takes wheels")
        found[name] = cache / name
        if not found[name].exists():
            data = item["metadata"]
            wanted = f"{data['name']}=={data['version']}"
            _pip("download", "--no-deps", "--dest", cache, wanted)
    missing = [name for name, path in found.items() if not path.exists()]
    if missing:
        raise errors.SetupError(f"pip did not fetch {', '.join(missing)}")
    return list(found.values())


def _pip(*arguments: object) -> str:
    return command.run(
        [
            places.VENV / "bin" / "python",
            *("-m", "pip", "--disable-pip-version-check", "--quiet"),
            *arguments,
        ],
        limit_s=_LIMIT_S,
    )
