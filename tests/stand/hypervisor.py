"""The machine that the pool's agent runs on."""

from __future__ import annotations

from tests.stand import machines, places
from tests.stand.manager.spec import Machine, Unit

NAME = AGENT = "hypervisor"
_CONFIG = "/etc/stand-hypervisor.conf"
RECORDS = places.MACHINES / "pool.json"


def prepare() -> Machine:
    """Write the agent's configuration; the machine."""
    machines.put(NAME, "/etc/hosts", places.HOSTS)
    machines.put(NAME, "/etc/logging.yaml", machines.LOGGING)
    machines.put(NAME, "/var/lib/exordos/universal_agent/.keep", "")
    boot_api = f"http://{places.CORE}:11013"
    machines.put(
        NAME,
        _CONFIG,
        "[universal_agent]\norch_secure_communication = False\n"
        f"orch_endpoint = {boot_api}\nstatus_endpoint = {boot_api}\n"
        "caps_drivers = StandHypervisorDriver\n",
    )
    agent = Unit(
        name=AGENT,
        argv=[machines.program("exordos-universal-agent"), "--config-file", _CONFIG],
        env=machines.platform_environment(
            STAND_RECORDS=str(RECORDS),
            STAND_POOL_META="/var/lib/exordos/pool_agent_meta.json",
        ),
    )
    return machines.describe(
        NAME, address=places.HYPERVISOR, dmi=places.HYPERVISOR_NODE, units=[agent]
    )
