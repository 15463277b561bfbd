"""Exordos Core on its machine, configured by its own templates."""

from __future__ import annotations

from pathlib import Path

import jinja2

from tests.stand import balancer, database, machines, places
from tests.stand.manager.spec import Machine, Unit
from tests.stand.secretbook import Secrets

NAME = DATABASE = "core"
_DB = "exordos_core"
_CONFIG = "/etc/exordos_core/exordos_core.conf"
_AGENT = "/etc/exordos_universal_agent/exordos_universal_agent.conf"
MIGRATIONS = ["core-migrations-sdk", "core-migrations"]
APIS = ["ec-user-api", "ec-orch-api", "ec-status-api", "ec-boot-api", "nginx"]
SERVICES = [
    "ec-gservice",
    "exordos-repo-proxy-gservice",
    "ec-core-agent",
    "exordos-universal-agent",
    "exordos-universal-scheduler",
]
SEED = "core-seed"
# Drivers that change the machine: its name, its keys, its balancer, its certificates.
_LEFT_OUT = (
    "CoreDNSCertificateCapabilityDriver",
    "LBAgentCapabilityDriver",
    "BorderAgentCapabilityDriver",
    "GuestMachineCapabilityDriver",
    "SSHKeyCapabilityDriver",
)
_PORTS = {
    "ec-user-api": 11010,
    "ec-orch-api": 11011,
    "ec-status-api": 11012,
    "ec-boot-api": 11013,
}


def prepare(secrets: Secrets, *, iam_cache: bool) -> Machine:
    """Write everything that the machine reads; the machine."""
    values = {
        "GC_PG_USER": _DB,
        "GC_PG_PASS": secrets.core_database,
        "GC_PG_DB": _DB,
        "global_salt": secrets.salt,
        "hs256_jwks_encryption_key": secrets.tokens,
        "boot_ip": places.CORE,
        "admin_password": secrets.admin,
    }
    for target, template in (
        (_CONFIG, "exordos_core/exordos_core.conf.j2"),
        ("/etc/exordos_core/core_agent.conf", "exordos_core/core_agent.conf.j2"),
        (_AGENT, "exordos_universal_agent/exordos_universal_agent.conf.j2"),
    ):
        machines.put(NAME, target, _render(template, values), mode=0o600)
    for folder in ("exordos_core", "exordos_universal_agent"):
        machines.put(NAME, f"/etc/{folder}/logging.yaml", machines.LOGGING)
    machines.put(NAME, "/etc/exordos_core/exordos_core.d/.keep", "")
    machines.put(NAME, "/etc/hosts", places.HOSTS)
    machines.put(NAME, "/etc/stand-nginx.conf", balancer.config(iam_cache))
    for path in ("core_agent", "node_set", "target_node_set"):
        machines.put(NAME, f"/var/lib/exordos/exordos_core/{path}/.keep", "")
    machines.put(
        NAME,
        "/var/lib/exordos/universal_agent/private_key",
        secrets.core_node,
        mode=0o400,
    )
    server = database.prepare(NAME, secrets.database_root)
    return machines.describe(
        NAME,
        address=places.CORE,
        dmi=places.CORE_NODE,
        units=[server, *_migrations(secrets), *_services()],
        binds=database.mount(NAME),
    )


def create_database(secrets: Secrets) -> None:
    """Make the database; the server must run."""
    database.create(NAME, _DB, secrets.database_root, secrets.core_database)


def admit_nodes(secrets: Secrets) -> None:
    """Tell Core what the agents of the control planes seal their calls with."""
    keys = {
        places.CORE_NODE: secrets.core_node,
        places.METAPAAS_NODE: secrets.metapaas_node,
    }
    with database.connect(NAME, _DB, secrets.database_root) as link:
        for node, key in keys.items():
            link.execute(
                "INSERT INTO ua_node_encryption_keys (uuid, private_key)"
                " VALUES (%s, %s)",
                [node, key],
            )


def _migrations(secrets: Secrets) -> list[Unit]:
    site = site_packages()
    paths = (site / "gcl_sdk" / "migrations", site / "migrations")
    seeded = {"ADMIN_PASSWORD": secrets.admin, "GLOBAL_SALT": secrets.salt}
    return [
        Unit(
            name=name,
            argv=[
                machines.program("ra-apply-migration"),
                *("--config-dir", "/etc/exordos_core/", "--path", str(path)),
            ],
            env=machines.platform_environment(**seeded),
            oneshot=True,
        )
        for name, path in zip(MIGRATIONS, paths, strict=True)
    ]


def _services() -> list[Unit]:
    own = ["--config-file", _CONFIG, "--config-dir", "/etc/exordos_core/exordos_core.d"]
    agent = ["--config-file", _AGENT]
    commands = {
        **{name: [name, *own] for name in _PORTS},
        "ec-gservice": ["ec-gservice", *own],
        "exordos-repo-proxy-gservice": ["exordos-repo-proxy-gservice", *own],
        "ec-core-agent": [
            "exordos-universal-agent-db-back",
            *("--config-file", "/etc/exordos_core/core_agent.conf"),
        ],
        "exordos-universal-agent": ["exordos-universal-agent", *agent],
        "exordos-universal-scheduler": ["exordos-universal-scheduler", *agent],
    }
    units = [
        Unit(
            name=name,
            argv=[machines.program(command), *arguments],
            env=machines.platform_environment(),
            ready_port=_PORTS.get(name),
            ready_host=places.CORE,
        )
        for name, (command, *arguments) in commands.items()
    ]
    seed = Unit(
        name=SEED,
        argv=[str(places.VENV / "bin" / "python"), "-m", "exordos_standins.seed"],
        env=machines.platform_environment(
            STAND_CONFIG=_CONFIG,
            STAND_NODE=places.HYPERVISOR_NODE,
            STAND_NETWORK=places.NETWORK,
            STAND_NODES=places.NODES,
            STAND_BOOTING=places.BOOTING,
            STAND_GATEWAY=places.HOST,
            STAND_CORE=places.CORE,
        ),
        oneshot=True,
    )
    return [*units, balancer.unit("/etc/stand-nginx.conf", 80, places.CORE), seed]


def site_packages() -> Path:
    """Where the platform's environment has its packages."""
    return next((places.VENV / "lib").glob("python3*/site-packages"))


def _render(template: str, values: dict[str, str]) -> str:
    text = (site_packages() / "etc" / template).read_text()
    made = jinja2.Template(
        text, undefined=jinja2.StrictUndefined, keep_trailing_newline=True
    ).render(values)
    for driver in _LEFT_OUT:
        made = made.replace(f"    {driver},\n", "")
    return made
