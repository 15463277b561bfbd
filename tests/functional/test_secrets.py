"""Where no secret may lie in clear: MetaPaaS's tables, and anybody's log."""

import re
from pathlib import Path

import psycopg
import pytest

from exordos_paas_storage.nodes import image
from tests.functional import agents, environment

pytestmark = [pytest.mark.stand, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def secrets(api, place, examples):
    """Of keys that were made, given, rotated, used, and declared."""
    user = place.user()
    made = place.key(user)
    given = place.key(user, secret_key="given-by-a-tenant-long-enough")
    answer = api.post(f"{made.path}/actions/rotate/invoke", {"overlap_s": 60})
    rotated = place.known(user, answer.json())
    for key in (made, given, rotated):
        key.puts()
    _, declared = examples["example_s3"].key("application")
    return [key.pair.secret_key for key in (made, given, rotated)] + [declared]


@pytest.fixture(scope="module")
def logs_folder(given):
    return Path(given.needs(environment.LOGS, given.logs))


def test_no_table_of_metapaas_holds_one_in_clear(given, secrets):
    url = given.needs(environment.DATABASE, given.database)
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename)"
            " FROM pg_tables WHERE schemaname = 'public'"
        ).fetchall()
        assert ("public.s3aas_access_keys",) in tables
        found = [
            table
            for (table,) in tables
            if connection.execute(
                f"SELECT 1 FROM {table} AS one WHERE one::text LIKE ANY (%s) LIMIT 1",
                ([f"%{secret}%" for secret in secrets],),
            ).fetchone()
        ]

    assert found == []


def test_no_log_of_the_platform_holds_one(logs_folder, secrets):
    logs = files(logs_folder)
    assert any("gservice" in path.name for path in logs), logs

    assert holding(logs, secrets) == []


@pytest.fixture(scope="module")
def agent(breaker, example):
    """Of the machine of the shared instance."""
    return agents.Agent(breaker, example.shown["nodes"][0]["ip"])


@pytest.fixture(scope="module")
def other_agent(breaker, declared, examples):
    """Of the machine of another instance."""
    (node,) = declared.show(f"/instances/{examples['example_s3'].instance}")["nodes"]
    return agents.Agent(breaker, node["ip"])


def test_a_machines_keys_are_handed_to_its_own_agent_alone(agent, other_agent):
    for one, other in ((agent, other_agent), (other_agent, agent)):
        handed = one.handed()
        assert all(key in handed for key in one.secrets())
        assert not any(key in handed for key in other.secrets())


def test_core_does_not_look_who_asks_for_a_machines_keys(agent, other_agent):
    """Who is root on one node and knows the id of another gets that one's keys.

    So it is in Core 0.3.5. Once it refuses, docs/guides/platform.md says too much.
    """
    handed = other_agent.handed(of=agent.id)

    assert all(key in handed for key in agent.secrets())


def test_no_log_holds_a_key_of_a_machine(agent, live, logs_folder):
    """Root's key pair and the master keys; a machine's birth is in the logs, too."""
    delivered = {
        one
        for found in live.core.list("config/configs")
        if Path(found["path"]).is_relative_to(image.SECRETS_DIR)
        for one in found["body"]["content"].split()
    }
    # They are what the engine works with: no other text is looked for.
    assert agent.secrets() <= delivered
    logs = files(logs_folder)
    assert any(path.parent.name.startswith("node-") for path in logs), logs

    # Master keys have their names before them: `name:…` for MinIO, `NAME=…` for RustFS.
    keys = [re.sub(r"^\w[\w-]*[:=]", "", one) for one in delivered]
    assert holding(logs, keys) == []


def test_logs_are_closed_to_others(logs_folder):
    """The platform's own code writes there whatever it likes."""
    assert logs_folder.stat().st_mode & 0o077 == 0
    open_to_others = [
        str(path) for path in files(logs_folder) if path.stat().st_mode & 0o077
    ]
    assert open_to_others == []


def files(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def holding(logs, secrets):
    """The logs that have one of the secrets in them."""
    found = []
    for path in logs:
        text = path.read_bytes()
        if any(secret.encode() in text for secret in secrets):
            found.append(f"{path.parent.name}/{path.name}")
    return found
