"""Runs of the platform's command line: each ends, and says why."""

import os
import time

import psutil
import pytest
from click.testing import CliRunner
from s3aas_element import __main__, command_line

from exordos_paas_storage.domain import errors
from tests.functional import cli
from tests.stand import elements, host, secretbook

SERVED = "http://10.20.0.1:8081/"
# As click has it, where nobody can answer.
ASKS = 'printf "OTP code: "; read code || { echo "Aborted!" >&2; exit 1; }'
HANGS = "exec sleep 600"
LONG_S = 300.0


@pytest.fixture
def script(tmp_path):
    """Writes a program in the place of `exordos`."""

    def write(text):
        file = tmp_path / "exordos"
        file.write_text(f"#!/bin/sh\n{text}\n")
        file.chmod(0o755)
        return str(file)

    return write


@pytest.fixture
def open_stdin():
    """Standard input as a terminal's, from which nothing comes."""
    there, writer = os.pipe()
    before = os.dup(0)
    os.dup2(there, 0)
    yield
    os.dup2(before, 0)
    for each in (there, writer, before):
        os.close(each)


@pytest.fixture(params=["make install", "the suite's", "the stand's"])
def call(request, script, tmp_path, monkeypatch):
    """Runs a command as each of its three users, for so many seconds; what it says."""

    def as_make_install(program, limit_s):
        monkeypatch.setattr(__main__.served, "offer", lambda *release: None)
        words = ["install", "--repository", SERVED, "--exordos", program]
        words += ["--wait", str(limit_s)]
        done = CliRunner().invoke(__main__.main, words)
        assert done.exit_code == 1 and isinstance(done.exception, SystemExit)
        return done.output

    def as_the_suite(program, limit_s):
        run = cli.Cli(
            program, tmp_path, "http://core", ("admin", "pw"), lambda: limit_s
        )
        with pytest.raises((AssertionError, errors.SetupError)) as told:
            run("repo", "list")
        return str(told.value)

    def as_the_stand(program, limit_s):
        monkeypatch.setattr(host, "inside", lambda argv: argv)
        monkeypatch.setattr(
            elements, "command", lambda secrets: [program, "-p", secrets.admin]
        )
        monkeypatch.setattr(elements, "_CALL_S", limit_s)
        with pytest.raises(errors.SetupError) as told:
            elements.run(secretbook.Secrets(), "repo", "list")
        return str(told.value)

    users = {
        "make install": as_make_install,
        "the suite's": as_the_suite,
        "the stand's": as_the_stand,
    }
    return lambda text, limit_s: users[request.param](script(text), limit_s)


def test_a_question_is_answered_by_nobody_and_told(call, open_stdin):
    """As one for the code of a second factor, which nobody sees."""
    told = call(ASKS, LONG_S)

    assert "repo list" in told and "Aborted" in told


def test_a_command_that_hangs_ends_with_the_time_for_all(call, monkeypatch):
    monkeypatch.setattr(command_line, "_LAST_CALL_S", 0.2)

    told = call(HANGS, 0.2)

    assert "repo list" in told and "does not end" in told


def test_a_question_is_told_with_what_to_do(script):
    run = command_line.CommandLine([script(ASKS)], lambda: LONG_S)

    with pytest.raises(errors.SetupError, match="sign in once with `exordos ee list`"):
        command_line.must(run, "repo", "list")


def test_a_command_ends_with_what_it_started(script, tmp_path, monkeypatch):
    """As where a wrapper stands before `exordos`, which would hold its output open."""
    monkeypatch.setattr(command_line, "_LAST_CALL_S", 0.0)
    pid = tmp_path / "pid"

    def left_s():
        while not pid.exists():
            time.sleep(0.01)
        return 0.0

    wrapper = script(
        f'sleep 600 & echo $! > "{pid}.part"; mv "{pid}.part" "{pid}"; wait'
    )
    with pytest.raises(errors.SetupError, match="does not end"):
        command_line.CommandLine([wrapper], left_s)("repo", "list")

    while psutil.pid_exists(int(pid.read_text())):
        time.sleep(0.01)


def test_no_password_stands_in_what_is_told(script, monkeypatch):
    monkeypatch.setattr(command_line, "_LAST_CALL_S", 0.0)
    run = command_line.CommandLine([script(HANGS), "-p", "secret"], lambda: 0.0)

    with pytest.raises(errors.SetupError, match="does not end") as told:
        run("repo", "list")

    assert "secret" not in str(told.value)


def test_what_a_command_printed_is_answered_with_its_status(script):
    program = script("echo said; echo why >&2; test $1 = works")
    run = command_line.CommandLine([program], lambda: LONG_S)

    assert run("works") == (0, "said\n")
    assert run("fails") == (1, "said\nwhy\n")


def test_a_command_line_that_is_missing_is_named_with_its_package(
    tmp_path, monkeypatch
):
    """By `make install`, with nothing but a fresh machine."""
    monkeypatch.setattr(__main__.served, "offer", lambda *release: None)
    missing = tmp_path / "exordos"
    done = CliRunner().invoke(
        __main__.main,
        ["install", "--repository", SERVED, "--exordos", f"{missing} --quiet"],
    )

    assert done.exit_code == 1 and done.exception.__class__ is SystemExit
    assert str(missing) in done.output
    assert "package exordos" in done.output and "EXORDOS=" in done.output
