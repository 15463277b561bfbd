"""Core's network: addresses are Core's to choose, and every link is there at once."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from exordos_core.compute.dm import models
from exordos_core.network.driver import base
from gcl_sdk.agents.universal.drivers import pool

from exordos_standins.records import Records

DRIVER = "stand"


class StandNetworkDriver(base.AbstractNetworkDriver):
    """Remembers what it is told; the hypervisor gives a machine its address."""

    def __init__(self, network: models.Network) -> None:
        spec = network.driver_spec
        if spec.get("driver") != DRIVER:
            raise ValueError(f"not a network of the stand: {spec}")
        self._records = Records(Path(spec["state"]), "subnets", "ports")

    def list_subnets(self) -> Iterable[models.Subnet]:
        """Every subnet."""
        rows = self._records.read()["subnets"].values()
        return [models.Subnet.restore_from_simple_view(**row) for row in rows]

    def list_ports(self, subnet: models.Subnet) -> Iterable[models.Port]:
        """The ports of one subnet."""
        rows = self._records.read()["ports"].values()
        ports = [models.Port.restore_from_simple_view(**row) for row in rows]
        return [port for port in ports if str(port.subnet) == str(subnet.uuid)]

    def create_subnet(self, subnet: models.Subnet) -> models.Subnet:
        """Remember a subnet."""
        self._records.put("subnets", subnet.uuid, subnet.dump_to_simple_view())
        return subnet

    def update_subnet(self, subnet: models.Subnet) -> models.Subnet:
        """Remember it as it is now."""
        return self.create_subnet(subnet)

    def delete_subnet(self, subnet: models.Subnet) -> None:
        """Forget a subnet."""
        self._records.drop("subnets", subnet.uuid)

    def create_port(self, port: models.Port) -> models.Port:
        """Remember a port; it is ready."""
        port.status = pool.PortStatus.ACTIVE.value
        self._records.put("ports", port.uuid, port.dump_to_simple_view())
        return port

    def update_port(self, port: models.Port) -> models.Port:
        """Remember it as it is now."""
        return self.create_port(port)

    def delete_port(self, port: models.Port) -> None:
        """Forget a port."""
        self._records.drop("ports", port.uuid)
