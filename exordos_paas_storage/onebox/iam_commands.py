"""`exordos-storage iam …`: projects, users and roles of one box."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from pathlib import Path

import click
import psycopg
from restalchemy.storage.sql import engines

from exordos_paas_storage.domain import access, errors
from exordos_paas_storage.models import account, migrate
from exordos_paas_storage.onebox import (
    database,
    options,
    own_postgres,
    settings,
    statedir,
)

_ROLE = click.option("--role", type=click.Choice(access.ROLES), required=True)
_PROJECT = click.option(
    "--project", type=click.UUID, required=True, help="The project's id."
)


@click.group("iam")
def iam() -> None:
    """Who may do what: projects, users and their roles on this machine."""


@iam.group("user")
def user() -> None:
    """Users of the API; their passwords are kept as argon2 hashes."""


@iam.group("role")
def role() -> None:
    """Roles of users in projects."""


@iam.group("project")
def project() -> None:
    """Projects: what lies in one is seen only with a token for it."""


@user.command("add")
@click.argument("name")
@_ROLE
@_PROJECT
@click.option(
    "--password-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="A file with the password alone; a line break at its end does not count.",
)
@options.state_dir
def add_user(
    state: statedir.StateDir,
    name: str,
    role: str,
    project: uuid.UUID,
    password_file: Path,
) -> None:
    """Add a user with a role in a project."""
    with _models(state):
        password = password_file.read_text().rstrip("\r\n")
        account.add_user(name, password, project, role)
    click.echo(f"added {name}: {role} in {project}")


@user.command("list")
@options.state_dir
def list_users(state: statedir.StateDir) -> None:
    """Print name, role and project of each user, one a line."""
    with _models(state):
        for row in account.users():
            click.echo(f"{row['name']} {row['role'] or '-'} {row['project'] or '-'}")


@user.command("remove")
@click.argument("name")
@options.state_dir
def remove_user(state: statedir.StateDir, name: str) -> None:
    """Remove a user; tokens it holds open nothing from this moment on."""
    with _models(state):
        account.remove_user(name)
    click.echo(f"removed {name}")


@role.command("set")
@click.argument("name")
@_ROLE
@_PROJECT
@options.state_dir
def set_role(
    state: statedir.StateDir, name: str, role: str, project: uuid.UUID
) -> None:
    """Give a user another role in a project, or a first one there."""
    with _models(state):
        account.set_role(name, project, role)
    click.echo(f"{name}: {role} in {project}")


@project.command("add")
@click.argument("name")
@click.option("--id", "project_id", type=click.UUID, help="By default a new one.")
@options.state_dir
def add_project(
    state: statedir.StateDir, name: str, project_id: uuid.UUID | None
) -> None:
    """Add a project and print its id."""
    chosen = project_id or uuid.uuid4()
    with _models(state):
        account.add_project(chosen, name)
    click.echo(str(chosen))


@project.command("list")
@options.state_dir
def list_projects(state: statedir.StateDir) -> None:
    """Print id and name of each project, one a line."""
    with _models(state):
        for row in account.projects():
            click.echo(f"{row['uuid']} {row['name']}")


@contextlib.contextmanager
def _models(state: statedir.StateDir) -> Iterator[None]:
    """The models over the running service's database.

    Raises:
        SetupError: the service does not run, belongs to another account, or its
            database can't be reached.
    """
    if not state.is_held():
        raise errors.SetupError(
            f"no service runs on {state.path}: start it by exordos-storage up"
        )
    found = settings.Settings(state, state.secrets / "sealing-keys")
    _check_reachable(state)
    migrate.connect(found.database_uri(), 2)
    try:
        yield
    finally:
        engines.engine_factory.destroy_all_engines()


def _check_reachable(state: statedir.StateDir) -> None:
    own = None
    try:
        own = database.remembered(state)
        psycopg.connect(database.of(state, own).uri()).close()
    except (psycopg.OperationalError, OSError) as error:
        if own and isinstance(error, psycopg.Error):
            raise errors.SetupError(own_postgres.why(own, error)) from None
        raise errors.SetupError(
            f"the database below {state.path} can't be reached: run this as the "
            "account that runs the service"
        ) from None
