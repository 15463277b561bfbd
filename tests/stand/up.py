"""Bringing the stand up, step by step."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from exordos_paas_storage import __version__
from exordos_paas_storage.domain import errors
from tests.stand import (
    core,
    database,
    elements,
    environment,
    host,
    hypervisor,
    iam,
    image,
    metapaas,
    offers,
    origin,
    places,
    secretbook,
)
from tests.stand.secretbook import Secrets

_ACTIVE_LIMIT_S = 120.0


class Clock:
    """Says each step with the seconds since the first."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say, self._begun = say, time.monotonic()

    def __call__(self, step: str) -> None:
        """Say that a step is done."""
        self._say(f"{time.monotonic() - self._begun:6.1f} s  {step}")


def up(say: Callable[[str], None], *, iam_cache: bool) -> None:
    """Make a whole stand in the place of one that is there.

    Args:
        iam_cache: whether Core's balancer caches introspected tokens.

    Raises:
        SetupError: a step fails; the message says which, and where its log is.
    """
    if os.geteuid() != 0:
        raise errors.SetupError("the stand makes namespaces: run it as root")
    made_from = origin.wanted(iam_cache=iam_cache)
    environment.ensure(say)
    done = Clock(say)
    host.stop()
    host.clear()
    secrets = secretbook.make()
    offers.make(__version__)
    image.make(image.chosen())
    done("packages, elements, and the system of nodes")
    host.write_tools()
    host.start()
    host.begin(host.NAME, host.INDEX)
    _start_databases(secrets, iam_cache=iam_cache)
    done("databases, with the platform's migrations")
    host.begin(core.NAME, *core.APIS)
    done("Core's APIs")
    iam.seed(secrets)
    host.begin(core.NAME, *core.SERVICES)
    host.begin(metapaas.NAME, *metapaas.SERVICES)
    host.add(hypervisor.prepare())
    host.begin(hypervisor.NAME, hypervisor.AGENT)
    done("all services")
    elements.install_stubs(secrets)
    done("elements core and metapaas")
    elements.install_offered(secrets, __version__, _ACTIVE_LIMIT_S)
    done(f"element {elements.S3}")
    write_settings(secrets)
    origin.remember(made_from)


def _start_databases(secrets: Secrets, *, iam_cache: bool) -> None:
    host.add(core.prepare(secrets, iam_cache=iam_cache))
    host.begin(core.NAME, database.UNIT)
    core.create_database(secrets)
    host.begin(core.NAME, *core.MIGRATIONS, core.SEED)
    core.admit_nodes(secrets)
    host.add(metapaas.prepare(secrets))
    host.begin(metapaas.NAME, database.UNIT)
    metapaas.create_database(secrets)
    host.begin(metapaas.NAME, metapaas.RENDER, *metapaas.MIGRATIONS)
    metapaas.admit_node(secrets)


def write_settings(secrets: Secrets) -> None:
    """Write what a test run inside needs, closed to others."""
    url = (
        f"postgresql://postgres:{secrets.database_root}@{places.METAPAAS}:5432/"
        f"{metapaas.DATABASE}"
    )
    values = {
        "EXORDOS_ENDPOINT": places.CORE_API_URL,
        "EXORDOS_USERNAME": "admin",
        "EXORDOS_PASSWORD": secrets.admin,
        "METAPAAS_USERNAME": iam.TENANT,
        "METAPAAS_PASSWORD": secrets.tenant,
        "EXORDOS_S3_CP_URL": places.METAPAAS_URL,
        "EXORDOS_CLI": str(places.CLI / "bin" / "exordos"),
        "EXORDOS_DB_URL": url,
        "EXORDOS_STAND": str(places.TOOLS / "stand"),
        "EXORDOS_LOGS": str(places.LOGS),
    }
    places.SETTINGS.touch(mode=0o600)
    places.SETTINGS.write_text("".join(f"{k}={v}\n" for k, v in values.items()))
