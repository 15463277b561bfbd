"""An operator's own PostgreSQL: looked at before it is used, and held while it is."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg import pq, rows

from exordos_paas_storage.domain import errors
from exordos_paas_storage.onebox import database_checks
from exordos_paas_storage.onebox.database_url import Address

# Any pair will do, as long as every service takes the same one.
_HELD = (0x53334141, 1)
# A service that died a moment ago is let go of as soon as the server sees it.
_HELD_BY_ANOTHER_S = 5.0
# So fast the server lets go of a service whose machine is gone.
_KEEPALIVES = {
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}


class OwnPostgres:
    """One database of a server that is not ours.

    While it is open, a connection holds a lock in it, so that no second service works
    on the same rows.
    """

    def __init__(self, address: Address) -> None:
        self._address = address
        self.place: str | None = address.place
        self.called = f"the database {address.place}"
        self.opening = f"connecting to {self.called}"
        self._held: psycopg.Connection[dict[str, Any]] | None = None

    def uri(self) -> str:
        """Where clients connect; holds the password, so keep it out of logs."""
        return self._address.uri

    def check(self) -> None:
        """Look whether it will serve, and change nothing.

        Raises:
            SetupError: it can't be reached, or can't serve.
        """
        with self._told(), self._connection() as connection:
            self._check(connection)

    def start(self) -> None:
        """Look whether it serves, and hold it; done if it is held.

        Raises:
            SetupError: it can't be reached, can't serve, or another service holds it.
        """
        if self.running():
            return
        self.stop()
        with self._told():
            connection = self._connection()
            try:
                self._check(connection)
                self._hold(connection)
            except BaseException:
                connection.close()
                raise
        self._held = connection

    def running(self) -> bool:
        """Whether the connection that holds it lives."""
        if self._held is None:
            return False
        try:
            # Reads what has come, an end included, and waits for nothing.
            self._held.pgconn.consume_input()
        except psycopg.OperationalError:
            return False
        return self._held.pgconn.status == pq.ConnStatus.OK

    def stop(self) -> None:
        """Let it go; it runs on."""
        if self._held:
            self._held.close()
            self._held = None

    def _connection(self) -> psycopg.Connection[dict[str, Any]]:
        return psycopg.connect(
            self._address.uri, autocommit=True, row_factory=rows.dict_row
        )

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            raise errors.SetupError(why(self._address, error)) from None

    def _check(self, connection: psycopg.Connection[dict[str, Any]]) -> None:
        wrong = database_checks.wrong_with(connection)
        if wrong:
            raise errors.SetupError(f"{self.called} {wrong}")

    def _hold(self, connection: psycopg.Connection[dict[str, Any]]) -> None:
        for name, value in _KEEPALIVES.items():
            connection.execute("SELECT set_config(%s, %s, false)", (name, value))
        deadline = time.monotonic() + _HELD_BY_ANOTHER_S
        while True:
            row = connection.execute(
                "SELECT pg_try_advisory_lock(%s, %s) AS held", _HELD
            ).fetchone()
            if row and row["held"]:
                return
            if time.monotonic() > deadline:
                raise errors.SetupError(
                    f"{self.called} is in use by a service of another state folder:"
                    " stop that one, or name another database (one whose machine died"
                    " lets go in half a minute)"
                )
            time.sleep(0.1)


def why(address: Address, error: psycopg.Error) -> str:
    """Why a database can't be used, in one line; libpq quotes no password."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    # The first line is the error, later ones are hints, or tell of other hosts.
    said = lines[0] if lines else type(error).__name__
    said = said.removeprefix("connection failed: ").removesuffix("; ")
    return (
        f"the database {address.place} can't be used: {said}; see that it runs and"
        " lets this machine and role in, or correct its connection_url"
    )
