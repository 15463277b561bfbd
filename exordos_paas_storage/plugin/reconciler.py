"""The reconciler on the platform: one at a time, whatever nodes the platform has."""

from __future__ import annotations

import datetime
import json
import logging
import os
import signal
import sys
import threading
import uuid
from typing import Any
from urllib.parse import quote, urlencode

import psycopg
from psycopg import conninfo

from exordos_paas_storage import logs
from exordos_paas_storage.domain import errors
from exordos_paas_storage.models import migrate, secrets
from exordos_paas_storage.nodes import core, core_client
from exordos_paas_storage.plugin import keys
from exordos_paas_storage.reconcile import worker

LOG = logging.getLogger(__name__)

# Any number that nothing else in the database locks.
_ONE_AT_A_TIME = 0x53335245
# A server that is cut off is noticed here, by every connection, and this process has
# ended, before it lets go of the lock there.
_NOTICE = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
# So long what is in hand is waited for at the end.
_END_S = 15.0
_LET_GO = {
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "4",
    "tcp_user_timeout": "30000",
}
# Standard input: a line, and then nothing until the one who keeps this running is gone.
_GIVEN = 0
_ASK_AGAIN_S = 0.5
_LOOK_S = 1.0


def main() -> None:
    """Reconcile until standard input ends; its first line says where and as whom."""
    logs.configure()
    with open(_GIVEN, "rb", buffering=0, closefd=False) as pipe:
        given = json.loads(pipe.readline())
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    threading.Thread(target=_until_end, args=(stop,), daemon=True).start()
    try:
        _serve(given, stop)
    except errors.SetupError as error:
        LOG.error("%s", error)
        sys.exit(1)
    except psycopg.OperationalError as error:
        LOG.error("the database does not answer: %s", error.sqlstate or "no connection")
        sys.exit(1)


def _until_end(stop: threading.Event) -> None:
    while os.read(_GIVEN, 1):
        pass
    stop.set()


def _serve(given: dict[str, Any], stop: threading.Event) -> None:
    wanted = worker.Settings(sizes_enforced=True)
    uri = _noticing(given["database_url"])
    migrate.connect(uri, most=wanted.workers + 4)
    if secrets.in_use():
        # One that could not take over says so while it is not needed yet.
        keys.ensure()
    with _alone(uri) as alone:
        if not _wait_for_turn(alone, stop):
            return
        keys.make_if_first()
        nodes = core.CoreNodes(core_client.CoreClient(_account(given["core"])))
        reconciler = worker.Reconciler(uri, nodes, wanted, _now)
        reconciler.start()
        LOG.info("reconciles")
        try:
            while not stop.wait(_LOOK_S):
                # Lost with its connection, the lock is another's.
                alone.execute("SELECT 1")
        finally:
            _end(reconciler)


def _noticing(uri: str) -> str:
    """The database's address, with which no connection waits long for a dead server."""
    found = {**conninfo.conninfo_to_dict(uri), **_NOTICE}
    database = quote(str(found.pop("dbname", "")), safe="")
    return f"postgresql:///{database}?{urlencode(found, quote_via=quote)}"


def _end(reconciler: worker.Reconciler) -> None:
    """Stop, and end this process where a turn or a thread does not come to its end.

    Another one may work by then. What is cut off is begun anew from what is there.
    """
    ending = threading.Thread(target=reconciler.stop, daemon=True)
    ending.start()
    ending.join(_END_S)
    if ending.is_alive():
        LOG.error("ends with work in hand, after %.0f s", _END_S)
        os._exit(1)


def _alone(uri: str) -> psycopg.Connection:
    """A connection for the lock; after a cut network neither end keeps it for long."""
    connection = psycopg.connect(uri, autocommit=True)
    for name, value in _LET_GO.items():
        connection.execute("SELECT set_config(%s, %s, false)", (name, value))
    return connection


def _account(given: dict[str, str]) -> core_client.Account:
    project = uuid.UUID(given["project_id"])
    return core_client.Account(
        given["url"], given["username"], given["password"], project
    )


def _wait_for_turn(alone: psycopg.Connection, stop: threading.Event) -> bool:
    """Wait until no other process reconciles this database.

    The lock goes with its process, and who has it takes back what the one before had in
    hand; a lease would have to run out first.
    """
    said = False
    while not stop.is_set():
        row = alone.execute(
            "SELECT pg_try_advisory_lock(%s)", (_ONE_AT_A_TIME,)
        ).fetchone()
        if row and row[0]:
            return True
        if not said:
            LOG.info("waits: another process reconciles")
            said = True
        stop.wait(_ASK_AGAIN_S)
    return False


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)


if __name__ == "__main__":
    main()
