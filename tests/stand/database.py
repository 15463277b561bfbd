"""The PostgreSQL servers of the two control planes, each on its own machine."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from exordos_paas_storage.domain import errors
from exordos_paas_storage.nodes import process
from exordos_paas_storage.onebox import pg_binaries
from tests.stand import places
from tests.stand.accounts import uid_of
from tests.stand.manager.spec import Unit

UNIT = "postgresql"
_PORT = 5432
_START_S = 120.0
# On the machine; a folder that is its own.
_DATA = "/var/lib/postgresql"
_SETTINGS = {
    "listen_addresses": "*",
    "max_connections": "200",
    "shared_preload_libraries": "pg_stat_statements",
    # The stand starts anew after a crash of the host.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "timezone": "UTC",
    "log_lock_waits": "on",
}


def prepare(machine: str, password: str) -> Unit:
    """Make the data folder of a machine's server; the unit that runs it."""
    account = uid_of(places.ACCOUNT)
    binaries = pg_binaries.stage(_open(places.DATABASE))
    data, sockets = _data(machine), _sockets(machine)
    for folder in (data, sockets):
        folder.mkdir(parents=True)
        folder.chmod(0o700)
        _give(folder, account)
    _initialise(binaries, data, account, password)
    with (data / "pg_hba.conf").open("a") as rules:
        rules.write(f"host all all {places.NETWORK} scram-sha-256\n")
    options = [f"--{name}={value}" for name, value in _SETTINGS.items()]
    return Unit(
        name=UNIT,
        argv=[str(binaries / "postgres"), "-D", _DATA, "-k", str(sockets), *options],
        env={"PATH": "/usr/bin:/bin"},
        uid=account,
        umask=0o077,
        ready_port=_PORT,
        stop_s=20.0,
    )


def mount(machine: str) -> Mapping[str, str]:
    """Where the data is on the machine, and where it comes from."""
    return {_DATA: str(_data(machine))}


def create(machine: str, name: str, root_password: str, password: str) -> None:
    """Make a role and its database, both with one name.

    Raises:
        SetupError: the server does not let anybody in.
    """
    # It takes connections before it serves them.
    if not process.wait_until(lambda: _serves(machine, root_password), _START_S):
        raise errors.SetupError(f"{machine}: PostgreSQL does not serve")
    with connect(machine, "postgres", root_password) as link:
        role = sql.Identifier(name)
        link.execute(
            sql.SQL("CREATE ROLE {} LOGIN SUPERUSER PASSWORD {}").format(role, password)
        )
        link.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(role, role))
    with connect(machine, name, root_password) as link:
        link.execute("CREATE EXTENSION pg_stat_statements")


def connect(machine: str, database: str, password: str) -> psycopg.Connection[Any]:
    """A connection as the server's root, over its socket: no network is between."""
    return psycopg.connect(
        host=str(_sockets(machine)),
        dbname=database,
        user="postgres",
        password=password,
        autocommit=True,
    )


def _serves(machine: str, password: str) -> bool:
    try:
        connect(machine, "postgres", password).close()
    except psycopg.OperationalError:
        return False
    return True


def _data(machine: str) -> Path:
    return places.MACHINES / machine / "postgresql"


def _sockets(machine: str) -> Path:
    return places.RUN / f"pg-{machine}"


def _open(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    return folder


def _give(path: Path, account: int) -> None:
    subprocess.run(["chown", f"{account}:{account}", str(path)], check=True)


def _initialise(binaries: Path, data: Path, account: int, password: str) -> None:
    word = data.with_name("postgresql.password")
    word.touch(mode=0o600)
    word.write_text(password)
    _give(word, account)
    try:
        subprocess.run(
            [
                binaries / "initdb",
                f"--pgdata={data}",
                "--username=postgres",
                f"--pwfile={word}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
            ],
            check=True,
            capture_output=True,
            cwd="/",
            user=account,
            group=account,
            extra_groups=[],
        )
    finally:
        word.unlink()
