"""Bring a database to this version of the code: restalchemy steps under a lock."""

from __future__ import annotations

from pathlib import Path

import psycopg
import psycopg_pool
from restalchemy.storage.sql import engines, migrations

# Any number will do, as long as every process of the service takes the same one.
_LOCK = 0x53334141

_PACKAGED = Path(__file__).parent.parent / "_migrations"
_CHECKOUT = Path(__file__).parent.parent.parent / "migrations"


def path() -> Path:
    """The folder of the steps: inside an installed wheel, else the checkout's."""
    return _PACKAGED if _PACKAGED.is_dir() else _CHECKOUT


def first_step() -> str:
    """The id of the step that makes the first tables, as `ra_migrations` has it."""
    steps = migrations.MigrationEngine(str(path())).get_all_migrations().values()
    (first,) = (str(step["uuid"]) for step in steps if not step["depends"])
    return first


def migrate(uri: str) -> None:
    """Apply every step that the database lacks; `connect` comes first.

    restalchemy takes no lock, so two processes that migrate at once would both run a
    step; the advisory lock makes the second wait and find nothing to do.
    """
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        steps = migrations.MigrationEngine(str(path()))
        steps.apply_migration(steps.get_latest_migration())


def connect(uri: str, most: int) -> None:
    """Give this process's models their database, with at most `most` connections."""
    engines.engine_factory.configure_factory(
        db_url=uri,
        config={
            "min_size": 1,
            "max_size": most,
            "max_waiting": 100,
            # Seconds a request waits for a database that is away.
            "timeout": 5,
            # A server that was restarted must not cost a request its answer.
            "check": _check,
        },
    )


def _check(connection: psycopg.Connection) -> None:
    """Try a connection before it is used; where one is dead, replace all dead ones.

    The pool itself waits a second, then two, then four before it tries its next one,
    so that a request after a restart of the server would wait for as many as it had.
    """
    try:
        psycopg_pool.ConnectionPool.check_connection(connection)
    except psycopg.OperationalError:
        # restalchemy keeps the pool to itself (16.1).
        engines.engine_factory.get_engine()._pool.check()
        raise
