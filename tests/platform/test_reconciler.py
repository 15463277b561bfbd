"""The reconciler's process: one at a time over one database."""

import json
import subprocess
import sys

import psycopg
import pytest

from exordos_paas_storage.plugin import reconciler
from tests.service import made
from tests.service.test_plugin_keys import fresh  # noqa: F401 - a fixture

# The platform's folder of settings is the test's own.
CHILD = """
import pathlib, sys
from exordos_paas_storage.plugin import place, reconciler
place.CONFIG_FILE = pathlib.Path(sys.argv[1], "s3aas.conf")
place.SEALING_KEYS_FILE = pathlib.Path(sys.argv[1], "keys")
reconciler.main()
"""
# Nobody listens there; without an instance nobody is asked.
CORE = {
    "url": "http://127.0.0.1:9",
    "username": "metapaas",
    "password": "hunter3",
    "project_id": "4d657461-0000-0000-0000-000000000002",
}
LOCK = """
    SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted
        AND objid = %s AND database = (
            SELECT oid FROM pg_database WHERE datname = current_database())
"""


class Process:
    """A reconciler, and what it has said."""

    def __init__(self, uri, host, log):
        self.log = log
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-c", CHILD, str(host)],
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=out,
            )
        given = {"database_url": uri, "core": CORE}
        self.process.stdin.write(json.dumps(given).encode() + b"\n")
        self.process.stdin.flush()

    def says(self, text):
        return any(line.endswith(text) for line in self.log.read_text().splitlines())

    def wait_for(self, text):
        made.until(lambda: self.says(text), why=f"{text}: {self.log}")

    def end(self):
        """Its parent is gone; gives the exit status."""
        self.process.stdin.close()
        return self.process.wait(20)


@pytest.fixture
def database(server, fresh):  # noqa: F811
    return server.uri(fresh)


@pytest.fixture
def start(database, tmp_path):
    started = []

    def process():
        found = Process(database, tmp_path, tmp_path / f"log{len(started)}")
        started.append(found)
        return found

    yield process
    for one in started:
        one.process.kill()
        one.process.wait()


@pytest.fixture
def holder(database):
    """Gives the server's process whose connection has the lock, or `None`."""
    with psycopg.connect(database, autocommit=True) as connection:

        def find():
            row = connection.execute(LOCK, (reconciler._ONE_AT_A_TIME,)).fetchone()
            return row and row[0]

        find.connection = connection
        yield find


@pytest.fixture
def two(start):
    """A process that reconciles, and one that waits for it to end."""
    first = start()
    first.wait_for(": reconciles")
    second = start()
    second.wait_for("waits: another process reconciles")
    return first, second


def test_a_second_process_waits_and_takes_over(two, holder):
    first, second = two
    had = holder()
    assert not second.says(": reconciles")

    assert first.end() == 0

    second.wait_for(": reconciles")
    assert holder() not in (None, had)
    assert second.end() == 0


def test_a_process_that_lost_the_lock_ends_and_another_takes_over(two, holder):
    first, second = two
    had = holder()

    holder.connection.execute("SELECT pg_terminate_backend(%s)", (had,))

    assert first.process.wait(20) == 1
    second.wait_for(": reconciles")
    assert holder() not in (None, had)


def test_the_locks_connection_outlives_no_cut_network(database):
    with reconciler._alone(database) as connection:
        here = connection.info.get_parameters()
        there = connection.execute(
            "SELECT name FROM pg_settings WHERE source = 'session'"
        ).fetchall()

    assert {name: int(here[name]) for name in reconciler._NOTICE} == reconciler._NOTICE
    assert set(reconciler._LET_GO) <= {name for (name,) in there}
    lets_go_s = int(reconciler._LET_GO["tcp_user_timeout"]) / 1000
    assert int(here["tcp_user_timeout"]) / 1000 < lets_go_s
