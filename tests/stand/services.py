"""What the commands of the stand do to what runs in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from exordos_paas_storage.domain import errors
from tests.stand import host, hypervisor, nodes, places
from tests.stand.nodes import Node


def machines() -> list[str]:
    """Every machine that runs, the host first."""
    found = host.ask(host.NAME, "list")
    inner = [name for name in found if name != host.INDEX and found[name]["pid"]]
    return [host.NAME, *inner]


def listed() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every unit: its machine, its name, and how it is."""
    for machine in machines():
        if places.control(machine).exists():
            for unit, found in host.ask(machine, "list").items():
                yield machine, unit, found


def machine_of(name: str) -> str:
    """The machine of the control planes that has a service.

    Raises:
        SetupError: none has one of this name.
    """
    unit = name.removesuffix(".service")
    for machine, known, _ in listed():
        if known == unit and not machine.startswith("node-"):
            return machine
    raise errors.SetupError(f"no machine has a service {unit}")


def signal(machine: str, unit: str, name: str) -> None:
    """Signal a service.

    Raises:
        SetupError: it has no process.
    """
    number = "SIG" + name.upper().removeprefix("SIG")
    if not host.ask(machine, "kill", units=[unit], signal_name=number):
        raise errors.SetupError(f"{unit} does not run")


def node(which: str) -> Node:
    """The machine with this uuid or address.

    Raises:
        SetupError: there is none.
    """
    for found in nodes.known():
        if which in (found.uuid, found.address):
            return found
    raise errors.SetupError(f"there is no machine {which}")


def told(found: Node) -> dict[str, Any]:
    """What is known of a machine, for tests."""
    records = json.loads(hypervisor.RECORDS.read_text())
    volumes = records["volumes"]
    units = host.ask(found.name, "list") if found.name in machines() else {}
    return {
        "id": found.uuid,
        "name": records["machines"].get(found.uuid, {}).get("name", ""),
        "address": found.address,
        "boot": found.boot,
        "image": nodes.flashed(found),
        "disks_gib": {
            key: volumes[key]["size"]
            for key in volumes
            if key in (found.root, *found.data)
        },
        "cores": records["machines"].get(found.uuid, {}).get("cores"),
        "ram_mib": records["machines"].get(found.uuid, {}).get("ram"),
        "data": [str(nodes.disk(volume)) for volume in found.data],
        "engine": units.get(nodes.ENGINE_UNIT, {}),
    }


def inside(which: str, argv: list[str]) -> list[str]:
    """The command that runs another one on a machine.

    Raises:
        SetupError: there is none of this name, uuid or address, or it is off.
    """
    name = which if which in machines() else node(which).name
    pid = host.first_pid(name)
    if pid is None:
        raise errors.SetupError(f"the machine {which} is off")
    return [*("nsenter", f"--target={pid}", "--net", "--mount", "--pid", "--"), *argv]


def lose(found: Node, *, disks: bool) -> None:
    """Remove a machine, and its disks or not, behind the hypervisor's back."""
    nodes.delete(found.uuid)
    records = json.loads(hypervisor.RECORDS.read_text())
    for table in ("machines", "ports"):
        records[table].pop(found.uuid, None)
    for volume in (found.root, *found.data) if disks else ():
        nodes.delete_disk(volume)
        records["volumes"].pop(volume, None)
    part = hypervisor.RECORDS.with_suffix(".lose")
    part.write_text(json.dumps(records, indent=1))
    part.replace(hypervisor.RECORDS)
