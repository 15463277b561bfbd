"""Migrations and sealing keys: databases of the test's own, in processes of its own."""

import subprocess
import sys
import textwrap

import psycopg
import pytest

from exordos_paas_storage.sealing import box
from tests.service import made

RUN = """
    import sys
    from exordos_paas_storage.domain import errors
    from exordos_paas_storage.models import migrate, secrets
    from exordos_paas_storage.sealing import box
    from restalchemy.storage.sql import migrations

    uri = sys.argv[1]
    migrate.connect(uri, 2)
    try:
        {}
    except errors.SetupError as error:
        sys.exit(f"SetupError: {{error}}")
    from restalchemy.storage.sql import engines
    engines.engine_factory.get_engine().close()
"""


def begin(uri, statements, *arguments):
    code = textwrap.dedent(RUN).format(statements)
    return subprocess.Popen(
        [sys.executable, "-c", code, uri, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(uri, statements, *arguments):
    process = begin(uri, statements, *arguments)
    _, said = process.communicate(timeout=120)
    return process.returncode, said


@pytest.fixture
def fresh(server):
    name = made.unique("db").replace("-", "_")
    server.create_database(name)
    yield server.uri(name)
    with psycopg.connect(server.uri("postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def tables(uri):
    with psycopg.connect(uri) as connection:
        return connection.execute(
            "SELECT table_name, column_name FROM information_schema.columns "
            "WHERE table_schema = 'public' ORDER BY 1, 2"
        ).fetchall()


def functions(uri):
    with psycopg.connect(uri) as connection:
        return connection.execute(
            "SELECT proname FROM pg_proc WHERE proname LIKE 's3aas%'"
        ).fetchall()


MIGRATE = "migrate.migrate(uri)"
DOWN = (
    # The first step takes those with it that depend on it.
    "migrations.MigrationEngine(str(migrate.path()))"
    ".rollback_migration('0000-s3-init-5c1e07.py')"
)


def test_migrating_twice_is_migrating_once(fresh):
    assert run(fresh, MIGRATE) == (0, "")
    before = tables(fresh)
    assert len(before) > 100

    assert run(fresh, MIGRATE)[0] == 0

    assert tables(fresh) == before


def test_processes_that_migrate_at_once_do_it_once(fresh):
    started = [begin(fresh, MIGRATE) for _ in range(3)]
    ended = [process.communicate(timeout=120) for process in started]

    assert [process.returncode for process in started] == [0, 0, 0], ended
    assert tables(fresh)


def test_down_and_up_again(fresh):
    assert run(fresh, MIGRATE)[0] == 0
    before = tables(fresh)

    code, said = run(fresh, DOWN)

    assert code == 0, said
    assert {table for table, _ in tables(fresh)} == {"ra_migrations"}
    assert functions(fresh) == []
    assert run(fresh, MIGRATE)[0] == 0
    assert tables(fresh) == before


USE = "secrets.use(box.Box([one.encode() for one in sys.argv[2:]]), 'keys.txt')"


def test_wrong_sealing_keys_end_the_start(fresh):
    right, wrong, newer = box.new_key(), box.new_key(), box.new_key()
    assert run(fresh, MIGRATE)[0] == 0
    assert run(fresh, USE, right) == (0, "")

    code, said = run(fresh, USE, wrong)

    assert code == 1
    assert said.startswith("SetupError: keys.txt does not hold the sealing keys")
    assert right not in said and wrong not in said
    assert run(fresh, USE, right) == (0, "")
    assert run(fresh, USE, newer, right) == (0, "")


def test_without_keys_nothing_is_sealed(fresh):
    assert run(fresh, MIGRATE)[0] == 0
    code, said = run(fresh, "import uuid; secrets.seal('t', uuid.uuid4(), 'c', 'x')")

    assert (code, said.strip()) == (
        1,
        "SetupError: no sealing keys were given to this process",
    )
