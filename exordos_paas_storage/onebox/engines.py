"""Which engine a service on one box runs, and where its binary comes from."""

from __future__ import annotations

import contextlib
import mmap
import os
import re
import shutil
import subprocess
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from exordos_paas_storage.domain import capabilities, errors
from exordos_paas_storage.onebox import engine_crate, engine_minio, engine_rustfs
from exordos_paas_storage.onebox.engine_cache import EngineCache, Progress, silent
from exordos_paas_storage.onebox.statedir import StateDir

# The version of each engine that this release of the service installs.
VERSIONS = {
    capabilities.RUSTFS: engine_rustfs.VERSION,
    capabilities.MINIO: engine_minio.VERSION,
}
TITLES = {capabilities.RUSTFS: "RustFS", capabilities.MINIO: "MinIO"}
VARIABLES = {
    capabilities.RUSTFS: "EXORDOS_STORAGE_RUSTFS",
    capabilities.MINIO: "EXORDOS_STORAGE_MINIO",
}
_UNTOLD = "DEVELOPMENT.GOGET"

# Where RustFS can come from.
RELEASE, CRATE = "release", "crate"
SOURCES = (RELEASE, CRATE)

# Install the pinned version of one engine; its binary.
Installer = Callable[[], Path]


@dataclass(frozen=True)
class Choice:
    """An engine at hand; `why` is one line for the one who started the service."""

    engine: str
    version: str
    path: Path
    why: str


def installers(
    cache: EngineCache,
    environ: Mapping[str, str],
    progress: Progress = silent,
    releases: str = engine_rustfs.RELEASES,
    rustfs_from: str = RELEASE,
) -> dict[str, Installer]:
    """How each engine is installed into the cache.

    Args:
        releases: the address below which RustFS has its releases.
        rustfs_from: one of `SOURCES`.
    """
    rustfs: dict[str, Installer] = {
        RELEASE: lambda: engine_rustfs.install(
            cache, releases=releases, progress=progress
        ),
        CRATE: lambda: engine_crate.install(cache, environ=environ, progress=progress),
    }
    return {
        capabilities.RUSTFS: rustfs[rustfs_from],
        capabilities.MINIO: lambda: engine_minio.install(
            cache, environ=environ, progress=progress
        ),
    }


def kept(state: StateDir, environ: Mapping[str, str]) -> Choice | None:
    """The engine that a service had last time, where its binary is staged still.

    A name in the environment asks for another choice.
    """
    before = state.read_state().get("engine")
    if before is None or any(environ.get(name) for name in VARIABLES.values()):
        return None
    engine, version = before["name"], before["version"]
    path = staged(state)(engine, version)
    if path is None or version != VERSIONS.get(engine):
        return None
    why = f"{TITLES[engine]} {version}: the service had it before"
    return Choice(engine, version, path, why)


def choose(
    preferred: str | None,
    *,
    cache: EngineCache,
    environ: Mapping[str, str],
    install: Mapping[str, Installer],
    say: Callable[[str], None] = lambda line: None,
) -> Choice:
    """The engine of a new service: `preferred`, or else RustFS if it can be had.

    Args:
        say: gets a line before another engine is built in place of RustFS, which takes
            minutes.

    Raises:
        SetupError: a named binary can't be used, or the engine can't be had. MinIO
            takes the place only of a RustFS that can't be fetched, never of one whose
            checksum is wrong.
    """
    if preferred:
        found = at_hand(preferred, cache, environ)
        return found or _installed(preferred, install, "it was asked for")
    found = at_hand(capabilities.RUSTFS, cache, environ)
    if found:
        return found
    try:
        return _installed(capabilities.RUSTFS, install, "its release was fetched")
    except engine_rustfs.NotReachable as error:
        why = f"RustFS {engine_rustfs.VERSION} is not in the cache and {error.reason}"
    found = at_hand(capabilities.MINIO, cache, environ)
    if found:
        return Choice(found.engine, found.version, found.path, f"MinIO: {why}")
    say(f"{why}: MinIO is built in its place, once")
    return _installed(capabilities.MINIO, install, "it was built in RustFS's place")


