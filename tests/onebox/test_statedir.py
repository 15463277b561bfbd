"""The state folder: modes, secrets, lock, layout, and every refusal of a bad one."""

import multiprocessing
import os
import pathlib
import stat
import tempfile
import threading

import pytest

from exordos_paas_storage.domain import errors
from exordos_paas_storage.onebox import statedir


@pytest.fixture
def short_path():
    """A folder whose path leaves a socket's path room enough."""
    with tempfile.TemporaryDirectory(prefix="s3-") as path:
        yield pathlib.Path(path)


@pytest.fixture
def state(short_path):
    made = statedir.StateDir(short_path / "state")
    made.create()
    return made


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def refusal(call):
    with pytest.raises(errors.SetupError) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_modes(state):
    assert mode(state.path) == (0o711 if os.geteuid() == 0 else 0o700)
    assert mode(state.secrets) == 0o700
    assert mode(state.logs) == 0o700


def test_create_again_keeps_everything_and_repairs_modes(state):
    secret = state.secret_file("key", lambda: "s3cret")
    state.secrets.chmod(0o755)

    state.create()

    assert secret.read_text() == "s3cret"
    assert mode(state.secrets) == 0o700


def test_a_secret_is_made_once_and_closed(state):
    path = state.secret_file("key", lambda: "first")

    assert state.secret_file("key", lambda: "second") == path
    assert path.read_text() == "first"
    assert mode(path) == 0o600
    assert [entry.name for entry in state.secrets.iterdir()] == ["key"]


def test_a_maker_that_fails_leaves_no_secret(state):
    def fail():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        state.secret_file("key", fail)

    assert list(state.secrets.iterdir()) == []


def test_state_is_read_back_with_its_layout(state):
    assert state.read_state() == {"layout": statedir.LAYOUT}

    state.write_state({"engine": "minio"})

    assert state.read_state() == {"engine": "minio", "layout": statedir.LAYOUT}
    assert mode(state.state_file) == 0o600


def test_a_newer_layout_is_refused(state):
    state.state_file.write_text('{"layout": 99}')

    assert "newer" in refusal(state.read_state)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"layout": null}', "\0"])
def test_damaged_state_is_refused(state, content):
    state.state_file.write_text(content)

    assert "damaged" in refusal(state.read_state)


def test_a_second_service_is_refused_and_told_the_pid(state):
    assert not state.is_held()
    with state.lock():
        assert state.is_held()
        text = refusal(lambda: statedir.StateDir(state.path).lock().__enter__())
        assert f"pid {os.getpid()}" in text
    assert not state.is_held()
    with state.lock():
        pass


def test_the_lock_ends_with_its_process(state):
    held = multiprocessing.get_context("fork").Event()

    def hold():
        with state.lock():
            held.set()
            threading.Event().wait()

    holder = multiprocessing.get_context("fork").Process(target=hold, daemon=True)
    holder.start()
    assert held.wait(60)
    assert state.holder() == holder.pid
    assert f"pid {holder.pid}" in refusal(lambda: state.lock().__enter__())

    holder.kill()
    holder.join()

    with state.lock():
        assert state.holder() == os.getpid()


def test_a_folder_of_somebody_else_is_refused_and_kept_as_it_is(tmp_path):
    (tmp_path / "photo.jpg").write_text("mine")
    before = mode(tmp_path)

    assert "no state folder" in refusal(statedir.StateDir(tmp_path).create)

    assert mode(tmp_path) == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["photo.jpg"]


def test_an_unwritable_folder_is_refused(tmp_path):
    (tmp_path / "file").write_text("")

    assert "can't be written" in refusal(statedir.StateDir(tmp_path / "file/x").create)


def test_too_little_space_is_refused(tmp_path):
    state = statedir.StateDir(tmp_path / "state")

    assert "MiB free and needs" in refusal(lambda: state.create(need_bytes=1 << 60))


@pytest.mark.parametrize("name", ["my state", "a,b", "x{1...4}", "it's"])
def test_paths_that_the_parts_misread_are_refused(tmp_path, name):
    assert "in its path" in refusal(statedir.StateDir(tmp_path / name).create)
    assert not (tmp_path / name).exists()


def test_a_path_is_refused_from_the_first_byte_that_is_too_long():
    rest = len("/postgres/sock/.s.PGSQL.5432")
    longest = "/nonexistent/" + "x" * (107 - rest - len("/nonexistent/"))

    assert "too long" not in refusal_or_nothing(longest)
    assert "by 1 bytes" in refusal_or_nothing(longest + "x")


def refusal_or_nothing(path):
    try:
        statedir.StateDir(path)._check_path()
    except errors.SetupError as error:
        return str(error)
    return ""


def test_bytes_count_and_not_characters():
    assert "too long" in refusal_or_nothing("/nonexistent/" + "ü" * 50)


def test_a_closed_folder_on_the_way_is_named(short_path):
    closed = short_path / "home"
    closed.mkdir(mode=0o700)
    state = statedir.StateDir(closed / "state")
    state.create()

    other = os.geteuid() + 1
    text = refusal(lambda: state.check_reachable(other, other, "the account x"))

    assert "the account x can't reach" in text
    assert "is closed to it" in text


def test_the_owner_reaches_its_own_folder(state):
    state.check_reachable(os.geteuid(), os.getegid(), "we")


def test_the_default_folder_follows_the_account():
    path = statedir.default_path()

    if os.geteuid() == 0:
        assert str(path) == "/var/lib/exordos-storage"
    else:
        assert path.name == "exordos-storage"
