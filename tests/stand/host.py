"""The outermost machine: the bridge, the package index, and all other machines."""

from __future__ import annotations

import dataclasses
import json
import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Sequence
from typing import Any

import psutil

from exordos_paas_storage.domain import errors
from exordos_paas_storage.nodes import process
from tests.stand import balancer, machines, places
from tests.stand.manager import protocol
from tests.stand.manager.spec import Machine

NAME = "host"
INDEX = "index"
_START_S, _STOP_S = 120.0, 120.0


def running() -> bool:
    """Whether a stand runs here, whole or half."""
    return _process() is not None


def start() -> None:
    """Start the host, with the index; nothing else is in it yet.

    Raises:
        SetupError: it does not start.
    """
    config = places.RUN / "index-nginx.conf"
    config.write_text(balancer.index_config())
    machine = Machine(
        name=NAME,
        control=str(places.control(NAME)),
        logs=str(places.LOGS),
        address=f"{places.HOST}/{places.PREFIX}",
        bridge=places.BRIDGE,
        is_host=True,
        binds={"/etc/hosts": str(places.HOSTS_FILE)},
        units=[balancer.unit(str(config), 8081, places.HOST, INDEX)],
    )
    log = process.open_log(places.LOGS / "host.log")
    try:
        child = subprocess.Popen(
            machines.enter_new(machine.write(places.RUN / "host-spec.json")),
            cwd=places.ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    finally:
        os.close(log)
    found = process.identify(child.pid)
    if found:
        places.PID.write_text(json.dumps(dataclasses.asdict(found)))
    process.wait_until(lambda: _answers(NAME) or child.poll() is not None, _START_S)
    if not _answers(NAME):
        said = process.last_line(places.LOGS / "host.log")
        raise errors.SetupError(f"the stand's host does not start: {said}")


def stop() -> bool:
    """End the host and all that is in it; whether there was one."""
    found = _process()
    if found is None:
        return False
    # Nothing of it is used again: the kernel ends all that is in it, at once.
    os.kill(found.pid, signal.SIGKILL)
    if not process.wait_gone(found, _STOP_S):
        raise errors.SetupError(f"the stand's host, process {found.pid}, does not end")
    places.PID.unlink(missing_ok=True)
    return True


def clear() -> None:
    """Remove everything of the last stand, but what takes long to make."""
    for folder in places.OF_ONE_STAND:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    # Databases have their sockets below it.
    places.RUN.chmod(0o711)
    places.MACHINES.chmod(0o711)
    # Nobody knows what the platform's code writes there.
    places.LOGS.chmod(0o700)
    places.HOSTS_FILE.write_text(places.HOSTS)


def write_tools() -> None:
    """Write the commands that services of the stand find before this machine's own."""
    root, python = shlex.quote(str(places.ROOT)), machines.python
    for name, argv in {
        "systemctl": python("tests.stand.manager.systemctl", "systemctl"),
        "systemd-run": python("tests.stand.manager.systemctl", "systemd-run"),
        "stand-machine": python("tests.stand.nodes"),
        "stand": python("tests.stand"),
    }.items():
        script = places.TOOLS / name
        state = shlex.quote(str(places.STATE))
        script.write_text(
            f"#!/bin/sh\nPYTHONPATH={root} EXORDOS_STAND_DIR={state}"
            f' exec {shlex.join(argv)} "$@"\n'
        )
        script.chmod(0o755)


def add(machine: Machine) -> None:
    """Start a machine in the host."""
    ask(NAME, "define", unit=dataclasses.asdict(machines.as_unit(machine)))
    ask(NAME, "start", units=[machine.name])
    if not process.wait_until(lambda: _answers(machine.name), _START_S):
        said = process.last_line(places.LOGS / f"{machine.name}.log")
        raise errors.SetupError(f"the machine {machine.name} does not start: {said}")


def begin(machine: str, *units: str) -> None:
    """Start units of a machine, one after the other, each until it serves."""
    ask(machine, "start", units=list(units))


def ask(machine: str, verb: str, **request: Any) -> Any:
    """Ask a machine's manager.

    Raises:
        SetupError: it is not there, or it failed.
    """
    try:
        return protocol.ask(places.control(machine), verb=verb, **request)
    except protocol.ManagerError as error:
        raise errors.SetupError(f"{machine}: {error}") from None


def inside(argv: Sequence[str]) -> list[str]:
    """The command that runs another one on the host's network, with its names.

    Raises:
        SetupError: no stand runs.
    """
    found = _process()
    if found is None:
        raise errors.SetupError("no stand runs: python -m tests.stand up")
    mounted = 'mount --bind "$1" /etc/hosts && shift && exec "$@"'
    return [
        *("nsenter", f"--net=/proc/{found.pid}/ns/net"),
        *("unshare", "--mount", "--propagation", "private"),
        *("sh", "-c", mounted, "sh", str(places.HOSTS_FILE), *argv),
    ]


def _answers(machine: str) -> bool:
    try:
        protocol.ask(places.control(machine), verb="check", units=[])
    except (protocol.ManagerError, FileNotFoundError):
        return False
    return True


def first_pid(machine: str) -> int | None:
    """The manager of a machine, as this machine numbers it; None where it is off."""
    spec = places.RUN / ("host-spec.json" if machine == NAME else f"{machine}.json")
    wanted = machines.python("tests.stand.manager", str(spec))
    for found in psutil.process_iter(["cmdline"]):
        if found.info["cmdline"] == wanted:
            return int(found.pid)
    return None


def _process() -> process.Process | None:
    try:
        known = process.Process(**json.loads(places.PID.read_text()))
    except FileNotFoundError:
        return None
    return known if process.alive(known) else None
