"""The machines of the pool: booting them, their disks, and what tests do to them.

`stand-machine` calls it for the hypervisor's stand-in.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from exordos_paas_storage.domain import errors
from exordos_paas_storage.nodes import image
from tests.stand import host, machines, places
from tests.stand import image as node_system
from tests.stand.manager.spec import Machine, Unit

ENGINE_UNIT = image.ENGINE_UNIT.removesuffix(".service")
AGENT_UNIT = "exordos-universal-agent"
NETWORK_BOOT = "network"
_AGENT = "/etc/exordos_universal_agent/exordos_universal_agent.conf"
_AGENT_CONFIG = f"""\
[universal_agent]
orch_endpoint = http://{places.CORE_NAME}:11011
status_endpoint = http://{places.CORE_NAME}:11012
caps_drivers =
    StandGuestDriver,
    RenderAgentDriver
"""


@dataclass(frozen=True)
class Node:
    """A machine of the pool: what it booted from last, and its disks."""

    uuid: str
    boot: str
    address: str
    root: str
    data: list[str]

    @property
    def name(self) -> str:
        """Of the machine."""
        return f"node-{self.uuid}"

    @property
    def folder(self) -> Path:
        """What is the machine's own, besides its disks."""
        return machines.folder(self.name)

    def write(self) -> None:
        """Remember it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(dataclasses.asdict(self))
        (self.folder / "node.json").write_text(text)


def known() -> list[Node]:
    """Every machine that there is, running or not."""
    found = sorted(places.MACHINES.glob("node-*/node.json"))
    return [Node(**json.loads(path.read_text())) for path in found]


def find(uuid: str) -> Node:
    """One machine.

    Raises:
        SetupError: there is none with this uuid.
    """
    for node in known():
        if node.uuid == uuid:
            return node
    raise errors.SetupError(f"there is no machine {uuid}")


def boot(uuid: str, source: str, address: str, root: str, *data: str) -> None:
    """Boot a machine, which may run, from the network or from its root disk."""
    if source == NETWORK_BOOT:
        address = _free_address()
    node = Node(uuid, source, address, root, list(data))
    _off(node)
    node.write()
    machine = _from_network(node) if source == NETWORK_BOOT else _from_disk(node)
    host.add(machine)


def halt(uuid: str) -> None:
    """Cut a machine's power."""
    _off(find(uuid))


def delete(uuid: str) -> None:
    """Remove a machine; its disks are removed by themselves. Done if it is gone."""
    for node in known():
        if node.uuid == uuid:
            _off(node)
            shutil.rmtree(node.folder)


def make_disk(uuid: str) -> None:
    """Make a blank disk."""
    disk(uuid).mkdir(parents=True, exist_ok=True)


def delete_disk(uuid: str) -> None:
    """Remove a disk with what is on it."""
    shutil.rmtree(disk(uuid), ignore_errors=True)


def attach(uuid: str, volume: str) -> None:
    """Plug a data disk in; done if it is."""
    node = find(uuid)
    if volume in node.data:
        return
    node = dataclasses.replace(node, data=[*node.data, volume])
    node.write()
    if node.boot != NETWORK_BOOT:
        _format(volume)
        source, target = str(disk(volume)), str(image.DATA_MOUNT)
        host.ask(node.name, "mount", source=source, target=target)
        host.ask(node.name, "restart", units=[ENGINE_UNIT])


def detach(uuid: str, volume: str) -> None:
    """Pull a data disk; done if it is, or if the machine is gone."""
    for node in known():
        if node.uuid == uuid and volume in node.data:
            left = [one for one in node.data if one != volume]
            dataclasses.replace(node, data=left).write()
            if node.boot != NETWORK_BOOT and places.control(node.name).exists():
                host.ask(node.name, "stop", units=[ENGINE_UNIT])
                host.ask(node.name, "unmount", target=str(image.DATA_MOUNT))


def disk(uuid: str) -> Path:
    """The folder that a disk is."""
    return places.VOLUMES / uuid


def flashed(node: Node) -> str:
    """The address of the image on a machine's root disk; empty for a blank one."""
    mark = disk(node.root) / "image"
    return mark.read_text() if mark.exists() else ""


