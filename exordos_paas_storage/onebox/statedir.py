"""The one folder that holds all state of a service on one box.

<state>/
    state.json       the layout's version and what `up` remembers
    lock             held by the running service; names its pid
    secrets/         0700, files 0600
    postgres/        the database: binaries, data, socket, log
    engines/         engine binaries as they are run
    instances/       a folder for each instance
    logs/            of the service's own processes
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import platformdirs

from exordos_paas_storage.domain import errors
from exordos_paas_storage.nodes import folder

LAYOUT = 1
NEED_BYTES = 1 << 30
# `sun_path` of an address, its closing NUL included.
_SOCKET_PATH_BYTES = 108
# A comma separates PostgreSQL's socket folders, engines expand braces and blanks.
_UNUSABLE = re.compile(r"[\s,{}'\"\\]")


def default_path() -> Path:
    """Where state lies if nobody says where."""
    if os.geteuid() == 0:
        return Path("/var/lib/exordos-storage")
    return platformdirs.user_data_path("exordos-storage", appauthor=False)


class StateDir:
    """Paths below one state folder, and the few ways to write there; opens nothing."""

    def __init__(self, path: Path | str) -> None:
        # Resolved, because the kernel tells working directories that way.
        self.path = Path(path).expanduser().resolve()
        self.secrets = self.path / "secrets"
        self.postgres = self.path / "postgres"
        self.engines = self.path / "engines"
        self.instances = self.path / "instances"
        self.logs = self.path / "logs"
        self.state_file = self.path / "state.json"
        self.lock_file = self.path / "lock"

    def create(self, need_bytes: int = NEED_BYTES) -> None:
        """Make the folder with its right modes; done if it is there.

        Raises:
            SetupError: the path can't serve, the folder can't be written or belongs
                to something else, or less than `need_bytes` are free there.
        """
        self._check_path()
        if self.path.exists() and not self.path.is_dir():
            raise errors.SetupError(
                f"{self.path} is a file, not a folder: choose another path with"
                " --state-dir"
            )
        as_root = os.geteuid() == 0
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._check_ours()
            # Accounts of the database and the engines pass through, and may not look.
            self.path.chmod(0o711 if as_root else 0o700)
            for path in (self.secrets, self.logs):
                path.mkdir(mode=0o700, exist_ok=True)
                path.chmod(0o700)
            for path in (self.postgres, self.engines, self.instances):
                path.mkdir(exist_ok=True)
                path.chmod(0o711 if as_root else 0o700)
            self._check_writable()
        except OSError as error:
            raise errors.SetupError(
                f"the state folder {self.path} can't be written ({error.strerror}):"
                " choose another one with --state-dir, or fix its owner"
            ) from None
        self._check_space(need_bytes)

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the folder as its one service; the kernel lets go if we die.

        Raises:
            SetupError: another service holds it.
        """
        descriptor = os.open(self.lock_file, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise errors.SetupError(
                    f"a service already runs on {self.path} (pid {self.holder()}):"
                    " stop it first, or choose another folder with --state-dir"
                ) from None
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
            yield
            os.ftruncate(descriptor, 0)
        finally:
            os.close(descriptor)

    def holder(self) -> int | None:
        """The pid of the service that holds, or last held, the folder."""
        try:
            return int(self.lock_file.read_text())
        except (FileNotFoundError, ValueError):
            return None

    def is_held(self) -> bool:
        """Whether a service holds the folder now."""
        try:
            descriptor = os.open(self.lock_file, os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def secret_file(self, name: str, make: Callable[[], str]) -> Path:
        """The file of a secret, 0600, made once; it holds the secret alone."""
        path = self.secrets / name
        if not path.exists():
            folder.write_atomically(path, make(), None)
            _sync(self.secrets)
        return path

    def read_state(self) -> dict[str, Any]:
        """What was written last; only the layout's version in a new folder.

        Raises:
            SetupError: newer code wrote it, or it is damaged.
        """
        try:
            state = json.loads(self.state_file.read_text())
            layout = int(state["layout"])
        except FileNotFoundError:
            return {"layout": LAYOUT}
        except (ValueError, KeyError, TypeError):
            raise errors.SetupError(
                f"{self.state_file} is damaged: restore it from a backup"
            ) from None
        if layout > LAYOUT:
            raise errors.SetupError(
                f"{self.path} was written by a newer exordos-storage (layout {layout},"
                f" known here {LAYOUT}): install that version again"
            )
        return state

    def write_state(self, state: Mapping[str, Any]) -> None:
        """Replace what is remembered; the layout's version is added."""
        content = json.dumps({**state, "layout": LAYOUT}, indent=2, sort_keys=True)
        folder.write_atomically(self.state_file, content + "\n", None)
        _sync(self.path)

    def check_reachable(self, uid: int, gid: int, whose: str) -> None:
        """Check that another account can pass through to this folder.

        Raises:
            SetupError: a folder on the way is closed to it.
        """
        for path in (self.path, *self.path.parents):
            if not _may_pass(path.stat(), uid, gid):
                raise errors.SetupError(
                    f"{whose} can't reach {self.path} because {path} is closed to it:"
                    " choose a folder outside it with --state-dir"
                )

    def _check_path(self) -> None:
        if _UNUSABLE.search(str(self.path)):
            raise errors.SetupError(
                f"the state folder {str(self.path)!r} has a blank, comma, brace or"
                " quote in its path: choose another one with --state-dir"
            )
        socket = self.postgres / "sock" / ".s.PGSQL.5432"
        excess = len(os.fsencode(socket)) + 1 - _SOCKET_PATH_BYTES
        if excess > 0:
            raise errors.SetupError(
                f"the state folder {self.path} is too long for a socket's path by"
                f" {excess} bytes: choose a shorter one with --state-dir"
            )

    def _check_ours(self) -> None:
        marks = (self.state_file, self.lock_file, self.secrets)
        if any(self.path.iterdir()) and not any(mark.exists() for mark in marks):
            raise errors.SetupError(
                f"{self.path} holds other files and is no state folder: choose a new"
                " or empty one with --state-dir"
            )

    def _check_writable(self) -> None:
        probe = self.secrets / f".probe-{os.getpid()}"
        folder.write_atomically(probe, "", None)
        probe.unlink()

    def _check_space(self, need_bytes: int) -> None:
        free = shutil.disk_usage(self.path).free
        if free < need_bytes:
            raise errors.SetupError(
                f"{self.path} has {free >> 20} MiB free and needs {need_bytes >> 20}:"
                " free some space, or choose another folder with --state-dir"
            )
        if os.statvfs(self.path).f_flag & os.ST_NOEXEC:
            raise errors.SetupError(
                f"{self.path} is on a file system mounted noexec: choose another"
                " folder with --state-dir"
            )


def _may_pass(status: os.stat_result, uid: int, gid: int) -> bool:
    if uid == 0:
        return True
    if status.st_uid == uid:
        return bool(status.st_mode & 0o100)
    if status.st_gid == gid:
        return bool(status.st_mode & 0o010)
    return bool(status.st_mode & 0o001)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
