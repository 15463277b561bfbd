"""The reconciler's process: one at a time over one database."""

import json
import subprocess
import sys
import threading

import psycopg
import pytest
from psycopg import conninfo
from restalchemy.storage.sql import engines

from exordos_paas_storage.plugin import place, reconciler
from exordos_paas_storage.reconcile import worker
from exordos_paas_storage.sealing import box
from tests.service import made
from tests.service.test_plugin_keys import fresh  # noqa: F401 - a fixture

# The platform's folder of settings is the test's own.
CHILD = """
import pathlib, sys
from exordos_paas_storage.plugin import place, reconciler
place.CONFIG_FILE = pathlib.Path(sys.argv[1], "s3aas.conf")
place.SEALING_KEYS_FILE = pathlib.Path(sys.argv[1], "keys")
exec(sys.argv[2])
reconciler.main()
"""
# A turn, or a thread at a dead connection, that does not come to its end.
HANGING = """
import threading
from exordos_paas_storage.reconcile import worker
worker.Reconciler.stop = lambda self: threading.Event().wait()
reconciler._END_S = 0.5
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

    def __init__(self, uri, host, log, first):
        self.log = log
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-c", CHILD, str(host), first],
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
        return self.process.wait(60)


@pytest.fixture
def database(server, fresh):  # noqa: F811
    return server.uri(fresh)


@pytest.fixture
def start(database, tmp_path):
    started = []

    def process(host=tmp_path, first=""):
        found = Process(database, host, tmp_path / f"log{len(started)}", first)
        started.append(found)
        return found

    yield process
    for one in started:
        one.process.kill()
        one.process.wait()


@pytest.fixture
def connection(database):
    with psycopg.connect(database, autocommit=True) as found:
        yield found


@pytest.fixture
def holder(connection):
    """Gives the server's process whose connection has the lock, or `None`."""

    def find():
        row = connection.execute(LOCK, (reconciler._ONE_AT_A_TIME,)).fetchone()
        return row and row[0]

    return find


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


def test_a_process_that_lost_the_lock_ends_and_another_takes_over(
    two, connection, holder
):
    first, second = two
    had = holder()

    connection.execute("SELECT pg_terminate_backend(%s)", (had,))

    assert first.process.wait(60) == 1
    second.wait_for(": reconciles")
    assert holder() not in (None, had)


def test_a_process_that_lost_the_lock_waits_for_no_turn_without_end(
    start, connection, holder
):
    process = start(first=HANGING)
    process.wait_for(": reconciles")

    connection.execute("SELECT pg_terminate_backend(%s)", (holder(),))

    assert process.process.wait(60) == 1
    assert process.says("ends with work in hand, after 0 s")


def test_a_process_whose_host_is_gone_waits_for_no_turn_without_end(start):
    process = start(first=HANGING)
    process.wait_for(": reconciles")

    assert process.end() == 1


def test_a_process_that_waits_makes_no_keys(start, tmp_path):
    """Both find nothing sealed; the platform's nodes have a folder each."""
    here, there = tmp_path / "here", tmp_path / "there"
    for host in (here, there):
        host.mkdir()
    with_keys = start(here)
    with_keys.wait_for(": reconciles")
    without = start(there)

    assert without.process.wait(60) == 1
    assert without.says("restore it from your backup")
    assert (here / "keys").exists() and not (there / "keys").exists()


def test_keys_are_made_by_the_one_that_has_the_lock(start, connection, tmp_path):
    """The one before found nothing sealed either, and has not made its own yet."""
    lock = (reconciler._ONE_AT_A_TIME,)
    connection.execute("SELECT pg_advisory_lock(%s)", lock)
    process = start()
    process.wait_for("waits: another process reconciles")
    assert not (tmp_path / "keys").exists()

    connection.execute("SELECT pg_advisory_unlock(%s)", lock)

    process.wait_for(": reconciles")
    assert (tmp_path / "keys").exists()


def test_one_with_other_keys_says_so_before_its_turn_comes(start, connection, tmp_path):
    assert _reconciled(start()) == 0
    connection.execute("SELECT pg_advisory_lock(%s)", (reconciler._ONE_AT_A_TIME,))
    (tmp_path / "keys").write_text(box.new_key())

    process = start()

    assert process.process.wait(60) == 1
    assert process.says("restore that file from your backup")


def _reconciled(process):
    process.wait_for(": reconciles")
    return process.end()


ADDRESSES = [
    "postgresql://u%40x:a%2Fb%3F%20c@db.example:7/my%20db?sslmode=verify-full",
    "postgresql://u@a:1,b:2/db?tcp_user_timeout=600000",
    "postgresql:///db?host=%2Frun%2Fpostgresql&user=u",
]


@pytest.mark.parametrize("uri", ADDRESSES)
def test_the_address_is_kept_but_for_what_notices_a_dead_server(uri):
    found = conninfo.conninfo_to_dict(reconciler._noticing(uri))

    wanted = conninfo.conninfo_to_dict(uri) | reconciler._NOTICE
    assert found == {name: str(value) for name, value in wanted.items()}


def test_every_connection_notices_a_dead_server(database, tmp_path, monkeypatch):
    monkeypatch.setattr(place, "CONFIG_FILE", tmp_path / "s3aas.conf")
    monkeypatch.setattr(place, "SEALING_KEYS_FILE", tmp_path / "keys")
    engines.engine_factory.get_engine().close()
    stop, given = threading.Event(), []

    class Reconciler:
        def __init__(self, uri, *_):
            given.append(uri)

        def start(self):
            stop.set()

        def stop(self):
            pass

    monkeypatch.setattr(worker, "Reconciler", Reconciler)

    reconciler._serve({"database_url": database, "core": CORE}, stop)

    given.append(engines.engine_factory.get_engine()._pool.conninfo)
    assert given == [reconciler._noticing(database)] * 2


def test_the_locks_connection_outlives_no_cut_network(database):
    with reconciler._alone(reconciler._noticing(database)) as connection:
        here = connection.info.get_parameters()
        there = connection.execute(
            "SELECT name FROM pg_settings WHERE source = 'session'"
        ).fetchall()

    assert {name: int(here[name]) for name in reconciler._NOTICE} == reconciler._NOTICE
    assert set(reconciler._LET_GO) <= {name for (name,) in there}
    lets_go_s = int(reconciler._LET_GO["tcp_user_timeout"]) / 1000
    noticed_s = reconciler._LOOK_S + int(here["tcp_user_timeout"]) / 1000
    assert noticed_s + reconciler._END_S < lets_go_s
