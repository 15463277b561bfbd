"""The network of a machine: one link to the bridge of its host."""

from __future__ import annotations

import hashlib
import os
import subprocess

from tests.stand.manager.spec import Machine

_LINK = "eth0"
# A bridge without an address of its own has the lowest of its links, and another one
# once that machine is gone: what is under way to it is lost until the others look anew,
# in nearly a minute.
_BRIDGE = "02:00:00:00:00:01"


def apply(machine: Machine) -> None:
    """Bring the machine's network up; call it while `/proc` is still the host's."""
    _ip("link", "set", "lo", "up")
    if machine.is_host:
        # One that filters would want modules; a bridge that learns nothing is enough.
        named = (machine.bridge, "address", _BRIDGE)
        _ip("link", "add", *named, "type", "bridge", "forward_delay", "0")
        _address(machine, machine.bridge)
    elif machine.address:
        _plug(machine)
        _address(machine, _LINK)


def _plug(machine: Machine) -> None:
    """Make a pair of links in the host, and keep one end of it."""
    inside = f"/proc/{os.readlink('/proc/self')}/ns/net"
    host = ["nsenter", "--net=/proc/1/ns/net"]
    port = "m" + hashlib.sha256(machine.name.encode()).hexdigest()[:10]
    # One of a machine of this name that was killed may linger for a moment.
    subprocess.run(
        [*host, "ip", "link", "delete", port], capture_output=True, check=False
    )
    pair = ["type", "veth", "peer", "name", _LINK, "netns", inside]
    _run([*host, "ip", "link", "add", port, *pair])
    _run([*host, "ip", "link", "set", port, "master", machine.bridge, "up"])


def _address(machine: Machine, link: str) -> None:
    if machine.address:
        _ip("address", "add", machine.address, "dev", link)
    _ip("link", "set", link, "up")
    if machine.gateway:
        _ip("route", "add", "default", "via", machine.gateway)


def _ip(*arguments: str) -> None:
    _run(["ip", *arguments])


def _run(argv: list[str]) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"{' '.join(argv)}: {done.stderr.strip()}")
