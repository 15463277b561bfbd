"""Where everything of the stand lies, and which address is whose."""

from __future__ import annotations

import os
from pathlib import Path

from exordos_paas_storage.domain import errors

ROOT = Path(__file__).resolve().parents[2]
HERE = ROOT / "tests" / "stand"

# The account that databases run as, and that bjoern becomes.
ACCOUNT = "nobody"

BRIDGE, PREFIX = "stand0", 22
HOST, CORE, METAPAAS, HYPERVISOR = "10.20.0.1", "10.20.0.2", "10.20.0.3", "10.20.0.4"
NETWORK = "10.20.0.0/22"
# What Core gives to nodes, and what a machine has while it boots from the network.
NODES = "10.20.0.20-10.20.1.250"
BOOTING = "10.20.2.10-10.20.2.250"
CORE_NAME, METAPAAS_NAME = "core.local.genesis-core.tech", "metapaas-cp"
HOSTS = f"""\
127.0.0.1 localhost
{HOST} stand
{CORE} {CORE_NAME}
{METAPAAS} {METAPAAS_NAME}
"""
INDEX_URL = f"http://{HOST}:8081/simple/"
# Of output/repository, as `make build` has it.
REPOSITORY_URL = f"http://{HOST}:8081"
CORE_URL = f"http://{CORE}:11010"
# The load balancer's; what the command line and agents want.
CORE_API_URL = f"http://{CORE}/api/core"
METAPAAS_URL = f"http://{METAPAAS_NAME}:8080"

CORE_NODE = "11110000-0000-4000-8000-000000000001"
METAPAAS_NODE = "22220000-0000-4000-8000-000000000001"
HYPERVISOR_NODE = "33330000-0000-4000-8000-000000000001"

STATE = Path(os.environ.get("EXORDOS_STAND_DIR") or ROOT / "build" / "stand").resolve()
# Kept from one stand to the next.
VENV, CLI, INDEX, REPOSITORY, DATABASE = (
    STATE / "venv",
    STATE / "cli",
    STATE / "index",
    STATE / "repository",
    STATE / "postgresql",
)
# Of one stand.
RUN, LOGS, MACHINES, VOLUMES, IMAGE, TOOLS, HOME = (
    STATE / "run",
    STATE / "logs",
    STATE / "machines",
    STATE / "volumes",
    STATE / "image",
    STATE / "bin",
    STATE / "home",
)
OF_ONE_STAND = (RUN, LOGS, MACHINES, VOLUMES, IMAGE, TOOLS, HOME)
SECRETS = RUN / "secrets.json"
SETTINGS = RUN / "settings.env"
READY = RUN / "ready"
PID = RUN / "host.json"
HOSTS_FILE = RUN / "hosts"


def control(machine: str) -> Path:
    """The socket of a machine's manager."""
    return RUN / f"{machine}.sock"


def check_reachable() -> None:
    """Check that the services' account can get at the state folder.

    Raises:
        SetupError: it can't; the message says what to do.
    """
    for folder in (STATE, *STATE.parents):
        if folder.exists() and not folder.stat().st_mode & 0o001:
            raise errors.SetupError(
                f"{folder} is closed to the account {ACCOUNT}, which services of the"
                f" platform run as: open it (chmod o+x), or name another folder for the"
                " stand with EXORDOS_STAND_DIR"
            )
