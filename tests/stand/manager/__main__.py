"""The first process of a machine: mounts, network, units, and what tells it to act.

`python -m tests.stand.manager SPEC`, in fresh namespaces. When it ends, the kernel ends
everything in the machine with it.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.stand.manager import links, mounts, protocol, spec
from tests.stand.manager.service import Service, StartError


class Manager:
    """The units of one machine."""

    def __init__(self, machine: spec.Machine) -> None:
        self._logs = Path(machine.logs)
        self._boot = machine.boot
        self._services: dict[str, Service] = {}
        self._over = asyncio.Event()
        self._control = Path(machine.control)
        for unit in machine.units:
            self._services[unit.name] = Service(unit, self._logs)
        self._verbs: dict[str, Callable[..., Awaitable[Any]]] = {
            "define": self._define,
            "forget": self._forget,
            "check": self._check,
            "start": self._each(lambda service: service.start()),
            "stop": self._each(lambda service: service.stop()),
            "restart": self._each(lambda service: service.restart()),
            "kill": self._kill,
            "list": self._list,
            "mount": self._mount,
            "unmount": self._unmount,
            "shutdown": self._shutdown,
        }

    async def run(self) -> None:
        """Serve until told to end; units that run then are stopped first."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGCHLD, self._reap)
        loop.add_signal_handler(signal.SIGTERM, self._over.set)
        self._control.unlink(missing_ok=True)
        folder = os.open(self._control.parent, os.O_PATH | os.O_DIRECTORY)
        server = await asyncio.start_unix_server(
            self._serve, protocol.name(self._control, folder)
        )
        self._control.chmod(0o600)
        for name in self._boot:
            try:
                await self._find(name).start()
            except StartError as error:
                sys.stderr.write(f"{error}\n")
        await self._over.wait()
        # Last started, first stopped: what others need goes last.
        running = [service for service in self._services.values() if service.pid]
        for service in reversed(running):
            await service.stop()
        server.close()
        self._control.unlink(missing_ok=True)

    def _reap(self) -> None:
        by_pid = {service.pid: service for service in self._services.values()}
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            # Others are orphans, which end up with a machine's first process.
            if pid in by_pid:
                by_pid[pid].reaped(os.waitstatus_to_exitcode(status))

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        answer: dict[str, Any]
        try:
            request = json.loads(await reader.readline())
            verb = self._verbs[request.pop("verb")]
            answer = {"done": await verb(**request)}
        except (StartError, LookupError, TypeError, ValueError, OSError) as error:
            answer = {"error": str(error) or repr(error)}
        try:
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
            writer.close()
        except ConnectionError:
            pass  # Who asked did not wait for the answer.

    def _find(self, name: str) -> Service:
        try:
            return self._services[name.removesuffix(".service")]
        except KeyError:
            raise LookupError(f"Unit {name} not found.") from None

    def _each(
        self, act: Callable[[Service], Awaitable[None]]
    ) -> Callable[..., Awaitable[None]]:
        async def act_on(units: list[str]) -> None:
            # All are looked up before the first is touched, as systemd does.
            for service in [self._find(name) for name in units]:
                await act(service)

        return act_on

    async def _check(self, units: list[str]) -> None:
        for name in units:
            self._find(name)

    async def _define(self, unit: dict[str, Any]) -> None:
        made = spec.Unit(**unit)
        if made.name in self._services and self._services[made.name].pid:
            raise LookupError(f"{made.name} runs: stop it before it is defined anew")
        self._services[made.name] = Service(made, self._logs)

    async def _forget(self, units: list[str]) -> None:
        for name in units:
            await self._find(name).stop()
            del self._services[name]

    async def _kill(self, units: list[str], signal_name: str) -> int:
        number = signal.Signals[signal_name]
        return sum(service.kill(number) for service in map(self._find, units))

    async def _list(self) -> dict[str, dict[str, Any]]:
        return {
            name: {"state": unit.state, "pid": unit.pid, "starts": unit.starts}
            for name, unit in self._services.items()
        }

    async def _mount(self, source: str, target: str) -> None:
        mounts.bind(source, target)

    async def _unmount(self, target: str) -> None:
        mounts.unmount(target)

    async def _shutdown(self) -> None:
        self._over.set()


def main() -> None:
    """Become the machine that the file in the first argument describes."""
    machine = spec.read(Path(sys.argv[1]))
    links.apply(machine)
    mounts.apply(machine)
    asyncio.run(_run(machine))


async def _run(machine: spec.Machine) -> None:
    await Manager(machine).run()


if __name__ == "__main__":
    main()
