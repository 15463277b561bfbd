"""Core's element manager and MetaPaaS's agent around the service, in one process.

All of it is the platform's own code, with the models and filters that MetaPaaS renders
into the agent's configuration. Only HTTP is left out: one database serves all three,
and the agent is answered as its client over HTTP answers it.
"""

from __future__ import annotations

import configparser
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import exordos_core
import gcl_sdk
from exordos_core.elements.dm import models as elements
from exordos_core.elements.services import builders
from exordos_metapaas import registry
from exordos_metapaas.cmd import render_config
from gcl_sdk.agents.universal import utils
from gcl_sdk.agents.universal.clients.backend import db as backend
from gcl_sdk.agents.universal.clients.orch import db as orch
from gcl_sdk.agents.universal.dm import models as agent_rows
from gcl_sdk.agents.universal.drivers import core as drivers
from gcl_sdk.agents.universal.services import agent as agents
from gcl_sdk.agents.universal.services import scheduler as schedulers
from restalchemy.dm import filters
from restalchemy.storage.sql import migrations

from tests.service import made

# What of the host's configuration is not about declared objects.
_HOST = dict.fromkeys(("PROJECT_ID", "GC_PG_USER", "GC_PG_PASS", "GC_PG_DB"), "")
# Children before parents.
_EMPTIED = (
    "em_resources",
    "ua_actual_resources",
    "ua_target_resources",
    "ua_agents",
    "em_elements",
    "em_manifests",
)
TYPES = "$s3aas.types.s3."

Resources = dict[str, dict[str, Any]]


class OrchClient(orch.DatabaseOrchClient):
    """Where Core has nothing new to say, the agent gets its own last report.

    As in gcl_sdk 3.7, `clients/http/orch.py`, `get_payload`. The client that this one
    is made of would give a payload with nothing in it, which no agent of MetaPaaS has.
    """

    def agents_get_payload(
        self, uuid: uuid.UUID, payload: Any, session: Any = None
    ) -> Any:
        told = super().agents_get_payload(uuid, payload, session)
        return payload if payload == told else told


def migrate() -> None:
    """Make the tables of Core and its agents beside ours."""
    for package in (gcl_sdk, exordos_core):
        inside = Path(package.__file__).parent / "migrations"
        path = inside if inside.is_dir() else inside.parent.parent / "migrations"
        steps = migrations.MigrationEngine(str(path))
        steps.apply_migration(steps.get_latest_migration())


def configured() -> Iterator[backend.ModelSpec]:
    """Kind, model and filter of each of ours, as the agent reads its configuration."""
    rendered = configparser.ConfigParser()
    rendered.read_string(
        render_config.render_core_agent_conf(_HOST, registry.discover_paas())
    )
    for kind, path in rendered["models"].items():
        if kind.startswith("em_s3aas_"):
            column, value = rendered["filters"][kind].split(":", 1)
            yield backend.ModelSpec(
                kind=kind,
                model=utils.cfg_load_class(path),
                filters={column: filters.EQ(value)},
            )


class Platform:
    """The platform's services, each taking its turn in `turn`."""

    def __init__(self, folder: Path, db: Any) -> None:
        self.db = db
        self.folder = folder
        for table in _EMPTIED:
            db.execute(f"DELETE FROM {table}")
        self.agent_id = uuid.uuid4()
        self.driver = drivers.DatabaseCapabilityDriver(
            list(configured()), str(folder / "fields.json")
        )
        self.client = OrchClient()
        self.agent = agents.UniversalAgentService(
            agent_uuid=self.agent_id,
            orch_client=self.client,
            caps_drivers=[self.driver],
            facts_drivers=[],
            payload_path=str(folder / "payload.json"),
            system_uuid=self.agent_id,
            verify_node_on_register=False,
        )
        self.agent._setup()
        db.execute("UPDATE ua_agents SET status = 'ACTIVE'")
        self.scheduler = schedulers.UniversalAgentSchedulerService(["em_*"])
        self.manager = builders.ElementManagerBuilder()

    def turn(self) -> None:
        """Let Core tell the agent, the agent tell us, and both tell it back."""
        self.manager._iteration()
        self.scheduler._iteration()
        self.agent._iteration()
        self.manager._iteration()

    def install(self, name: str, resources: Resources) -> Any:
        """Install a manifest; resources by their path below `$s3aas.types.s3`."""
        manifest = elements.Manifest(
            name=name, version="1.0.0", api_version="v1", resources=_linked(resources)
        )
        manifest.insert()
        manifest.install()
        return manifest

    def change(self, manifest: Any, resources: Resources) -> None:
        """Install the manifest's next text over it."""
        manifest.resources = _linked(resources)
        manifest.update()
        manifest.upgrade()

    def one(self, name: str) -> dict[str, Any]:
        """A resource as Core has it, and what the agent reported of it, if anything."""
        return self.db.execute(
            """
            SELECT e.uuid, e.status, a.status AS reported, a.value, a.hash, t.hash AS
                asked
            FROM em_resources e
            LEFT JOIN ua_target_resources t ON t.uuid = e.uuid
            LEFT JOIN ua_actual_resources a ON a.uuid = e.uuid
            WHERE e.name = %s
            """,
            (name,),
        ).fetchone()

    def wait(self, name: str, status: str = "ACTIVE") -> dict[str, Any]:
        """The resource once Core shows `status` of it."""
        return self._wait(name, "status", status)

    def refused(self, name: str, reported: str) -> str:
        """The message of a resource once Core has that refusal of it."""
        found = self._wait(name, "reported", reported)
        assert found["status"] == "IN_PROGRESS"
        return found["value"]["status_message"]

    def _wait(self, name: str, column: str, value: str) -> dict[str, Any]:
        def there() -> bool:
            self.turn()
            return self.one(name)[column] == value

        try:
            made.until(there)
        except AssertionError:
            raise AssertionError(f"not {value}: {self.one(name)}") from None
        return self.one(name)

    def until(self, what: Any) -> None:
        """Take turns until `what` holds."""

        def there() -> bool:
            self.turn()
            return what()

        made.until(there)

    def is_settled(self) -> bool:
        """Whether Core has nothing more to tell the agent."""
        last = agent_rows.Payload.load(str(self.folder / "payload.json"))
        return self.client.agents_get_payload(self.agent_id, last) is last

    def shown(self, names: list[str], turns: int) -> set[tuple[str, str]]:
        """Names and statuses that Core shows of resources over so many turns."""
        found = set()
        for _ in range(turns):
            self.turn()
            found |= {(name, self.one(name)["status"]) for name in names}
        return found


def _linked(resources: Resources) -> Resources:
    return {TYPES + path: dict(named) for path, named in resources.items()}


def link(path: str, name: str, field: str = "uuid") -> str:
    """How a manifest calls a field of another of its resources."""
    return f"{TYPES}{path}.${name}:{field}"
