"""An operator's own PostgreSQL in the place of the embedded one."""

from pathlib import Path

import httpx
import psutil
import pytest

from exordos_paas_storage.domain import errors
from exordos_paas_storage.onebox import database_checks, database_url, own_postgres
from exordos_paas_storage.sealing import box as sealing_box
from tests import box
from tests.onebox import own_server
from tests.onebox.own_server import config, refused, secret_of, words_of


@pytest.fixture(scope="module")
def server():
    """A server with a password on a TCP port."""
    with own_server.running() as found:
        yield found


@pytest.fixture
def own(server):
    """The address of a new empty database."""
    return server.database()[1]


@pytest.fixture
def made(new_box):
    """A service that was never started."""
    return new_box("minio")


def put_and_get(made, body):
    """Write an object into the demo's bucket and read it back."""
    demo = made.facts()["demo"]
    secret = Path(demo["secret_key_file"]).read_text()
    s3 = box.s3(demo["endpoint"], demo["access_key"], secret)
    s3.put_object(Bucket=demo["bucket"], Key="own", Body=body)
    return s3.get_object(Bucket=demo["bucket"], Key="own")["Body"].read()


def token(facts):
    """A token of the service's own admin."""
    grant = {
        "grant_type": "password",
        "username": facts["username"],
        "password": Path(facts["password_file"]).read_text(),
        "scope": f"project:{facts['project_id']}",
    }
    answer = httpx.post(facts["token_url"], data=grant, timeout=30)
    return answer.json()["access_token"]


def postgres_of(made):
    """The processes of a server of the service's own."""
    return [name for name in made.names() if "postgres -D" in name]


def environments(made):
    """The environment of each process of the service."""
    return made.seen(psutil.Process.environ)


def test_the_service_runs_on_it_from_end_to_end(server, own, made):
    keys = made.top / "sealing.keys"
    printed = made.up(config(made, own, f"[s3aas]\nsealing_keys_file = {keys.name}\n"))

    facts = made.facts()
    name = own.rpartition("/")[2]
    assert facts["database"] == f"{name} at 127.0.0.1:{server.port}"
    assert facts["database"] in printed and "back all three up" in printed
    assert facts["sealing_key_file"] == str(keys) and keys.is_file()
    assert postgres_of(made) == [] and not (made.state / "postgres/data").exists()
    assert put_and_get(made, b"one") == b"one"
    box.user_with_key(made.client(), "demo", "office")
    assert server.run("SELECT count(*) FROM s3aas_users", name) == [(2,)]
    remembered = made.state / "secrets" / "database-url"
    assert remembered.stat().st_mode & 0o777 == 0o600
    project = made.did("iam", "project", "add", "team").strip()
    assert project in made.did("iam", "project", "list")
    assert secret_of(server) not in words_of(made) + printed + made.did("status")
    made.down()
    assert made.facts()["running"] is False

    # It is known from now on, and needs to be said no more.
    (made.top / "storage.conf").unlink()
    made.up()

    assert made.facts()["database"] == facts["database"]
    assert postgres_of(made) == []
    assert project in made.did("iam", "project", "list")
    assert put_and_get(made, b"two") == b"two"


def test_the_environment_may_name_it_and_no_process_below_hears_of_it(own, made):
    answer = made.run(
        *("up", "--detach", "--engine=minio"), EXORDOS_STORAGE_DATABASE_URL=own
    )

    assert answer.returncode == 0, answer.stderr
    assert postgres_of(made) == []
    found = environments(made)
    supervisor = found.pop(made.pid("supervisor"))
    assert supervisor["EXORDOS_STORAGE_DATABASE_URL"] == own
    assert len(found) == 3
    for environ in found.values():
        assert "EXORDOS_STORAGE_DATABASE_URL" not in environ


def test_it_goes_away_and_comes_back(made):
    with own_server.running() as server:
        made.up(config(made, server.database()[1]))
        client, facts = made.client(), made.facts()
        headers = {"Authorization": f"Bearer {token(facts)}"}
        engine = made.pid("engine", facts["demo"]["instance_id"])
        server.stop()

        address = facts["api_url"] + "/v1/types/s3/instances"
        # The API itself waits 5 seconds for its database.
        answer = httpx.get(address, headers=headers, timeout=30)
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert made.facts()["ready"] is False
        assert put_and_get(made, b"meanwhile") == b"meanwhile"
        assert "can't be used" in made.run("iam", "project", "list").stderr
        log = made.state / "logs" / "service.log"
        box.wait_until(lambda: "is gone; connecting" in log.read_text())

        server.start()

        box.wait_until(lambda: "is back" in log.read_text())
        box.wait_until(lambda: made.facts()["ready"])
        client.create("/instances/demo/buckets", {"name": "after"})
        client.wait_active("/instances/demo/buckets/after", box.ACTIVE_S)
        assert made.pid("engine", facts["demo"]["instance_id"]) == engine
        assert secret_of(server) not in words_of(made)
        made.down()


