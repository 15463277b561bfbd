"""Trouble at the start: one line that says what and what to do, and nothing runs."""

import contextlib
import json
import os
import socket
from pathlib import Path

import pytest

from exordos_paas_storage.sealing import box as sealing_box
from tests import box, engines

AS_ROOT = os.geteuid() == 0


def refused(made, *words, **environ):
    """Assert that `up` is refused in one line and leaves nothing; what it said."""
    answer = made.run("up", "--detach", *words, **environ)

    # Work that takes long is told as it goes on: "fetching Go …".
    said = [line for line in answer.stderr.splitlines() if not line.endswith("…")]
    assert answer.returncode == 1, answer.stdout + answer.stderr
    assert len(said) == 1, answer.stderr
    assert said[0].startswith("exordos-storage: ")
    assert made.names() == []
    return said[0]


def as_it_was(path):
    """All there is below a folder, to be compared."""
    return sorted(str(found) for found in path.rglob("*"))


@pytest.fixture
def made(new_box):
    """A service that was never started."""
    return new_box()


@pytest.fixture(scope="module")
def ran():
    """A service that ran once and holds the demo."""
    with box.made(engines.available()[0]) as ran_once:
        ran_once.up()
        yield ran_once


@pytest.fixture
def stopped(ran):
    """The same, stopped; a test leaves its folder as it was."""
    ran.down()
    yield ran
    ran.down()


@contextlib.contextmanager
def moved_away(file):
    """Take a file away, and put it back whatever was put there; where it is."""
    kept = file.rename(file.with_name(f".kept-{file.name}"))
    try:
        yield kept
    finally:
        kept.replace(file)


def test_a_path_too_long_for_a_socket(made):
    made.state = made.top / ("long-" * 20)

    said = refused(made)

    assert "too long" in said and "--state-dir" in said
    assert not made.state.exists()


@pytest.mark.parametrize("name", ["a b", "a,b", "a{b}"])
def test_a_path_that_an_engine_or_the_database_would_split(made, name):
    made.state = made.top / name

    assert "--state-dir" in refused(made)


def test_a_folder_that_can_not_be_written(new_box, ordinary):
    made = new_box(caller=ordinary)
    made.top.chmod(0o555)

    said = refused(made)

    assert "can't be written" in said and "--state-dir" in said
    made.top.chmod(0o711)


def test_a_file_where_the_folder_should_be(made):
    made.state.write_text("mine")

    said = refused(made)

    assert str(made.state) in said and "--state-dir" in said
    assert made.state.read_text() == "mine"
    made.state.unlink()


def test_a_folder_with_other_files(made):
    made.state.mkdir()
    (made.state / "thesis.tex").write_text("mine")

    said = refused(made)

    assert "other files" in said and "--state-dir" in said
    assert as_it_was(made.state) == [str(made.state / "thesis.tex")]


# An ordinary user's database has the account of the service itself.
@pytest.mark.parametrize("mode", [0o700] if AS_ROOT else [])
def test_a_folder_that_the_databases_account_can_not_reach(made, mode):
    made.top.chmod(mode)

    said = refused(made)

    assert "can't reach" in said and str(made.top) in said and "--state-dir" in said
    made.top.chmod(0o711)


def test_a_named_binary_that_is_not_there(made):
    missing = str(made.top / "minio-of-yesterday")

    said = refused(made, "--engine=minio", EXORDOS_STORAGE_MINIO=missing)

    assert "EXORDOS_STORAGE_MINIO" in said and missing in said


@pytest.mark.parametrize("engine", [(), ("--engine=minio",), ("--engine=rustfs",)])
def test_no_engine_and_no_network(made, engine):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        dead = f"http://127.0.0.1:{unused.getsockname()[1]}"
        environ = dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"), dead)
        environ |= {key.lower(): dead for key in environ}

        said = refused(
            made,
            *engine,
            **environ,
            EXORDOS_STORAGE_MINIO="",
            EXORDOS_STORAGE_RUSTFS="",
            EXORDOS_STORAGE_CACHE=str(made.top / "cache"),
            PATH="/usr/bin:/bin",
            NO_PROXY="",
            no_proxy="",
            PIP_CONFIG_FILE=os.devnull,
            PIP_FIND_LINKS="",
            PIP_INDEX_URL=f"{dead}/simple",
            PIP_EXTRA_INDEX_URL="",
            PIP_RETRIES="0",
        )

    assert "check the network" in said
    assert ("RustFS" if engine == ("--engine=rustfs",) else "Go") in said or (
        engine == ("--engine=rustfs",) and "github.com" in said
    )


