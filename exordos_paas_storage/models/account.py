"""Accounts of one box: projects, users and the role of a user in a project."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from exordos_paas_storage.domain import errors, names
from exordos_paas_storage.domain.access import ROLES
from exordos_paas_storage.models import base
from exordos_paas_storage.sealing import passwords


@dataclass(frozen=True)
class Account:
    """A local account; the hash is in no `repr`."""

    id: uuid.UUID
    name: str
    password_hash: str = field(repr=False)


def add_project(project: uuid.UUID, name: str) -> None:
    """Store a project; one of that id and name that is there is left as it is.

    Raises:
        NameTaken: another project has the name, or the project another name.
    """
    names.INSTANCE.check("name", name)
    with base.transaction() as session:
        session.execute(
            "INSERT INTO s3aas_iam_projects (uuid, name) VALUES (%s, %s) "
            "ON CONFLICT DO NOTHING",
            (project, name),
        )
        row = session.execute(
            "SELECT 1 FROM s3aas_iam_projects WHERE uuid = %s AND name = %s",
            (project, name),
        ).fetchone()
    if row is None:
        raise errors.NameTaken("name", "is taken by another project")


def projects() -> list[dict[str, Any]]:
    """Every project: `uuid` and `name`."""
    return _rows("SELECT uuid, name FROM s3aas_iam_projects ORDER BY name")


def add_user(name: str, password: str, project: uuid.UUID, role: str) -> uuid.UUID:
    """Store an account with a role in a project, both or neither.

    Raises:
        InvalidValue: the name, the password or the role breaks its rule.
        NameTaken: an account has the name.
        NotFound: there is no such project.
    """
    names.USER.check("name", name)
    if not 8 <= len(password) <= 1024:
        raise errors.InvalidValue("password", "must be 8 to 1024 characters")
    account = uuid.uuid4()
    with base.transaction() as session:
        row = session.execute(
            "INSERT INTO s3aas_iam_users (uuid, name, password_hash) "
            "VALUES (%s, %s, %s) ON CONFLICT DO NOTHING RETURNING uuid",
            (account, name, passwords.hashed(password)),
        ).fetchone()
        if row is None:
            raise errors.NameTaken("name", "is taken")
        set_role(name, project, role, session)
    return account


def set_role(name: str, project: uuid.UUID, role: str, session: Any = None) -> None:
    """Give an account a role in a project, in place of the one it had there.

    Raises:
        InvalidValue: there is no such role.
        NotFound: there is no such account or project.
    """
    if role not in ROLES:
        raise errors.InvalidValue("role", f"must be one of {', '.join(ROLES)}")
    with base.transaction(session) as held:
        row = held.execute(
            """
            INSERT INTO s3aas_iam_roles (user_uuid, project_uuid, role)
            SELECT u.uuid, p.uuid, %s FROM s3aas_iam_users u, s3aas_iam_projects p
            WHERE u.name = %s AND p.uuid = %s
            ON CONFLICT (user_uuid, project_uuid) DO UPDATE SET role = EXCLUDED.role
            RETURNING role
            """,
            (role, name, project),
        ).fetchone()
    if row is None:
        missing = "project" if session or named(name) else "user"
        raise errors.NotFound(missing, "does not exist")


def remove_user(name: str) -> None:
    """Remove an account with its roles; its tokens open nothing from then on.

    Raises:
        NotFound: there is no such account.
    """
    with base.transaction() as session:
        row = session.execute(
            "DELETE FROM s3aas_iam_users WHERE name = %s RETURNING uuid", (name,)
        ).fetchone()
    if row is None:
        raise errors.NotFound("user", "does not exist")


def users() -> list[dict[str, Any]]:
    """Every account and role: `name, uuid, project, role`, the last two may be null."""
    return _rows(
        """
        SELECT u.name, u.uuid, r.project_uuid AS project, r.role
        FROM s3aas_iam_users u LEFT JOIN s3aas_iam_roles r ON r.user_uuid = u.uuid
        ORDER BY u.name, r.project_uuid
        """
    )


def named(name: str) -> Account | None:
    """The account of that name."""
    return _one("name = %s", name)


def by_id(account: uuid.UUID) -> Account | None:
    """The account of that id."""
    return _one("uuid = %s", account)


def _one(where: str, value: Any) -> Account | None:
    rows = _rows(f"SELECT * FROM s3aas_iam_users WHERE {where}", (value,))  # noqa: S608
    if not rows:
        return None
    return Account(rows[0]["uuid"], rows[0]["name"], rows[0]["password_hash"])


def role_of(account: uuid.UUID, project: uuid.UUID) -> str | None:
    """The role that an account has in a project at this moment."""
    rows = _rows(
        "SELECT role FROM s3aas_iam_roles WHERE user_uuid = %s AND project_uuid = %s",
        (account, project),
    )
    return rows[0]["role"] if rows else None


def _rows(statement: str, values: tuple[Any, ...] = ()) -> list[dict[str, Any]]:
    with base.transaction() as session:
        return session.execute(statement, values or None).fetchall()
