"""A machine pool without a hypervisor: its machines are namespaces of this host.

It serves a pool of the kind `exordos_local_hyper`, as Core knows it. `stand-machine`
(tests/stand/nodes.py) does the work; this remembers what there is.
"""

from __future__ import annotations

import os
import subprocess
import uuid
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from gcl_sdk.agents.universal.drivers import pool

from exordos_standins.records import Records

_CORES, _RAM_MIB, _DISK_GIB = 256, 1 << 20, 100_000
_DISKS = pool.ThinStoragePool(
    uuid=uuid.uuid5(uuid.NAMESPACE_DNS, "stand"),
    name="local",
    pool_type="local",
    capacity_usable=_DISK_GIB,
    available_actual=_DISK_GIB,
)


class NamespacePoolDriver(pool.AbstractPoolDriver):
    """The pool's machines and volumes."""

    def __init__(self, of: pool.MachinePool, dry_run: bool = False) -> None:
        super().__init__(dry_run)
        self._spec = of.driver_spec
        self._records = Records(
            Path(os.environ["STAND_RECORDS"]), "machines", "ports", "volumes"
        )

    def get_pool_info(self) -> pool.MachinePool:
        """More of everything than tests ask for."""
        return pool.MachinePool(
            driver_spec=self._spec, all_cores=_CORES, all_ram=_RAM_MIB
        )

    def list_storage_pools(self) -> Collection[pool.AbstractStoragePool]:
        """The one."""
        return [_DISKS]

    def list_machines(self) -> list[tuple[pool.Machine, tuple[pool.Port, ...]]]:
        """Every machine with its port."""
        rows = self._records.read()
        return [
            (
                pool.Machine.restore_from_simple_view(**row),
                (pool.Port.restore_from_simple_view(**rows["ports"][key]),),
            )
            for key, row in rows["machines"].items()
        ]

    def list_volumes(
        self, machine: pool.Machine | None = None
    ) -> list[pool.MachineVolume]:
        """Every volume, or those of one machine."""
        rows = self._records.read()["volumes"].values()
        return [
            pool.MachineVolume.restore_from_simple_view(**row)
            for row in rows
            if machine is None or row.get("machine") == str(machine.uuid)
        ]

    def list_pool_resources(self) -> tuple[Any, ...]:
        """All of it at once."""
        pools = self.list_storage_pools()
        return self.get_pool_info(), pools, self.list_machines(), self.list_volumes()

    def get_machine(
        self, machine: uuid.UUID
    ) -> tuple[pool.Machine, tuple[pool.Port, ...]]:
        """One machine with its port."""
        for found, ports in self.list_machines():
            if found.uuid == machine:
                return found, ports
        raise pool.MachineNotFoundError(machine=machine)

    def create_machine(
        self,
        machine: pool.Machine,
        volumes: Iterable[pool.MachineVolume],
        ports: Iterable[pool.Port],
    ) -> tuple[pool.Machine, tuple[pool.Port, ...]]:
        """Make a machine and boot it."""
        taken = tuple(ports)
        for volume in volumes:
            volume.machine = machine.uuid
            self._keep_volume(volume)
        self._boot(machine, taken)
        return machine, taken

    def recreate_machine(
        self, machine: pool.Machine, ports: Collection[pool.Port] | None = None
    ) -> None:
        """Boot it from elsewhere, or with another address; its disks stay."""
        self._boot(machine, tuple(ports or ()))

    def delete_machine(
        self, machine: pool.Machine, delete_volumes: bool = True
    ) -> None:
        """End a machine, with its volumes."""
        _call("delete", str(machine.uuid))
        for table in ("machines", "ports"):
            self._records.drop(table, machine.uuid)
        for volume in self.list_volumes(machine):
            if delete_volumes:
                self.delete_volume(volume)
            else:
                self.detach_volume(volume)

    def create_volume(self, volume: pool.MachineVolume) -> pool.MachineVolume:
        """Make a disk: a folder, and the size that it should have."""
        _call("make-disk", str(volume.uuid))
        return self._keep_volume(volume)

    def delete_volume(self, volume: pool.MachineVolume) -> None:
        """Remove a disk with what is on it."""
        _call("delete-disk", str(volume.uuid))
        self._records.drop("volumes", volume.uuid)

    def resize_volume(self, volume: pool.MachineVolume) -> None:
        """Write the new size down."""
        self._keep_volume(volume)

    def attach_volume(self, volume: pool.MachineVolume) -> None:
        """Plug a disk into a running machine."""
        self._keep_volume(volume)
        if volume.index != 0:
            _call("attach", str(volume.machine), str(volume.uuid))

    def detach_volume(self, volume: pool.MachineVolume) -> None:
        """Pull a disk; a machine that is gone has none."""
        if volume.machine:
            _call("detach", str(volume.machine), str(volume.uuid))
        volume.machine = None
        self._keep_volume(volume)

    def get_volume(self, volume: uuid.UUID) -> pool.MachineVolume:
        """One volume."""
        for found in self.list_volumes():
            if found.uuid == volume:
                return found
        raise pool.VolumeNotFoundError(volume=volume)

    def set_machine_cores(self, machine: pool.Machine, cores: int) -> None:
        """Write it down."""
        machine.cores = cores
        self._keep_machine(machine)

    def set_machine_ram(self, machine: pool.Machine, ram: int) -> None:
        """Write it down."""
        machine.ram = ram
        self._keep_machine(machine)

    def rename_machine(self, machine: pool.Machine, name: str) -> None:
        """Write it down."""
        machine.name = name
        self._keep_machine(machine)

    def attach_port(self, machine: pool.Machine, port: pool.Port) -> None:
        """Refuse: Core recreates a machine to change its address."""
        raise NotImplementedError("the stand changes no address of a running machine")

    def detach_port(self, machine: pool.Machine, port: pool.Port) -> None:
        """Refuse; see above."""
        raise NotImplementedError("the stand changes no address of a running machine")

    def reset_machine(self, machine: pool.Machine) -> None:
        """Cut its power and boot it again."""
        self.shutdown_machine(machine, force=True)
        self.start_machine(machine)

    def shutdown_machine(self, machine: pool.Machine, force: bool = False) -> None:
        """End what runs on it."""
        _call("halt", str(machine.uuid))

    def start_machine(self, machine: pool.Machine) -> None:
        """Boot it as it was."""
        found, ports = self.get_machine(machine.uuid)
        self._boot(found, ports)

    def _boot(self, machine: pool.Machine, ports: tuple[pool.Port, ...]) -> None:
        address = next((str(port.ipv4) for port in ports if port.ipv4), "")
        disks = self.list_volumes(machine)
        root = next(str(disk.uuid) for disk in disks if disk.index == 0)
        data = [str(disk.uuid) for disk in disks if disk.index != 0]
        machine.status = pool.MachineStatus.ACTIVE.value
        for port in ports:
            self._records.put("ports", machine.uuid, port.dump_to_simple_view())
        self._keep_machine(machine)
        _call("boot", str(machine.uuid), machine.boot, address, root, *data)

    def _keep_machine(self, machine: pool.Machine) -> None:
        self._records.put("machines", machine.uuid, machine.dump_to_simple_view())

    def _keep_volume(self, volume: pool.MachineVolume) -> pool.MachineVolume:
        volume.status = pool.VolumeStatus.ACTIVE.value
        self._records.put("volumes", volume.uuid, volume.dump_to_simple_view())
        return volume


class StandPool(pool.MetaPool):
    """A pool that is served by the driver above, whatever its kind is served by."""

    def load_driver(self) -> pool.AbstractPoolDriver:
        """The driver of this pool, made once."""
        key = str(self.driver_spec)
        if key not in self.__driver_map__:
            self.__driver_map__[key] = NamespacePoolDriver(self)
        return self.__driver_map__[key]


class StandHypervisorDriver(pool.LocalPoolAgentDriver):
    """Serves pools, machines and volumes to Core."""

    __model_map__ = {**pool.PoolAgentDriver.__model_map__, "pool": StandPool}

    def __init__(self, **options: Any) -> None:
        super().__init__(meta_file=os.environ["STAND_POOL_META"], **options)


def _call(*arguments: str) -> None:
    subprocess.run(["stand-machine", *arguments], check=True)
