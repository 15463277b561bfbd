"""The installed product as tests drive it: one state folder and the real commands."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import boto3
import httpx
import psutil
from botocore.client import Config

from exordos_paas_storage.client import http
from exordos_paas_storage.domain import state
from tests import engines

UP_S = 240.0
ACTIVE_S = 60.0
MODULE = "exordos_paas_storage.cli.main"
_T = TypeVar("_T")


@dataclasses.dataclass(frozen=True)
class Caller:
    """Who runs the commands: an interpreter, an account, and what it needs around.

    Attributes:
        uid: `None` for the account of the tests.
    """

    python: str = sys.executable
    uid: int | None = None
    environ: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def options(self) -> dict[str, Any]:
        """What starts a process as this account."""
        if self.uid is None:
            return {}
        return {"user": self.uid, "group": self.uid, "extra_groups": []}


class Box:
    """One service on one state folder.

    Args:
        top: holds the state folder and an empty home; every account can reach it.
        engine: for new instances.

    Attributes:
        printed: what the last `up` said.
    """

    printed = ""

    def __init__(self, top: Path, engine: str, caller: Caller | None = None) -> None:
        self.top, self.engine = top, engine
        self.state = top / "state"
        self.caller = caller or Caller()
        binary = engines.binary(engine)
        assert binary, f"no {engine}: set EXORDOS_STORAGE_{engine.upper()}"
        self.environ = {
            **_inherited(),
            "HOME": str(top / "home"),
            f"EXORDOS_STORAGE_{engine.upper()}": str(binary),
            **self.caller.environ,
        }

    def words(self, *words: str) -> list[str]:
        """A command on this state folder."""
        return [
            *(self.caller.python, "-m", MODULE, *words),
            f"--state-dir={self.state}",
        ]

    def run(self, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run a command on the state folder to its end."""
        return self.run_plain(*words, f"--state-dir={self.state}", **environ)

    def run_plain(
        self, *words: str, **environ: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command that knows no state folder to its end."""
        return subprocess.run(
            [self.caller.python, "-m", MODULE, *words],
            env=self.environ | environ,
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=UP_S,
            check=False,
            **self.caller.options(),
        )

    def did(self, *words: str) -> str:
        """Run a command that must work; what it printed."""
        answer = self.run(*words)
        assert answer.returncode == 0, answer.stdout + answer.stderr
        return answer.stdout

    def up(self, *words: str) -> str:
        """Start the service in the background; what was printed."""
        self.printed = self.did("up", "--detach", f"--engine={self.engine}", *words)
        return self.printed

    def down(self) -> None:
        """Stop the service and check that nothing of it lives on."""
        self.did("down")
        assert not self.names(), self.names()

    def close(self) -> None:
        """Stop the service as `down` does, remove its folder, tell what was left."""
        for found in self.living():
            with contextlib.suppress(psutil.Error):
                found.resume()
        answer = self.run("down") if self.state.is_dir() else None
        left, names = self.living(), self.names()
        for found in left:
            with contextlib.suppress(psutil.Error):
                found.kill()
        psutil.wait_procs(left, 10)
        shutil.rmtree(self.top)
        assert answer is None or answer.returncode == 0, answer.stderr
        assert not names, f"left running: {names}"

    def living(self) -> list[psutil.Process]:
        """Every process that this state folder is named or worked in by."""
        return [found for found in psutil.process_iter() if self._is_ours(found)]

    def seen(self, what: Callable[[psutil.Process], _T]) -> dict[int, _T]:
        """What `what` says of each that is living, by pid; one may end meanwhile."""
        found = {}
        for process in self.living():
            with contextlib.suppress(psutil.Error):
                found[process.pid] = what(process)
        return found

    def names(self) -> list[str]:
        """The command lines of what is living."""
        return [" ".join(words) for words in self.seen(psutil.Process.cmdline).values()]

    def _is_ours(self, found: psutil.Process) -> bool:
        with contextlib.suppress(psutil.Error):
            if found.status() != psutil.STATUS_ZOMBIE:
                words = [*found.cmdline(), found.cwd()]
                return any(str(self.state) in word for word in words)
        return False

    def pid(self, part: str, instance: str = "") -> int:
        """Of the `supervisor`, `api`, `reconcile`, `postgres`, or the `engine`.

        An API or reconciler that was killed is there again after a moment.
        """
        if part == "supervisor":
            return int((self.state / "lock").read_text())
        if part == "postgres":
            pid_file = self.state / "postgres" / "data" / "postmaster.pid"
            return int(pid_file.read_text().splitlines()[0])
        if part == "engine":
            run_file = self.state / "instances" / instance / "run.json"
            return int(json.loads(run_file.read_text())["process"]["pid"])
        children: list[int] = wait_until(lambda: self._children(part))
        return children[0]

    def _children(self, part: str) -> list[int]:
        module, found = f"exordos_paas_storage.onebox.{part}_process", []
        for child in psutil.Process(self.pid("supervisor")).children():
            with contextlib.suppress(psutil.NoSuchProcess):
                if module in child.cmdline():
                    found.append(child.pid)
        return found

    @contextlib.contextmanager
    def paused(self, part: str) -> Iterator[None]:
        """Hold one process still, so that what is written meanwhile waits for it.

        It is held between its transactions, as others would wait for its locks.
        """
        pid = self.pid(part)
        wait_until(lambda: self._holds_still(pid))
        try:
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def _holds_still(self, pid: int) -> bool:
        os.kill(pid, signal.SIGSTOP)
        # A second look sees what the process asked for just before.
        if self._database_is_idle() and self._database_is_idle():
            return True
        os.kill(pid, signal.SIGCONT)
        return False

    def _database_is_idle(self) -> bool:
        """Whether nobody is in a transaction, by the titles of the processes."""
        titles = [name.strip() for name in self.names() if "[local]" in name]
        assert titles, "no backend of PostgreSQL is seen"
        return all(title.endswith("[local] idle") for title in titles)

    def facts(self) -> dict[str, Any]:
        """What `status --output json` prints."""
        return json.loads(self.did("status", "--output", "json"))

    def client(self) -> http.Client:
        """Calls as the service's own admin, an owner."""
        facts = self.facts()
        password = Path(facts["password_file"]).read_text()
        login = http.Login(facts["username"], password, facts["project_id"])
        return http.Client(facts["api_url"], login, httpx.Client(timeout=30))

    def root(self, instance: str) -> state.Credentials:
        """The root key pair of an instance's engine."""
        secrets = self.state / "instances" / instance / "secrets"
        return state.Credentials(
            (secrets / "root-access-key").read_text(),
            (secrets / "root-secret-key").read_text(),
        )


@contextlib.contextmanager
def made(engine: str, caller: Caller | None = None) -> Iterator[Box]:
    """A box in a short folder of its own that every account can reach."""
    top = Path(tempfile.mkdtemp(prefix="s3-", dir="/tmp"))
    top.chmod(0o711)
    (top / "home").mkdir(mode=0o755)
    if caller and caller.uid is not None:
        for path in (top, top / "home"):
            os.chown(path, caller.uid, caller.uid)
    box = Box(top, engine, caller)
    try:
        yield box
    finally:
        box.close()


def _inherited() -> dict[str, str]:
    """Our environment without what would lead the product or boto3 elsewhere."""
    left_out = ("EXORDOS_", "AWS_")
    return {k: v for k, v in os.environ.items() if not k.startswith(left_out)}


def wait_until(condition: Callable[[], Any], seconds: float = ACTIVE_S) -> Any:
    """Ask again and again until the answer is true; that answer."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {condition}"
        time.sleep(0.02)
    return answer


def runs(pid: int) -> bool:
    """Whether a process runs; one that ended may still wait to be reaped."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def s3(endpoint: str, access_key: str, secret_key: str) -> Any:
    """A boto3 client that tries once."""
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        config=Config(retries={"total_max_attempts": 1}),
    )


def user_with_key(client: http.Client, instance: str, user: str) -> tuple[str, str]:
    """Make a user and a key of its own; the key's id and secret, once it works."""
    path = f"/instances/{instance}/users"
    client.create(path, {"name": user})
    key = client.create(f"{path}/{user}/access-keys", {})
    client.wait_active(f"{path}/{user}", ACTIVE_S)
    client.wait_active(f"{path}/{user}/access-keys/{key['access_key']}", ACTIVE_S)
    return key["access_key"], key["secret_key"]


def removed(client: http.Client, path: str) -> None:
    """Delete an object and wait until it is gone."""
    client.delete(path)
    wait_until(lambda: client.find(path) is None)
