"""The database of a service: the one in its state folder, or an operator's own."""

from __future__ import annotations

import os
import uuid
from collections.abc import MutableMapping
from typing import Protocol

import psycopg

from exordos_paas_storage.domain import errors
from exordos_paas_storage.nodes import folder
from exordos_paas_storage.onebox import database_url, postgres
from exordos_paas_storage.onebox.database_url import Address
from exordos_paas_storage.onebox.own_postgres import OwnPostgres
from exordos_paas_storage.onebox.statedir import StateDir

NAME = "storage"
VARIABLE = "EXORDOS_STORAGE_DATABASE_URL"
_REMEMBERED = "database-url"


class Database(Protocol):
    """What the supervisor asks of either.

    Attributes:
        place: where it is, for people; None in the state folder.
        called: the same, as the beginning of a sentence.
        opening: what `start` does, as a step.
    """

    place: str | None
    called: str
    opening: str

    def check(self) -> None:
        """Look whether it can start, and change nothing; raises SetupError."""

    def start(self) -> None:
        """Have it ready for clients; raises SetupError."""

    def running(self) -> bool:
        """Whether it serves."""

    def stop(self) -> None:
        """Stop what is ours of it."""

    def uri(self) -> str:
        """Where clients connect; holds the password."""


class Embedded:
    """The database in the state folder, whose server we run."""

    place: str | None = None
    called = "PostgreSQL"
    opening = "starting PostgreSQL"

    def __init__(self, state: StateDir) -> None:
        self._server = postgres.EmbeddedPostgres(state)

    def check(self) -> None:
        """Look whether its account can reach its folder."""
        self._server.account()

    def start(self) -> None:
        """Start the server; it is in recovery where it was killed."""
        self._server.start()
        self._server.create_database(NAME)

    def running(self) -> bool:
        """Whether the server lives."""
        return self._server.running()

    def stop(self) -> None:
        """Stop the server."""
        self._server.stop()

    def uri(self) -> str:
        """Of our database in it."""
        return self._server.uri(NAME)


def from_environment(environ: MutableMapping[str, str]) -> Address | None:
    """The address that the environment names."""
    named = environ.get(VARIABLE)
    return database_url.parse(named, VARIABLE) if named else None


def forget_environment() -> None:
    """Keep the password from every process that is started from here on."""
    os.environ.pop(VARIABLE, None)


def remembered(state: StateDir) -> Address | None:
    """The operator's own database that the service of a folder uses."""
    file = state.secrets / _REMEMBERED
    try:
        return database_url.parse(file.read_text(), str(file))
    except FileNotFoundError:
        return None


def remember(state: StateDir, used: Address | None) -> None:
    """Use this database at later starts; it is proved to be the service's."""
    if used is not None:
        folder.write_atomically(state.secrets / _REMEMBERED, used.uri, None)


def of(state: StateDir, used: Address | None) -> Database:
    """The database: the operator's own if there is one, else the embedded."""
    return OwnPostgres(used) if used else Embedded(state)


def uri(state: StateDir) -> str:
    """Where the clients of a running service connect; holds the password."""
    return of(state, remembered(state)).uri()


def check_whose(
    database: Database, state: StateDir, service: uuid.UUID, ran: bool
) -> None:
    """Check that a database is this service's, or nobody's yet.

    Rows name engines whose data lies in a state folder, so the two go together; the
    project that a service makes at its first start tells which.

    Args:
        service: the id of that project.
        ran: whether the service came up before.

    Raises:
        SetupError: it is another one's, or lost what this one had.
    """
    with psycopg.connect(database.uri(), autocommit=True) as connection:
        projects = _column(connection, "s3aas_iam_projects", "uuid")
        sealed = _column(connection, "s3aas_seal_check", "sealed")
    if service in projects:
        return
    if projects or sealed:
        raise errors.SetupError(
            f"{database.called} belongs to the service of another state folder: name"
            " that folder by --state-dir, or another database"
        )
    if ran:
        raise errors.SetupError(
            f"{database.called} holds nothing of the service in {state.path}: restore"
            " its dump there, name the database that it had, or begin in a new folder"
            " with --state-dir"
        )


def _column(connection: psycopg.Connection, table: str, column: str) -> list[object]:
    """A column of a table that may not be there yet."""
    found = connection.execute("SELECT to_regclass(%s)", (table,)).fetchone()
    if found is None or found[0] is None:
        return []
    # Both names are constants of this module.
    statement = f"SELECT {column} FROM {table}"  # noqa: S608
    return [value for (value,) in connection.execute(statement.encode()).fetchall()]


def failed(database: Database, error: psycopg.Error) -> str:
    """That a database went away, or refused something, while it was prepared."""
    said = str(error).strip().splitlines() or [type(error).__name__]
    return f"{database.called} failed while it was prepared: {said[0]}; run it again"
