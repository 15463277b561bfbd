"""A PostgreSQL as an operator has one: on a TCP port, with a password, not ours."""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from exordos_paas_storage.onebox import pg_binaries
from tests import box

# Names the folder of another release's binaries, to run the same tests with it.
BINARIES = "EXORDOS_TEST_POSTGRES"
_PATIENCE_S = 120.0
# Nothing of ours may depend on what the server has by default.
_SETTINGS = {
    "timezone": "Asia/Kathmandu",
    "datestyle": "German, DMY",
    "intervalstyle": "iso_8601",
    "default_transaction_isolation": "serializable",
    "max_connections": "60",
    "fsync": "off",
}


class OwnServer:
    """One server in a folder of its own; its port stays through restarts."""

    def __init__(self, top: Path) -> None:
        self._top, self._data = top, top / "data"
        named = os.environ.get(BINARIES)
        self._binaries = Path(named) if named else pg_binaries.stage(top)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        # Whatever must be percent-encoded in an address is in it.
        self.password = f"p@s:s/w?r#d%{secrets.token_hex(8)}"
        self._process: subprocess.Popen[bytes] | None = None

    def make(self) -> None:
        """Make its folder."""
        if os.geteuid() == 0:
            owner = pwd.getpwnam("nobody")
            os.chown(self._top, owner.pw_uid, owner.pw_gid)
        file = self._top / "password"
        file.write_text(self.password)
        file.chmod(0o644)
        subprocess.run(
            [
                *(self._binaries / "initdb", f"--pgdata={self._data}"),
                *("--username=root", f"--pwfile={file}", "--auth=scram-sha-256"),
                *("--encoding=UTF8", "--locale=C", "--no-sync"),
            ],
            check=True,
            capture_output=True,
            cwd="/",
            **_as_nobody(),
        )
        file.unlink()

    def start(self) -> None:
        """Start it and wait until it lets us in."""
        options = [f"{name}={value}" for name, value in _SETTINGS.items()]
        self._process = subprocess.Popen(
            [
                *(self._binaries / "postgres", "-D", self._data),
                *("-p", str(self.port), "-h", "127.0.0.1", "-k", self._top),
                *(word for option in options for word in ("-c", option)),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            **_as_nobody(),
        )
        box.wait_until(self._lets_in, _PATIENCE_S)

    def stop(self) -> None:
        """Cut off every client and end."""
        if self._process:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(_PATIENCE_S)
            self._process = None

    def url(self, database: str, role: str = "root", password: str = "") -> str:
        """An address, percent-encoded."""
        secret = quote(password or self.password, safe="")
        return f"postgresql://{role}:{secret}@127.0.0.1:{self.port}/{database}"

    def run(self, statement: str, database: str = "postgres") -> list[tuple]:
        """Run a statement as the superuser."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            found = connection.execute(statement.encode())
            return found.fetchall() if found.description else []

    def database(self, options: str = "") -> tuple[str, str]:
        """A new empty database and the role that owns it; both have one name."""
        name = f"d{uuid.uuid4().hex[:12]}"
        role, secret = sql.Identifier(name), sql.Literal(self.password)
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(
                sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, secret)
            )
        self.run(f"CREATE DATABASE {name} OWNER {name} {options}")
        return name, self.url(name, name)

    def _lets_in(self) -> bool:
        assert self._process and self._process.poll() is None, "PostgreSQL ended"
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(self.url("postgres")).close()
            return True
        return False


def _as_nobody() -> dict[str, object]:
    if os.geteuid() != 0:
        return {}
    owner = pwd.getpwnam("nobody")
    return {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}


@contextlib.contextmanager
def running() -> Iterator[OwnServer]:
    """A server for the time of a block."""
    top = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    top.chmod(0o711)
    try:
        server = OwnServer(top)
        server.make()
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(top)


def config(made, url, more=""):
    """`--config` for a file that names the database."""
    file = made.top / "storage.conf"
    file.write_text(f"[db]\nconnection_url = {url.replace('$', '$$')}\n{more}")
    file.chmod(0o600)
    return f"--config={file}"


def words_of(made):
    """Everything that the service printed, logged, or has on a command line."""
    logs = "".join(path.read_text() for path in (made.state / "logs").glob("*.log*"))
    return "\n".join([*made.names(), logs])


def secret_of(server):
    """The part of its password that is the same when it is percent-encoded."""
    return server.password[-16:]


def refused(server, made, *words, **environ):
    """Assert that `up` is refused in one line that holds no password; that line."""
    answer = made.run("up", "--detach", "--engine=minio", *words, **environ)

    said = [line for line in answer.stderr.splitlines() if not line.endswith("…")]
    assert answer.returncode == 1, answer.stdout + answer.stderr
    assert len(said) == 1, answer.stderr
    assert said[0].startswith("exordos-storage: ")
    assert secret_of(server) not in answer.stdout + answer.stderr + words_of(made)
    assert made.names() == []
    return said[0]
