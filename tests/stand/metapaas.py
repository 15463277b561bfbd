"""Exordos MetaPaaS on its machine; its own command renders its configuration."""

from __future__ import annotations

from s3aas_element import identity

from tests.stand import core, database, machines, places, secretbook
from tests.stand.manager.spec import Machine, Unit
from tests.stand.secretbook import Secrets

NAME = "metapaas"
DATABASE = "metapaas"
_CONFIG = "/etc/exordos_metapaas/exordos_metapaas.conf"
RENDER = "metapaas-render-config"
MIGRATIONS = ["metapaas-migrations-sdk", "metapaas-migrations"]
SERVICES = [
    "exordos-metapaas-user-api",
    "exordos-metapaas-orch-api",
    "exordos-metapaas-status-api",
    "exordos-metapaas-gservice",
    "exordos-metapaas-core-agent",
]
_PORTS = {
    "exordos-metapaas-user-api": 8080,
    "exordos-metapaas-orch-api": 11011,
    "exordos-metapaas-status-api": 11012,
}


def prepare(secrets: Secrets) -> Machine:
    """Write everything that the machine reads; the machine."""
    machines.put(NAME, "/etc/exordos_metapaas/logging.yaml", machines.LOGGING)
    machines.put(NAME, "/etc/hosts", places.HOSTS)
    machines.put(NAME, "/var/lib/exordos/exordos_metapaas/core_agent/.keep", "")
    machines.put(
        NAME,
        "/var/lib/exordos/universal_agent/private_key",
        secrets.metapaas_node,
        mode=0o400,
    )
    server = database.prepare(NAME, secrets.database_root)
    return machines.describe(
        NAME,
        address=places.METAPAAS,
        dmi=places.METAPAAS_NODE,
        units=[server, _render(secrets), *_migrations(), *_services()],
        # The platform installs the plugin into what it runs in; ours stays as it is.
        own=("/etc", "/var/lib", str(places.VENV)),
        binds=database.mount(NAME),
    )


def create_database(secrets: Secrets) -> None:
    """Make the database; the server must run."""
    database.create(NAME, DATABASE, secrets.database_root, secrets.metapaas_database)


def admit_node(secrets: Secrets) -> None:
    """Tell MetaPaaS what its own agent seals its calls with."""
    with database.connect(NAME, DATABASE, secrets.database_root) as link:
        link.execute(
            "INSERT INTO ua_node_encryption_keys (uuid, private_key) VALUES (%s, %s)",
            [places.METAPAAS_NODE, secrets.metapaas_node],
        )


def _render(secrets: Secrets) -> Unit:
    """What the platform runs at the first boot of this machine."""
    return Unit(
        name=RENDER,
        argv=[machines.program("exordos-metapaas-render-config")],
        env=machines.platform_environment(
            GC_PG_USER=DATABASE,
            GC_PG_DB=DATABASE,
            GC_PG_PASS=secrets.metapaas_database,
            IAM_USER_NAME="admin",
            IAM_USER_PASS=secrets.admin,
            PROJECT_ID=str(identity.METAPAAS_PROJECT),
            AUDIENCE=secretbook.CLIENT_ID,
            GC_HS256_JWKS_ENCRYPTION_KEY=secrets.tokens,
        ),
        umask=0o077,
        oneshot=True,
    )


def _migrations() -> list[Unit]:
    site = core.site_packages()
    paths = (site / "gcl_sdk" / "migrations", site / "exordos_metapaas" / "migrations")
    return [
        Unit(
            name=name,
            argv=[
                machines.program("ra-apply-migration"),
                *("--config-dir", "/etc/exordos_metapaas/", "--path", str(path)),
            ],
            env=machines.platform_environment(),
            oneshot=True,
        )
        for name, path in zip(MIGRATIONS, paths, strict=True)
    ]


def _services() -> list[Unit]:
    config = dict.fromkeys(SERVICES, _CONFIG)
    config["exordos-metapaas-core-agent"] = "/etc/exordos_metapaas/core_agent.conf"
    program = {name: name for name in SERVICES}
    program["exordos-metapaas-core-agent"] = "exordos-universal-agent-db-back"
    return [
        Unit(
            name=name,
            argv=[machines.program(program[name]), "--config-file", config[name]],
            # The stand has no way out: packages come from its own index.
            env=machines.platform_environment(
                UV_DEFAULT_INDEX=places.INDEX_URL,
                UV_CACHE_DIR="/var/lib/exordos/uv-cache",
                UV_LINK_MODE="copy",
                # The interpreter of a virtual environment is not uv's to fetch.
                UV_PYTHON_DOWNLOADS="never",
            ),
            ready_port=_PORTS.get(name),
            ready_host=places.METAPAAS,
        )
        for name in SERVICES
    ]
