"""What an installer of Core would write: its network and one machine pool.

The platform's own bootstrap wants the disc of an installer, so its rows are made here
with its models.
"""

from __future__ import annotations

import os

from exordos_core.common import constants
from exordos_core.compute.dm import models
from gcl_sdk.agents.universal.dm import models as agents
from oslo_config import cfg
from restalchemy.common import config_opts
from restalchemy.storage.sql import engines

from exordos_standins.network import DRIVER

# Core's bootstrap has no constant for it; any will do.
_BOOT_SUBNET = "86b2d256-079a-460e-a78f-bc9a7b4b2996"


def main() -> None:
    """Write them once, into an empty database."""
    value = os.environ
    config_opts.register_posgresql_db_opts(cfg.CONF)
    cfg.CONF(["--config-file", value["STAND_CONFIG"]])
    engines.engine_factory.configure_postgresql_factory(cfg.CONF)
    zero = str(constants.ZERO_UUID)
    network = models.Network.restore_from_simple_view(
        name="stand",
        uuid=constants.NETWORK_UUID,
        driver_spec={"driver": DRIVER, "state": "/var/lib/exordos/stand-network.json"},
        project_id=zero,
    )
    network.insert()
    common = {
        "cidr": value["STAND_NETWORK"],
        "dhcp": False,
        "dns_servers": [value["STAND_CORE"]],
        "routers": [{"to": "0.0.0.0/0", "via": value["STAND_GATEWAY"]}],
        "project_id": zero,
    }
    for own in (
        {
            "name": "main",
            "uuid": str(constants.MAIN_SUBNET_UUID),
            "ip_range": value["STAND_NODES"],
            "ip_discovery_range": None,
            "next_server": None,
        },
        {
            "name": "boot",
            "uuid": _BOOT_SUBNET,
            "ip_range": None,
            "ip_discovery_range": value["STAND_BOOTING"],
            "next_server": value["STAND_CORE"],
        },
    ):
        subnet = models.Subnet.restore_from_simple_view(**common, **own)
        subnet.network = network.uuid
        subnet.insert()
    pool = models.MachinePool.restore_from_simple_view(
        name="stand",
        machine_type="VM",
        driver_spec={
            "kind": "exordos_local_hyper",
            "connection_uri": "stand:///",
            "node": value["STAND_NODE"],
            "storage_pool": [{"name": "local"}],
        },
    )
    pool.insert()
    agents.NodeEncryptionKey.get_or_create(pool.driver_spec.node)


if __name__ == "__main__":
    main()
