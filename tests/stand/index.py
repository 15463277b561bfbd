"""The package index that the platform installs our package from (PEP 503)."""

from __future__ import annotations

import hashlib
import html
import json
import re
import shutil
import tempfile
import zipfile
from pathlib import Path

from node_image import command

from exordos_paas_storage.domain import errors
from tests.stand import places

# What a wheel is built from; see pyproject.toml.
_FOLDERS = ("exordos_paas_storage", "migrations")
_FILES = ("pyproject.toml", "README.md", "LICENSE")
_LIMIT_S = 300.0
_VERSION = re.compile(r'^__version__ = "(.*)"$', re.MULTILINE)


def version() -> str:
    """Of the sources as they are."""
    text = (places.ROOT / "exordos_paas_storage" / "__init__.py").read_text()
    found = _VERSION.search(text)
    if found is None:
        raise errors.SetupError("exordos_paas_storage/__init__.py has no __version__")
    return found[1]


def offered() -> list[str]:
    """The versions of ours that the index has."""
    found = (places.INDEX / "simple" / "exordos-paas-storage").glob("*.whl")
    return [wheel.name.split("-")[1] for wheel in found]


def make(versions: list[str], wheels: list[Path]) -> list[str]:
    """Make the index anew; the names of our wheels and of others that were given.

    Args:
        versions: of ours: each is built from the sources here, under that number.
        wheels: of others.

    Raises:
        SetupError: one can't be built, or what it needs can't be fetched.
    """
    with tempfile.TemporaryDirectory(prefix=".index-", dir=places.STATE) as scratch:
        part = Path(scratch) / "simple"
        built = [build(number, Path(scratch) / "built") for number in versions]
        offered = [*built, *wheels]
        for wheel in [*offered, *_needed(offered)]:
            _add(part, wheel)
        _write_pages(part)
        part.chmod(0o755)
        target = places.INDEX / "simple"
        shutil.rmtree(target, ignore_errors=True)
        places.INDEX.mkdir(parents=True, exist_ok=True)
        part.rename(target)
    return [wheel.name for wheel in offered]


def build(number: str, target: Path) -> Path:
    """A wheel of our package from a copy of the sources, under a version's number."""
    with tempfile.TemporaryDirectory(prefix="stand-wheel-") as scratch:
        copy = Path(scratch)
        ignored = shutil.ignore_patterns("__pycache__")
        for name in _FOLDERS:
            shutil.copytree(places.ROOT / name, copy / name, ignore=ignored)
        for name in _FILES:
            shutil.copy(places.ROOT / name, copy / name)
        init = copy / "exordos_paas_storage" / "__init__.py"
        init.write_text(_VERSION.sub(f'__version__ = "{number}"', init.read_text()))
        builder = [places.CLI / "bin" / "python", "-m", "hatchling", "build"]
        command.run([*builder, "-t", "wheel", "-d", target], cwd=copy, limit_s=_LIMIT_S)
    return next(target.glob(f"exordos_paas_storage-{number}-*.whl"))


def _needed(offered: list[Path]) -> list[Path]:
    """Wheels of what is not in the platform's environment yet, kept for next time."""
    cache = Path.home() / ".cache" / "exordos-storage" / "stand"
    found: set[Path] = set()
    for wheel in offered:
        # What a wheel needs depends on its metadata and on what is there already.
        wanted = _metadata(wheel) + (places.VENV / ".stand").read_text()
        known = cache / f"{hashlib.sha256(wanted.encode()).hexdigest()}.json"
        if known.exists():
            paths = [cache / name for name in json.loads(known.read_text())]
            if all(path.exists() for path in paths):
                found.update(paths)
                continue
        paths = _fetch(wheel, cache)
        known.write_text(json.dumps([path.name for path in paths]))
        found.update(paths)
    return sorted(found)


def _metadata(wheel: Path) -> str:
    with zipfile.ZipFile(wheel) as archive:
        name = next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        lines = archive.read(name).decode().splitlines()
    return "\n".join(line for line in lines if line.startswith("Requires"))


def _fetch(wheel: Path, cache: Path) -> list[Path]:
    cache.mkdir(parents=True, exist_ok=True)
    found: dict[str, Path] = {}
    report = json.loads(
        _pip("install", "--dry-run", "--report", "-", _with_extra(wheel))
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


def _with_extra(wheel: Path) -> str:
    ours = wheel.name.startswith("exordos_paas_storage-")
    return f"{wheel}[metapaas]" if ours else str(wheel)


def _add(part: Path, wheel: Path) -> None:
    project = part / re.sub(r"[-_.]+", "-", wheel.name.split("-")[0]).lower()
    project.mkdir(parents=True, exist_ok=True)
    shutil.copy(wheel, project / wheel.name)


def _write_pages(part: Path) -> None:
    projects = sorted(path for path in part.iterdir())
    _write_page(part, [f"{project.name}/" for project in projects])
    for project in projects:
        _write_page(project, sorted(wheel.name for wheel in project.glob("*.whl")))
        for path in project.iterdir():
            path.chmod(0o644)
        project.chmod(0o755)


def _write_page(folder: Path, names: list[str]) -> None:
    links = "".join(f'<a href="{html.escape(n)}">{html.escape(n)}</a>\n' for n in names)
    page = folder / "index.html"
    page.write_text(f"<!DOCTYPE html><html><body>\n{links}</body></html>\n")
    page.chmod(0o644)


def _pip(*arguments: object) -> str:
    return command.run(
        [
            places.VENV / "bin" / "python",
            *("-m", "pip", "--disable-pip-version-check", "--quiet"),
            *arguments,
        ],
        limit_s=_LIMIT_S,
    )