def at_hand(
    engine: str, cache: EngineCache, environ: Mapping[str, str]
) -> Choice | None:
    """An engine that needs no installing: the one named, or the one in the cache.

    Raises:
        SetupError: the named one can't be used, or the engine is unknown.
    """
    if engine not in VERSIONS:
        raise errors.SetupError(
            f"engine {engine!r} is unknown: use one of {', '.join(VERSIONS)}"
        )
    variable = VARIABLES[engine]
    title = TITLES[engine]
    if environ.get(variable):
        path = Path(environ[variable]).expanduser().absolute()
        version = _version_of(engine, path, variable)
        return Choice(engine, version, path, f"{title} {version}: {variable} names it")
    cached = cache.find(engine, VERSIONS[engine])
    if cached is None:
        return None
    version = VERSIONS[engine]
    return Choice(engine, version, cached, f"{title} {version}: it is in the cache")


def stage(choice: Choice, state: StateDir) -> Path:
    """Put the binary where an engine's own account can run it; the path there.

    The cache may lie in a closed home, and an instance keeps its engine when the cache
    goes on to another one.
    """
    target = _staged_path(state, choice.engine, choice.version)
    target.parent.mkdir(mode=0o755, exist_ok=True)
    target.parent.chmod(0o755)
    part = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    try:
        _link_or_copy(choice.path, part)
        part.chmod(0o755)
        part.replace(target)
    except OSError as error:
        raise errors.SetupError(
            f"{choice.path} can't be copied to {target} ({error.strerror}): free some"
            " space, or fix the owner of the state folder"
        ) from None
    finally:
        # Replacing a file by a link to itself leaves both.
        part.unlink(missing_ok=True)
    return target


def staged(state: StateDir) -> Callable[[str, str], Path | None]:
    """The look-up of staged binaries by engine and version."""

    def find(engine: str, version: str) -> Path | None:
        path = _staged_path(state, engine, version)
        return path if path.is_file() and os.access(path, os.X_OK) else None

    return find


def _installed(engine: str, install: Mapping[str, Installer], why: str) -> Choice:
    path = install[engine]()
    return Choice(engine, VERSIONS[engine], path, f"{TITLES[engine]}: {why}")


def _staged_path(state: StateDir, engine: str, version: str) -> Path:
    return state.engines / f"{engine}-{version}" / engine


def _link_or_copy(source: Path, target: Path) -> None:
    # A file that somebody else may write to must not become what we run.
    owner = source.stat()
    ours = owner.st_uid == os.geteuid() and not owner.st_mode & 0o022
    if ours and not source.is_symlink():
        with contextlib.suppress(OSError):
            os.link(source, target)
            return
    shutil.copyfile(source, target)


def _version_of(engine: str, path: Path, variable: str) -> str:
    if not (path.is_file() and os.access(path, os.X_OK)):
        raise errors.SetupError(
            f"{variable} names {path}, which is no executable file: correct it or"
            " unset it"
        )
    try:
        answer = subprocess.run(
            [path, "--version"],
            capture_output=True,
            text=True,
            errors="replace",
            check=True,
            timeout=30,
            env={"HOME": "/nonexistent", "PATH": os.defpath},
        )
    except (OSError, subprocess.SubprocessError):
        raise errors.SetupError(
            f"{variable} names {path}, which does not run here: correct it or unset it"
        ) from None
    told = re.search(rf"{engine}\s+(?:version\s+)?v?(\S+)", answer.stdout, re.I)
    version = told[1] if told else "unknown"
    if version == _UNTOLD:  # so does a MinIO that `go install` made
        version = _source_version(path) or version
    return re.sub(r"[^A-Za-z0-9._+-]", "-", version)


def _source_version(path: Path) -> str | None:
    """The version of its main module that Go has written into a binary."""
    mark = f"mod\t{engine_minio.MODULE}\tv".encode()
    with path.open("rb") as file:
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            start = content.find(mark)
            if start < 0:
                return None
            line = content[start + len(mark) : start + len(mark) + 200]
    return re.split(rb"[\t\n]", line)[0].decode(errors="replace")