def _off(node: Node) -> None:
    if node.name in host.ask(host.NAME, "list"):
        host.ask(host.NAME, "kill", units=[node.name], signal_name="SIGKILL")
        host.ask(host.NAME, "forget", units=[node.name])
    for left in (places.control(node.name), places.RUN / f"{node.name}.json"):
        left.unlink(missing_ok=True)


def _from_network(node: Node) -> Machine:
    """A machine with the system that flashes root disks."""
    scratch = node.folder / "from-network"
    shutil.rmtree(scratch, ignore_errors=True)
    config = scratch / "etc" / "upper" / _AGENT.removeprefix("/etc/")
    config.parent.mkdir(parents=True)
    config.write_text(_AGENT_CONFIG)
    config.with_name("logging.yaml").write_text(machines.LOGGING)
    (scratch / "etc" / "upper" / "hosts").write_text(places.HOSTS)
    key = "seed-key"
    fetch = Unit(
        name=key,
        argv=machines.python("tests.stand.seed_key", node.uuid),
        env=machines.platform_environment(),
        cwd=str(places.ROOT),
        oneshot=True,
    )
    return dataclasses.replace(
        _machine(node, [fetch, _agent()]),
        overlays={
            p: str(scratch / node_system.LAYERS[p]) for p in ("/etc", "/var/lib")
        },
        binds={
            "/run/root-disk": str(disk(node.root)),
            "/run/image": str(places.IMAGE),
        },
        boot=[key, AGENT_UNIT],
    )


def _from_disk(node: Node) -> Machine:
    """A machine with the system on its root disk, and its data disk mounted."""
    root = disk(node.root)
    if not flashed(node):
        # A blank disk boots nothing: the machine is on, and that is all.
        return _machine(node, [])
    agent = root / "etc" / "upper" / _AGENT.removeprefix("/etc/")
    agent.parent.mkdir(parents=True, exist_ok=True)
    agent.write_text(_AGENT_CONFIG)
    for volume in node.data:
        _format(volume)
    return dataclasses.replace(
        _machine(node, [_engine(), _agent()]),
        overlays={path: str(root / name) for path, name in node_system.LAYERS.items()},
        binds={str(image.DATA_MOUNT): str(disk(volume)) for volume in node.data[:1]},
        # On a node the engine is enabled too: after a reboot nothing is delivered.
        boot=[ENGINE_UNIT, AGENT_UNIT],
    )


def _machine(node: Node, units: list[Unit]) -> Machine:
    return machines.describe(
        node.name, address=node.address, dmi=node.uuid, units=units
    )


def _agent() -> Unit:
    return Unit(
        name=AGENT_UNIT,
        argv=[machines.program("exordos-universal-agent"), "--config-file", _AGENT],
        env=machines.platform_environment(),
    )


def _engine() -> Unit:
    """As the role's engine.service has it, without what is systemd's sandbox."""
    return Unit(
        name=ENGINE_UNIT,
        argv=[str(image.LIB_DIR / "start-engine")],
        env={"PATH": "/usr/sbin:/usr/bin", "LANG": "C.UTF-8"},
        env_file=str(image.SETTINGS_FILE),
        uid=image.UID,
        umask=0o077,
        keep_after_s=3.0,
        final_status=image.REFUSED_STATUS,
        stop_s=float(image.STOP_S),
    )


def _format(volume: str) -> None:
    """Give a blank data disk its one folder, as the node's own tool does."""
    data = disk(volume) / image.DATA_DIR.name
    if not data.exists():
        data.mkdir(mode=0o750)
        shutil.chown(data, image.UID, image.GID)
        disk(volume).chmod(0o755)


def _free_address() -> str:
    first, last = map(ipaddress.IPv4Address, places.BOOTING.split("-"))
    taken = {node.address for node in known()}
    for number in range(int(first), int(last) + 1):
        address = str(ipaddress.IPv4Address(number))
        if address not in taken:
            return address
    raise errors.SetupError(f"no address of {places.BOOTING} is free")


_VERBS: dict[str, Callable[..., None]] = {
    "boot": boot,
    "halt": halt,
    "delete": delete,
    "make-disk": make_disk,
    "delete-disk": delete_disk,
    "attach": attach,
    "detach": detach,
}


def main() -> None:
    """`stand-machine VERB ARGUMENT…`."""
    verb, *arguments = sys.argv[1:]
    _VERBS[verb](*arguments)


if __name__ == "__main__":
    main()