def test_one_that_is_down(server, own, made):
    unused = own.replace(f":{server.port}/", ":1/")

    said = refused(server, made, config(made, unused))

    assert "at 127.0.0.1:1 can't be used" in said and "refused" in said
    assert "connection_url" in said
    assert not (made.state / "secrets" / "database-url").exists()


def test_one_that_refuses_the_password(server, own, made):
    wrong = server.url("postgres", "root", f"{server.password}x")

    said = refused(server, made, config(made, wrong))

    assert 'password authentication failed for user "root"' in said


def test_one_that_does_not_exist(server, made):
    said = refused(server, made, config(made, server.url("nowhere")))

    assert 'database "nowhere" does not exist' in said


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("ALTER ROLE {0} SET default_transaction_read_only = on", "is read-only"),
        ("ALTER ROLE {0} SET search_path = nowhere", "has no schema"),
        ("ALTER DATABASE {0} OWNER TO root", "GRANT CREATE ON SCHEMA public TO {0}"),
    ],
)
def test_rights_or_settings_that_do_not_serve(server, made, statement, told):
    name, url = server.database()
    server.run(statement.format(name))
    # As every release has it from 15 on.
    server.run("REVOKE CREATE ON SCHEMA public FROM PUBLIC", name)

    assert told.format(name) in refused(server, made, config(made, url))


def test_another_encoding(server, made):
    _, url = server.database("ENCODING 'SQL_ASCII' TEMPLATE template0")

    assert "has the encoding SQL_ASCII" in refused(server, made, config(made, url))


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE s3aas_buckets (mine text)",
        "CREATE VIEW s3aas_report AS SELECT 1 AS one",
        "CREATE TABLE ra_migrations (mine text)",
    ],
)
def test_tables_of_something_else(server, made, statement):
    name, url = server.database()
    server.run(statement, name)
    before = server.run("SELECT relname FROM pg_class ORDER BY 1", name)

    said = refused(server, made, config(made, url))

    assert f"holds a table {statement.split()[2]} of something else" in said
    assert server.run("SELECT relname FROM pg_class ORDER BY 1", name) == before


def test_a_server_that_is_too_old(own, monkeypatch):
    address = database_url.parse(own, "the test")
    own_postgres.OwnPostgres(address).check()
    monkeypatch.setattr(database_checks, "OLDEST", 99)

    with pytest.raises(errors.SetupError, match=r"of PostgreSQL \d\d: 99 or newer"):
        own_postgres.OwnPostgres(address).check()


def test_a_bad_address_or_file_is_told_without_what_is_in_it(server, own, made):
    raw = f"postgresql://root:{server.password}@127.0.0.1/storage"
    assert "hexadecimal" in refused(server, made, config(made, raw))
    assert "hexadecimal" in refused(server, made, EXORDOS_STORAGE_DATABASE_URL=raw)
    said = refused(server, made, config(made, own, server.password))
    assert "a line in [db] that is not name = value" in said


@pytest.fixture(scope="module")
def ran(server):
    """A service that ran once on a database of its own, stopped; and its address."""
    name, url = server.database()
    with box.made("minio") as found:
        found.up(config(found, url))
        found.down()
        yield found, name, url


def test_wrong_and_lost_sealing_keys(server, ran):
    made, _, _ = ran
    keys = Path(made.facts()["sealing_key_file"])
    kept = keys.rename(keys.with_name(".kept"))
    try:
        assert f"sealing key file {keys} is gone" in refused(server, made)
        sealing_box.write_new_keys(keys)
        assert "does not hold the sealing keys" in refused(server, made)
    finally:
        kept.replace(keys)


def test_a_database_of_another_state_folder(server, ran, new_box):
    made, _, url = ran
    other = new_box("minio")

    said = refused(server, other, config(other, url))
    assert "belongs to the service of another state folder" in said

    made.up()
    said = refused(server, other, config(other, url))
    assert "is in use by a service of another state folder" in said
    assert made.facts()["ready"] is True
    made.down()


def test_tables_of_another_role(server, ran):
    made, name, url = ran
    role = server.database()[0]
    server.run(f"GRANT CREATE ON SCHEMA public TO {role}", name)

    said = refused(server, made, config(made, url.replace(f"{name}:", f"{role}:")))

    assert f"of the role {name}: GRANT {name} TO {role}" in said


def test_it_may_move_with_what_it_holds_and_not_without(server, ran):
    made, name, _ = ran
    empty, url = server.database()
    kept = (made.state / "secrets" / "database-url").read_text()

    said = refused(server, made, config(made, url))

    assert f"holds nothing of the service in {made.state}" in said
    assert (made.state / "secrets" / "database-url").read_text() == kept
    assert server.run("SELECT count(*) FROM pg_class WHERE relname ~ 's3aas'", empty)[
        0
    ] == (0,)
    server.run(f"DROP DATABASE {empty}")
    server.run(f"CREATE DATABASE {empty} TEMPLATE {name} OWNER {empty}")
    server.run(f"REASSIGN OWNED BY {name} TO {empty}", empty)

    made.up(config(made, url))

    assert made.facts()["database"].startswith(f"{empty} at ")
    assert put_and_get(made, b"moved") == b"moved"
    made.down()
