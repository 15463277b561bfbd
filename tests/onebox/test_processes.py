"""Processes: who they are, how they end, and ending with the supervisor."""

import os
import signal
import subprocess
import sys

import pytest

from exordos_paas_storage.nodes import process
from exordos_paas_storage.onebox import processes


@pytest.fixture
def start():
    children = []

    def run(*command):
        child = subprocess.Popen(
            command, start_new_session=True, stdout=subprocess.PIPE
        )
        children.append(child)
        return child

    yield run
    for child in children:
        child.kill()
        child.wait()
        child.stdout.close()


def test_a_process_is_its_pid_and_its_creation(start):
    child = start("sleep", "600")
    found = process.identify(child.pid)

    assert process.alive(found)
    assert not process.alive(process.Process(child.pid, "another boot/1"))
    child.kill()
    assert process.wait_gone(found, 60)  # also before it is reaped
    child.wait()
    assert process.identify(child.pid) is None


def test_a_process_that_ignores_the_end_is_killed_after_its_time(start):
    child = start("sh", "-c", "trap '' TERM; echo ready; while :; do sleep 600; done")
    assert child.stdout.readline() == b"ready\n"

    process.terminate(process.identify(child.pid), 0.1)

    assert child.wait(60) == -signal.SIGKILL


def test_somebody_else_under_the_same_pid_is_not_ended(start):
    child = start("sleep", "600")

    process.terminate(process.Process(child.pid, "another boot/1"), 0.1)

    assert child.poll() is None


def test_a_process_ends_when_its_supervisor_is_killed():
    """The supervisor is a fork of the test, its child a fork of that."""
    alive_in, alive_out = os.pipe()
    told_in, told_out = os.pipe()
    supervisor = os.fork()
    if supervisor == 0:
        try:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            if os.fork() == 0:
                os.close(alive_out)
                processes.parent_watch(alive_in)
                os.write(told_out, f"{os.getpid()}\n".encode())
            while True:
                signal.pause()
        finally:
            os._exit(1)  # whatever happens, neither goes on with the tests
    os.close(alive_out)
    watching = process.identify(int(os.read(told_in, 20)))
    assert process.alive(watching)

    os.kill(supervisor, signal.SIGKILL)
    os.waitpid(supervisor, 0)

    assert process.wait_gone(watching, 60)
    for descriptor in (alive_in, told_in, told_out):
        os.close(descriptor)


def test_a_log_is_made_closed_and_told_by_its_last_line(tmp_path):
    log = tmp_path / "log"
    assert process.last_line(log) == ""

    descriptor = process.open_log(log)
    os.write(descriptor, b"first\n\x1b[31mlast \xff\x1b[0m\n\n")
    os.close(descriptor)

    assert log.stat().st_mode & 0o777 == 0o600
    assert "last" in process.last_line(log)
    assert process.last_line(log).isprintable()


def test_a_link_in_place_of_a_log_is_not_followed(tmp_path):
    (tmp_path / "log").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(OSError, match="symbolic links"):
        process.open_log(tmp_path / "log")

    assert not (tmp_path / "elsewhere").exists()


def test_processes_are_found_by_their_folder(tmp_path):
    child = subprocess.Popen([sys.executable, "-c", "input()"], cwd=tmp_path, stdin=-1)
    try:
        name = process_name(child.pid)
        assert [x.pid for x in processes.working_in(tmp_path, name)] == [child.pid]
        assert list(processes.working_in(tmp_path, "postgres")) == []
    finally:
        child.kill()
        child.communicate()


def process_name(pid):
    with open(f"/proc/{pid}/comm") as file:
        return file.read().strip()
