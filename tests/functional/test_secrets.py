"""Where no secret of a tenant may lie: MetaPaaS's tables, and anybody's log."""

from pathlib import Path

import psycopg
import pytest

from tests.functional import environment

pytestmark = [pytest.mark.stand, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def secrets(api, place):
    """Of keys that were made, given, rotated, and used."""
    user = place.user()
    made = place.key(user)
    given = place.key(user, secret_key="given-by-a-tenant-long-enough")
    answer = api.post(f"{made.path}/actions/rotate/invoke", {"overlap_s": 60})
    rotated = place.known(user, answer.json())
    for key in (made, given, rotated):
        key.puts()
    return [key.pair.secret_key for key in (made, given, rotated)]


def test_no_table_of_metapaas_holds_one_in_clear(given, secrets):
    url = given.needs(environment.DATABASE, given.database)
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename)"
            " FROM pg_tables WHERE schemaname = 'public'"
        ).fetchall()
        assert ("public.s3aas_access_keys",) in tables
        holding = [
            table
            for (table,) in tables
            if connection.execute(
                f"SELECT 1 FROM {table} AS one WHERE one::text LIKE ANY (%s) LIMIT 1",
                ([f"%{secret}%" for secret in secrets],),
            ).fetchone()
        ]

    assert holding == []


def test_no_log_of_the_platform_holds_one(given, secrets):
    folder = Path(given.needs(environment.LOGS, given.logs))
    logs = [path for path in folder.rglob("*") if path.is_file()]
    assert any("gservice" in path.name for path in logs), logs

    holding = [
        path.name
        for path in logs
        if any(secret.encode() in path.read_bytes() for secret in secrets)
    ]

    assert holding == []
