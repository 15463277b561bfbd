"""One unit at work: its process, its state, and what brings it back."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

from exordos_paas_storage.nodes import engine_config
from tests.stand.manager import sessions
from tests.stand.manager.spec import Unit

INACTIVE, STARTING, ACTIVE, FAILED = "inactive", "starting", "active", "failed"
_POLL_S = 0.05


class StartError(Exception):
    """A unit ended before it served, or took too long."""


def _closed(path: str, flags: int) -> int:
    """Open a file that others can't read."""
    return os.open(path, flags, 0o600)


class Service:
    """A unit and the processes it has; all calls come from one event loop."""

    def __init__(self, unit: Unit, logs: Path) -> None:
        self.unit, self.log = unit, logs / f"{unit.name}.log"
        self.state, self.pid, self.starts = INACTIVE, 0, 0
        self.status: int | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = asyncio.Lock()
        self._wanted = False
        self._ended = asyncio.Event()
        self._again: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start it and wait until it serves; done if it runs.

        Raises:
            StartError: see there; a unit that is kept goes on being tried.
        """
        async with self._lock:
            if self.pid:
                return
            self._stop_trying()
            self._wanted = True
            self._launch()
        await self._await_ready()

    async def stop(self) -> None:
        """End every process of it; it stays ended."""
        async with self._lock:
            self._wanted = False
            self._stop_trying()
            leader = self.pid
            if leader:
                sessions.send(leader, signal.SIGTERM)
                deadline = time.monotonic() + self.unit.stop_s
                while self.pid and time.monotonic() < deadline:
                    await asyncio.sleep(_POLL_S)
                await self._kill(leader)
            self.state = INACTIVE

    async def restart(self) -> None:
        """Stop and start it."""
        await self.stop()
        await self.start()

    def kill(self, number: signal.Signals) -> int:
        """Signal all of its processes; how many there are."""
        return sessions.send(self.pid, number) if self.pid else 0

    def reaped(self, status: int) -> None:
        """Its first process has ended; the manager tells it so."""
        leader, self.pid, self.status = self.pid, 0, status
        if self._process:
            self._process.returncode = status
        sessions.send(leader, signal.SIGKILL)
        self._ended.set()
        self.state = INACTIVE if status == 0 or not self._wanted else FAILED
        final = self.unit.oneshot or status == self.unit.final_status
        if self._wanted and self.unit.keep and not final:
            self._again = asyncio.get_running_loop().create_task(self._retry())

    async def _retry(self) -> None:
        await asyncio.sleep(self.unit.keep_after_s)
        async with self._lock:
            if self._wanted and not self.pid:
                with contextlib.suppress(StartError):
                    self._launch()
                    self.state = ACTIVE

    async def _kill(self, leader: int) -> None:
        while sessions.send(leader, signal.SIGKILL) or self.pid:
            await asyncio.sleep(_POLL_S)

    def _stop_trying(self) -> None:
        if self._again:
            self._again.cancel()
            self._again = None

    def _launch(self) -> None:
        unit = self.unit
        self._ended.clear()
        account = {} if unit.uid is None else _account(unit.uid)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(self.log, "ab", opener=_closed) as log:
                self._process = subprocess.Popen(
                    unit.argv,
                    env=environment(unit),
                    cwd=unit.cwd,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    umask=unit.umask,
                    **account,
                )
        except OSError as error:
            self.state, self._wanted = FAILED, False
            raise StartError(f"{unit.name} can't be started: {error}") from None
        self.pid, self.status, self.state = self._process.pid, None, STARTING
        self.starts += 1

    async def _await_ready(self) -> None:
        unit = self.unit
        deadline = time.monotonic() + unit.limit_s
        while not await self._serves():
            if self._ended.is_set() and unit.oneshot and self.status == 0:
                self.state = INACTIVE
                return
            if self._ended.is_set():
                raise StartError(
                    f"{unit.name} ended with {self.status}: see {self.log}"
                )
            if time.monotonic() > deadline:
                raise StartError(
                    f"{unit.name} does not serve after {unit.limit_s:.0f} s: see"
                    f" {self.log}"
                )
            await asyncio.sleep(_POLL_S)
        self.state = ACTIVE

    async def _serves(self) -> bool:
        if self.unit.oneshot or not self.pid:
            return False
        if self.unit.ready_port is None:
            return True
        try:
            _, writer = await asyncio.open_connection(
                self.unit.ready_host, self.unit.ready_port
            )
        except OSError:
            return False
        writer.close()
        return True


def environment(unit: Unit) -> dict[str, str]:
    """Everything in the unit's environment, its file read now."""
    found = dict(unit.env)
    if unit.env_file and os.path.isfile(unit.env_file):
        text = Path(unit.env_file).read_text()
        found.update(engine_config.read_environment_file(text))
    return found


def _account(uid: int) -> dict[str, Any]:
    return {"user": uid, "group": uid, "extra_groups": []}