def test_a_lost_sealing_key(stopped):
    keys = Path(stopped.facts()["sealing_key_file"])

    with moved_away(keys):
        said = refused(stopped)

        assert str(keys) in said and "backup" in said
        assert not keys.exists()

    stopped.up()
    assert stopped.facts()["ready"] is True


def test_a_wrong_sealing_key(stopped):
    keys = Path(stopped.facts()["sealing_key_file"])

    with moved_away(keys):
        sealing_box.write_new_keys(keys)
        said = refused(stopped)

    assert "sealing key" in said and "backup" in said


def test_a_wrong_path_of_the_sealing_keys_is_not_remembered(stopped):
    nowhere = stopped.top / "nowhere" / "keys"

    refused(stopped, f"--sealing-key-file={nowhere}")

    stopped.up()
    assert stopped.facts()["sealing_key_file"] != str(nowhere)
    stopped.down()


def test_sealing_keys_outside_the_folder_are_found_again(made):
    keys = made.top / "elsewhere" / "keys"
    keys.parent.mkdir()
    made.up(f"--sealing-key-file={keys}")
    assert made.facts()["sealing_key_file"] == str(keys)
    made.down()
    assert keys.stat().st_mode & 0o077 == 0
    assert not (made.state / "secrets" / "sealing-keys").exists()

    made.up()

    assert made.facts()["sealing_key_file"] == str(keys)
    box.user_with_key(made.client(), "demo", "after")


def test_a_folder_of_a_newer_release(stopped):
    file = stopped.state / "state.json"
    newer = {**json.loads(file.read_text()), "layout": 999}

    with moved_away(file):
        file.write_text(json.dumps(newer))
        said = refused(stopped)

        assert "newer" in said and "layout 999" in said
        assert json.loads(file.read_text()) == newer


def condition(client, path, kind):
    """One condition of an object."""
    found = {one["type"]: one for one in client.get(path)["conditions"]}
    return found[kind]


def told(client, reason, path="/instances/demo"):
    """Wait until an instance says why its engine does not serve."""

    def seen():
        found = condition(client, path, "EngineReady")
        return found["status"] == "False" and found["reason"] == reason

    box.wait_until(seen)
    found = client.get(path)
    assert found["status"] == "ERROR"
    return found["status_message"]


@contextlib.contextmanager
def listening(port):
    """Somebody else on a port of this machine."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        yield


def test_an_instance_whose_port_was_taken_keeps_it_and_says_so(stopped):
    endpoint = stopped.facts()["demo"]["endpoint"]
    port = int(endpoint.rpartition(":")[2])

    with listening(port):
        stopped.up()

        client = stopped.client()
        assert str(port) in told(client, "PortTaken")
        # Another instance is not disturbed, and takes another port.
        client.create("/instances", {"name": "other"})
        other = client.wait_active("/instances/other", box.ACTIVE_S)
        assert other["endpoint"] != endpoint

    found = client.wait_active("/instances/demo", box.ACTIVE_S)
    assert found["endpoint"] == endpoint


def test_an_instance_whose_engine_is_gone_says_so(stopped):
    """The service goes on with another version; the demo's is in no cache."""
    (staged,) = (stopped.state / "engines").glob("minio-0*/minio")
    other = stopped.top / "other-minio"
    other.write_text("#!/bin/sh\necho minio version 9.9.9\n")
    other.chmod(0o755)

    with moved_away(staged):
        words = ("up", "--detach", "--engine=minio")
        answer = stopped.run(*words, EXORDOS_STORAGE_MINIO=str(other))

        assert answer.returncode == 0, answer.stderr
        client = stopped.client()
        assert stopped.facts()["engine"]["version"] == "9.9.9"
        assert "engine install minio" in told(client, "BinaryMissing")

    # It comes back where it was as soon as its binary does, without a restart.
    client.wait_active("/instances/demo", box.ACTIVE_S)


def test_a_deleted_instance_needs_no_living_engine(stopped):
    stopped.up()
    client = stopped.client()
    client.create("/instances", {"name": "doomed"})
    doomed = client.wait_active("/instances/doomed", box.ACTIVE_S)
    stopped.down()
    with listening(doomed["nodes"][0]["port"]):
        stopped.up()
        client = stopped.client()
        told(client, "PortTaken", "/instances/doomed")

        box.removed(client, "/instances/doomed")

    assert not (stopped.state / "instances" / doomed["id"]).exists()
