"""The embedded PostgreSQL: a real server through starts, kills and bad folders."""

import os
import pwd
import shutil
import signal
import stat
import tempfile
import traceback
from pathlib import Path

import psutil
import psycopg
import pytest

from exordos_paas_storage.domain import errors
from exordos_paas_storage.nodes import process
from exordos_paas_storage.onebox import pg_binaries, postgres, statedir

NOBODY = 65534


@pytest.fixture
def state():
    """A state folder that every account can reach; pytest's own are closed."""
    top = Path(tempfile.mkdtemp(prefix="s3-"))
    top.chmod(0o755)
    made = statedir.StateDir(top / "state")
    made.create()
    yield made
    for found in psutil.process_iter():
        try:
            if top in Path(found.cwd()).parents:
                found.kill()
        except psutil.Error:
            continue
    shutil.rmtree(top)


@pytest.fixture
def server(state):
    made = postgres.EmbeddedPostgres(state)
    yield made
    made.stop()


def write(server, value):
    server.create_database("storage")
    with psycopg.connect(server.uri("storage")) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (value text)")
        connection.execute("INSERT INTO kept VALUES (%s)", [value])


def read(server):
    with psycopg.connect(server.uri("storage")) as connection:
        rows = connection.execute("SELECT value FROM kept ORDER BY 1").fetchall()
    return [value for (value,) in rows]


def setting(server, name):
    with psycopg.connect(server.uri("postgres")) as connection:
        return connection.execute(f"SHOW {name}").fetchone()[0]


def refusal(call):
    with pytest.raises(errors.SetupError) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def in_child(work):
    """Run `work` in a forked process; its exit status."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work()
            status = 0
        except BaseException:  # noqa: BLE001 - told by the exit status
            traceback.print_exc()
        finally:
            os._exit(status)
    return os.waitpid(pid, 0)[1]


def test_data_survives_a_restart(server):
    server.start()
    write(server, "one")
    first = server.pid
    server.stop()
    assert not server.running()
    assert not psutil.pid_exists(first)

    server.start()
    write(server, "two")

    assert read(server) == ["one", "two"]


def test_it_is_private(server, state):
    server.start()
    found = psutil.Process(server.pid)
    expected = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else os.geteuid()
    password = (state.secrets / "postgres-password").read_text()

    assert found.uids().real == expected
    assert found.net_connections("inet") == []
    assert setting(server, "listen_addresses") == ""
    assert stat.S_IMODE(server.socket_dir.stat().st_mode) == 0o700
    assert stat.S_IMODE(server.data.stat().st_mode) == 0o700
    assert stat.S_IMODE(server.log.stat().st_mode) == 0o600
    assert password not in " ".join(found.cmdline())
    assert password not in server.log.read_text()
    wrong = server.uri("postgres").replace(password, "wrong")
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(wrong)


def test_its_settings(server):
    server.start()

    assert setting(server, "max_connections") == "60"
    assert setting(server, "timezone") == "UTC"
    assert setting(server, "data_checksums") == "on"
    assert setting(server, "fsync") == "on"
    assert setting(server, "password_encryption") == "scram-sha-256"


def test_start_and_create_again_do_nothing(server):
    server.start()
    pid = server.pid
    server.create_database("storage")

    server.start()
    server.create_database("storage")

    assert server.pid == pid


def test_a_killed_server_starts_again_with_all_that_was_committed(server):
    server.start()
    for round_ in range(3):
        write(server, str(round_))
        os.kill(server.pid, signal.SIGKILL)
        assert process.wait_until(lambda: not server.running(), 60)
        server.start()

    assert read(server) == ["0", "1", "2"]


@pytest.mark.parametrize("explicitly", [True, False])
def test_a_server_left_by_a_killed_service_is_stopped(server, state, explicitly):
    def serve_and_die():
        left = postgres.EmbeddedPostgres(state)
        left.start()
        write(left, "left")
        os.kill(os.getpid(), signal.SIGKILL)

    assert os.WTERMSIG(in_child(serve_and_die)) == signal.SIGKILL
    left = int((server.data / "postmaster.pid").read_text().splitlines()[0])
    assert psutil.pid_exists(left)

    if explicitly:
        server.stop_left_over()
        assert process.identify(left) is None
    server.start()

    assert process.identify(left) is None

    assert read(server) == ["left"]


def test_a_pid_file_that_names_somebody_else_is_no_server(server):
    server.start()
    write(server, "kept")
    server.stop()
    lines = [str(os.getppid()), str(server.data), "1", "5432", str(server.socket_dir)]
    (server.data / "postmaster.pid").write_text("\n".join(lines) + "\n")

    server.start()

    assert read(server) == ["kept"]


def test_data_of_another_major_version_is_refused(server):
    server.start()
    server.stop()
    here = (server.data / "PG_VERSION").read_text().strip()
    (server.data / "PG_VERSION").write_text(f"{int(here) - 1}\n")

    text = refusal(server.start)

    assert f"made by PostgreSQL {int(here) - 1}" in text
    assert "dump" in text
    assert not server.running()


def test_half_an_initialisation_does_not_count(server, state):
    half = state.postgres / "data.new-1"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")

    server.start()

    assert server.running()
    assert not half.exists()


def test_a_server_that_ends_at_once_is_told_with_its_last_words(server):
    server.start()
    server.stop()
    with (server.data / "postgresql.conf").open("a") as file:
        file.write("no_such_setting = 1\n")

    text = refusal(server.start)

    assert "contains errors" in text
    assert str(server.log) in text


def test_a_large_log_is_moved_aside_at_the_start(server):
    server.log.write_bytes(b"x" * ((10 << 20) + 1))

    server.start()

    assert server.log.stat().st_size < 1 << 20
    assert server.log.with_name("postgres.log.1").stat().st_size > 10 << 20


def test_an_ordinary_user_can_run_it(state):
    """As root: in a child that has become nobody; else the tests do it anyhow."""

    def serve():
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        own = statedir.StateDir(state.path)
        own.create()
        server = postgres.EmbeddedPostgres(own)
        for value in ("first", "second"):
            server.start()
            write(server, value)
            server.stop()
        server.start()
        assert read(server) == ["first", "second"]
        assert psutil.Process(server.pid).uids().real == os.getuid()
        server.stop()

    if os.geteuid() == 0:
        # The wheel may lie where nobody can read it.
        pg_binaries.stage(state.postgres)
        for path in (state.path, *state.path.rglob("*")):
            os.chown(path, NOBODY, NOBODY, follow_symlinks=False)

    assert in_child(serve) == 0
