"""Whether a database that is not ours can hold the service's tables.

Everything is asked of the server and nothing is changed there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg

from exordos_paas_storage.models import migrate

# The oldest that the tests ran with; the statements themselves want 11.
OLDEST = 15
# Where restalchemy writes which steps were taken.
_STEPS = "ra_migrations"
_SERVER = """
    SELECT current_setting('server_version_num')::int / 10000 AS version,
           current_setting('server_encoding') AS encoding,
           current_setting('transaction_read_only') = 'on' AS read_only,
           current_user AS role,
           current_schema() AS schema,
           has_schema_privilege(current_schema(), 'CREATE') AS may_create
"""
_TABLES = r"""
    SELECT relname AS name, pg_get_userbyid(relowner) AS owner,
           pg_has_role(relowner, 'USAGE') AS ours
    FROM pg_class
    WHERE relnamespace = current_schema()::regnamespace
      AND relkind IN ('r', 'p', 'v', 'm', 'f')
      AND (relname LIKE 's3aas\_%' OR relname = 'ra_migrations')
    ORDER BY relname = 'ra_migrations', relname
"""
_MIGRATED = """
    SELECT count(*) = 2 AS ours FROM pg_attribute
    WHERE attrelid = 'ra_migrations'::regclass AND attname IN ('uuid', 'applied')
"""


def wrong_with(connection: psycopg.Connection[dict[str, Any]]) -> str | None:
    """What is wrong with a database, as the end of a sentence; None if it serves."""
    (found,) = connection.execute(_SERVER).fetchall()
    wrong = next(_wrong(found), None)
    if wrong:
        return wrong
    tables = connection.execute(_TABLES).fetchall()
    return _foreign(connection, tables) or _not_owned(found["role"], tables)


def _wrong(found: dict[str, Any]) -> Iterator[str]:
    """What is wrong with the server or the role, the first thing to mend first."""
    role, schema = found["role"], found["schema"]
    if found["version"] < OLDEST:
        yield f"is of PostgreSQL {found['version']}: {OLDEST} or newer is needed"
    if found["read_only"]:
        yield (
            "is read-only: name the primary and not a standby, and see that"
            " default_transaction_read_only is off"
        )
    if found["encoding"] != "UTF8":
        yield f"has the encoding {found['encoding']}: create it with ENCODING 'UTF8'"
    if schema is None:
        yield (
            f"has no schema for the role {role}: create the one that its search_path"
            " names"
        )
    if not found["may_create"]:
        yield (
            f"lets the role {role} create no tables: GRANT CREATE ON SCHEMA {schema} TO"
            f" {role}, or make it the database's owner"
        )


def _foreign(
    connection: psycopg.Connection[dict[str, Any]], tables: list[dict[str, Any]]
) -> str | None:
    """Whether tables with our names are not ours."""
    if not tables or _migrated(connection, tables):
        return None
    name = tables[0]["name"]
    return (
        f"holds a table {name} of something else: name another database, best an empty"
        " one"
    )


def _migrated(
    connection: psycopg.Connection[dict[str, Any]], tables: list[dict[str, Any]]
) -> bool:
    """Whether our first step made the tables, or none of them is there yet."""
    names = {table["name"] for table in tables}
    if _STEPS not in names:
        return False
    shape = connection.execute(_MIGRATED).fetchone()
    if not shape or not shape["ours"]:
        return False
    if names == {_STEPS}:
        return True
    if not all(table["ours"] for table in tables):
        return True  # what was written there can't be read; `_not_owned` tells
    row = connection.execute(
        "SELECT count(*) > 0 AS ours FROM ra_migrations WHERE uuid::text = %s"
        " AND applied",
        (migrate.first_step(),),
    ).fetchone()
    return bool(row and row["ours"])


def _not_owned(role: str, tables: list[dict[str, Any]]) -> str | None:
    """Whether the tables are another role's, so that they can't be altered."""
    for table in tables:
        if not table["ours"]:
            return (
                f"holds the table {table['name']} of the role {table['owner']}: GRANT"
                f" {table['owner']} TO {role}, or name that role"
            )
    return None
