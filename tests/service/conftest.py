"""One PostgreSQL, one application and one set of accounts for a session of tests."""

import contextlib
import datetime
import shutil
import tempfile
import threading
import uuid
from pathlib import Path

import psycopg
import pytest
from psycopg import rows

from exordos_paas_storage.api import app
from exordos_paas_storage.domain import access
from exordos_paas_storage.iam import issuer
from exordos_paas_storage.models import account, migrate, secrets, version
from exordos_paas_storage.onebox import postgres, statedir
from exordos_paas_storage.reconcile import engines, worker
from exordos_paas_storage.sealing import box
from tests.service import fakes, made

TOKEN_KEY = "k" * 48
PROJECTS = {"one": uuid.UUID(int=0xA1), "two": uuid.UUID(int=0xA2)}
# Children before parents.
EMPTIED = (
    "s3aas_idempotency",
    "s3aas_access_keys",
    "s3aas_attachments",
    "s3aas_users",
    "s3aas_policies",
    "s3aas_buckets",
    "s3aas_nodes",
    "s3aas_instances",
)


@pytest.fixture(scope="session")
def server():
    """A PostgreSQL whose folder its account can reach; pytest's own are closed."""
    top = Path(tempfile.mkdtemp(prefix="s3-"))
    top.chmod(0o711)
    state = statedir.StateDir(top / "state")
    state.create()
    found = postgres.EmbeddedPostgres(state)
    found.start()
    yield found
    found.stop()
    shutil.rmtree(top)


@pytest.fixture(scope="session")
def uri(server):
    """The database of all tests, migrated; this process's models are connected."""
    server.create_database("storage")
    found = server.uri("storage")
    with psycopg.connect(found, autocommit=True) as connection:
        # These tests make tens of thousands of commits and pull no plug.
        connection.execute("ALTER DATABASE storage SET synchronous_commit TO off")
    migrate.connect(found, 24)
    migrate.migrate(found)
    secrets.use(box.Box([box.new_key().encode()]), "keys")
    version.offer("0.0.1", "rustfs", "1.0.1")
    version.offer("minio-version", "minio", "2025")
    version.offer("0.0.1", "rustfs", "1.0.1")
    return found


@pytest.fixture(scope="session")
def issued_by():
    return issuer.Issuer(TOKEN_KEY)


@pytest.fixture(scope="session")
def http(uri, issued_by):
    with made.client_of(app.build(issued_by)) as client:
        yield client


def get_token(http, name, project=None, **more):
    form = {"grant_type": "password", "username": name, "password": made.PASSWORD}
    if project:
        form["scope"] = f"project:{project}"
    answer = http.post(made.TOKEN_PATH, data=form | more)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture(scope="session")
def login(http):
    """Gives the API as the account of that name, in a project."""
    return lambda name, project=None: made.Api(
        http, get_token(http, name, project)["access_token"]
    )


@pytest.fixture(scope="session")
def callers(http, login):
    """The API as each role in each project: `callers["one", "owner"]`."""
    for name, project in PROJECTS.items():
        account.add_project(project, name)
        for role in access.ROLES:
            account.add_user(f"{role}-{name}", made.PASSWORD, project, role)
    return {
        (name, role): login(f"{role}-{name}", project)
        for name, project in PROJECTS.items()
        for role in access.ROLES
    }


def empty(connection):
    for table in EMPTIED:
        connection.execute(f"DELETE FROM {table}")


@pytest.fixture
def db(uri):
    """A connection beside the service; it leaves the tables empty."""
    with psycopg.connect(uri, autocommit=True, row_factory=rows.dict_row) as found:
        empty(found)
        yield found
    # A connection of its own: the test may have restarted the server.
    with psycopg.connect(uri, autocommit=True) as last:
        empty(last)


@pytest.fixture
def api(callers, db):
    """The API as an owner."""
    return callers["one", "owner"]


@pytest.fixture
def stranger(callers, db):
    """The API as an owner of another project."""
    return callers["two", "owner"]


@pytest.fixture
def anonymous(http):
    return made.Api(http, None)


@pytest.fixture
def tree(api):
    return made.tree(api)


@pytest.fixture
def world(db):
    return fakes.World()


@pytest.fixture
def reconcile(uri, db, world):
    """Starts reconcilers; `db` is empty only once they have ended."""
    with contextlib.ExitStack() as stack:

        def start(clock=None, nodes=None, **settings):
            wanted = {"tick_s": 60.0, "watch_s": 0.05, "silence_s": 0.3, **settings}
            found = worker.Reconciler(
                uri,
                nodes or world.nodes,
                worker.Settings(**wanted),
                clock or (lambda: datetime.datetime.now(datetime.timezone.utc)),
                engines.Engines(world.connect),
            )
            found.start()
            stack.callback(stop, found, uri)
            return found

        yield start


def stop(reconciler, uri):
    """Stop a reconciler, without waiting for its listener to look up by itself."""
    ending = threading.Thread(target=reconciler.stop)
    ending.start()
    with psycopg.connect(uri, autocommit=True) as connection:
        while ending.is_alive():
            connection.execute("NOTIFY s3aas_changes")
            ending.join(0.02)


@pytest.fixture
def running(reconcile, world):
    """A reconciler that nothing but a NOTIFY wakes."""
    return reconcile()


@pytest.fixture
def active(api, running):
    """The path of an instance that is ACTIVE."""
    name = api.make("/instances", name="active", bucket_name="default")["name"]
    api.wait(f"/instances/{name}")
    return f"/instances/{name}"
