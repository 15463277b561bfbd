"""Engine binaries kept for all state folders of a user.

<cache>/engines/
    rustfs-1.0.1/          complete, or not there: moved into place whole
        rustfs             the binary
        provenance.json    where it came from, and how that was verified
    lock.json              which download was accepted, by its checksum
    .lock                  held by the process that installs
    .part-*                of an install under way, or cut short
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from exordos_paas_storage.domain import capabilities, errors
from exordos_paas_storage.nodes import folder

# What is under way, how much of it is done, and of how much, where that is known.
Progress = Callable[[str, int, int | None], None]


def silent(what: str, done: int, total: int | None) -> None:
    """A `Progress` that nobody watches."""


@dataclass(frozen=True)
class Entry:
    """One installed engine."""

    engine: str
    version: str
    path: Path


class EngineCache:
    """The folder of installed engines; `root` is the cache of the whole service."""

    def __init__(self, root: Path) -> None:
        self.path = root / "engines"
        self._accepted = self.path / "lock.json"

    def find(self, engine: str, version: str) -> Path | None:
        """The binary, where it is installed."""
        path = self._path(engine, version)
        return path if path.is_file() and os.access(path, os.X_OK) else None

    def entries(self) -> list[Entry]:
        """Everything installed, sorted."""
        found = []
        for engine in capabilities.ENGINES:
            for path in sorted(self.path.glob(f"{engine}-*/{engine}")):
                version = path.parent.name.removeprefix(f"{engine}-")
                found.append(Entry(engine, version, path))
        return found

    @contextlib.contextmanager
    def installing(self, need_bytes: int) -> Iterator[Path]:
        """Hold the cache to install something; the folder to work in, gone afterwards.

        Waits for another process that installs, so look again whether it is there.

        Raises:
            SetupError: the cache can't be written, or has too little free space.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = os.open(self.path / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise errors.SetupError(
                f"the engine cache {self.path} can't be written ({error.strerror}):"
                " name another one with EXORDOS_STORAGE_CACHE"
            ) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for left_over in self.path.glob(".part-*"):
                shutil.rmtree(left_over, ignore_errors=True)
            self._check_space(need_bytes)
            with tempfile.TemporaryDirectory(
                prefix=".part-", dir=self.path, ignore_cleanup_errors=True
            ) as part:
                yield Path(part)
        finally:
            os.close(lock)

    def put(
        self, engine: str, version: str, binary: Path, provenance: Mapping[str, str]
    ) -> Path:
        """Move a finished binary into place, whole; call it inside `installing`.

        Args:
            binary: in the folder that `installing` gave.
            provenance: where it came from, and how that was verified.
        """
        target = self._path(engine, version)
        whole = binary.parent / f"{engine}-{version}"
        whole.mkdir()
        binary.chmod(0o755)
        binary.rename(whole / engine)
        content = json.dumps(dict(provenance), indent=2)
        (whole / "provenance.json").write_text(content + "\n")
        # A folder without a working binary may stand there; the lock makes it ours.
        if target.parent.exists():
            shutil.rmtree(target.parent)
        whole.rename(target.parent)
        return target

    def accepted(self, file: str) -> str | None:
        """The checksum under which a download of that name was accepted before."""
        return self._read_accepted().get(file)

    def accept(self, file: str, sha256: str) -> None:
        """Remember a download's checksum."""
        content = json.dumps({**self._read_accepted(), file: sha256}, indent=2)
        folder.write_atomically(self._accepted, content + "\n", None)

    @property
    def accepted_file(self) -> Path:
        """Where accepted checksums are remembered."""
        return self._accepted

    def _read_accepted(self) -> dict[str, str]:
        try:
            return dict(json.loads(self._accepted.read_text()))
        except FileNotFoundError:
            return {}
        except (ValueError, TypeError):
            raise errors.SetupError(
                f"{self._accepted} is damaged: restore it, or delete it to accept"
                " engines anew"
            ) from None

    def _path(self, engine: str, version: str) -> Path:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+-]*", version):
            raise errors.SetupError(f"{version!r} is no version of an engine")
        return self.path / f"{engine}-{version}" / engine

    def _check_space(self, need_bytes: int) -> None:
        free = shutil.disk_usage(self.path).free
        if free < need_bytes:
            raise errors.SetupError(
                f"{self.path} has {free >> 20} MiB free and needs {need_bytes >> 20}:"
                " free some space, or name another cache with EXORDOS_STORAGE_CACHE"
            )


def default(environ: Mapping[str, str]) -> EngineCache:
    """The user's cache, or the one that `EXORDOS_STORAGE_CACHE` names."""
    named = environ.get("EXORDOS_STORAGE_CACHE")
    if named:
        return EngineCache(Path(named).expanduser().resolve())
    return EngineCache(platformdirs.user_cache_path("exordos-storage", appauthor=False))
