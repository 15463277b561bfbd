"""`up`, `status` and `down` as a newcomer meets them."""

import contextlib
import os
import re
import signal
import socket
import subprocess
from pathlib import Path

import httpx
import psutil
import pytest

from exordos_paas_storage.onebox import postgres, statedir
from tests import box, engines

PROMISED = {
    "running",
    "api_url",
    "token_url",
    "project_id",
    "username",
    "password_file",
    "engine",
    "demo",
}
MORE = {"ready", "sealing_key_file", "database"}
AWS = """\
#!/bin/sh
echo "$AWS_ACCESS_KEY_ID $AWS_SECRET_ACCESS_KEY $*"
"""


def block(printed, start, end):
    """The lines of what was printed from one that starts so to one that is `end`."""
    lines = printed.splitlines()
    first = next(i for i, line in enumerate(lines) if re.match(start, line))
    last = next(i for i in range(first, len(lines)) if re.match(end, lines[i]))
    return "\n".join(lines[first : last + 1]) + "\n"


def pasted(service, text, **environ):
    """What a shell prints when the text is pasted into it."""
    answer = subprocess.run(
        ["bash", "-eu", "-o", "pipefail"],
        input=text,
        env=service.environ | environ,
        cwd="/",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        **service.caller.options(),
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def put_and_get(facts, body):
    """Write an object into the demo's bucket and read it back."""
    demo = facts["demo"]
    secret = Path(demo["secret_key_file"]).read_text()
    s3 = box.s3(demo["endpoint"], demo["access_key"], secret)
    s3.put_object(Bucket=demo["bucket"], Key="own", Body=body)
    return s3.get_object(Bucket=demo["bucket"], Key="own")["Body"].read()


def test_status_tells_the_promised_facts_and_they_work(service):
    facts = service.facts()

    assert set(facts) == PROMISED | MORE
    assert facts["running"] is facts["ready"] is True
    assert set(facts["engine"]) == {"name", "version"}
    assert facts["engine"]["name"] == service.engine
    assert set(facts["demo"]) == {
        "instance_id",
        "endpoint",
        "bucket",
        "access_key",
        "secret_key_file",
    }
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", facts["api_url"])
    assert put_and_get(facts, b"by status") == b"by status"


def test_the_promised_token_call_answers_form_and_json(service):
    facts = service.facts()
    grant = {
        "grant_type": "password",
        "username": facts["username"],
        "password": Path(facts["password_file"]).read_text(),
        "scope": f"project:{facts['project_id']}",
    }

    for given in ({"data": grant}, {"json": grant}):
        answer = httpx.post(facts["token_url"], **given, timeout=30)
        token = answer.raise_for_status().json()
        headers = {"Authorization": f"Bearer {token['access_token']}"}
        address = facts["api_url"] + "/v1/types/s3/instances/"
        instances = httpx.get(address, headers=headers, timeout=30)
        assert "demo" in [found["name"] for found in instances.json()]


def test_a_secret_file_holds_the_secret_alone(service):
    facts = service.facts()

    for file in (facts["password_file"], facts["demo"]["secret_key_file"]):
        text = Path(file).read_text()
        assert text == text.strip() and len(text.split()) == 1
        assert Path(file).stat().st_mode & 0o077 == 0


def test_the_printed_boto3_lines_work_when_pasted(service):
    said = pasted(service, block(service.printed, ".*python.* - <<", "END$"))

    assert said.strip() == "b'hello'"


def test_the_printed_curl_lines_work_when_pasted(service):
    said = pasted(service, block(service.printed, "TOKEN=", "curl .*Bearer"))

    assert '"demo"' in said


def test_the_printed_aws_line_hands_over_what_aws_needs(service, tmp_path):
    demo = service.facts()["demo"]
    (tmp_path / "aws").write_text(AWS)
    (tmp_path / "aws").chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"

    said = pasted(service, block(service.printed, "AWS_", "  aws "), PATH=path)

    key, secret, *words = said.split()
    assert (key, secret) == (
        demo["access_key"],
        Path(demo["secret_key_file"]).read_text(),
    )
    assert words == [
        *("--region", "us-east-1", "--endpoint-url", demo["endpoint"]),
        *("s3", "ls", f"s3://{demo['bucket']}"),
    ]


def test_what_was_printed_says_what_to_back_up(service):
    facts = service.facts()

    assert f"All data lies in {service.state}" in service.printed
    assert facts["sealing_key_file"] in service.printed
    assert "back both up" in service.printed


def test_a_second_up_on_the_folder_is_refused_and_disturbs_nobody(service):
    before = {part: service.pid(part) for part in ("supervisor", "api", "postgres")}

    answer = service.run("up", "--detach", f"--engine={service.engine}")

    assert answer.returncode == 1
    assert answer.stderr.count("\n") == 1
    assert f"pid {before['supervisor']}" in answer.stderr
    assert "exordos-storage down" in answer.stderr
    assert before == {part: service.pid(part) for part in before}
    assert service.facts()["ready"] is True


def test_status_and_down_of_a_folder_that_never_ran(new_box):
    fresh = new_box()

    assert fresh.facts()["running"] is False
    assert "no service" in fresh.did("status")
    assert "no service" in fresh.did("down")
    assert not fresh.state.exists()


@contextlib.contextmanager
def foreground(made):
    """`up` in the foreground, its output in a file; the process and that file."""
    log = made.top / "up.log"
    with log.open("wb") as output:
        started = subprocess.Popen(
            made.words("up", f"--engine={made.engine}"),
            env=made.environ,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        yield started, log
    finally:
        started.kill()
        started.wait()


def test_up_stays_in_the_foreground_and_stops_all_on_ctrl_c(new_box):
    made = new_box()
    with foreground(made) as (started, log):
        box.wait_until(lambda: "Ctrl-C stops everything." in log.read_text(), box.UP_S)
        assert started.poll() is None
        facts = made.facts()
        assert put_and_get(facts, b"kept") == b"kept"

        started.send_signal(signal.SIGINT)

        assert started.wait(box.ACTIVE_S) == 0
        assert made.names() == []
        assert "Traceback" not in log.read_text()


def test_ctrl_c_while_it_starts_leaves_nothing_running(new_box):
    made = new_box()
    with foreground(made) as (started, log):
        box.wait_until(lambda: "starting PostgreSQL" in log.read_text())

        started.send_signal(signal.SIGINT)

        started.wait(box.ACTIVE_S)
        # What initdb had started ends a moment after it.
        box.wait_until(lambda: not made.names())
        assert "Traceback" not in log.read_text()


@pytest.fixture
def taken():
    """The ports 8080 and 9000, taken by us where nobody had them."""
    with contextlib.ExitStack() as sockets:
        for port in (8080, 9000):
            listening = sockets.enter_context(socket.socket())
            with contextlib.suppress(OSError):
                listening.bind(("127.0.0.1", port))
                listening.listen()
        yield {8080, 9000}


@pytest.fixture
def other_postgres(new_box):
    """Another PostgreSQL on this machine; it serves to the end."""
    other = statedir.StateDir(new_box().top / "other")
    other.create()
    server = postgres.EmbeddedPostgres(other)
    server.start()
    yield server
    assert server.running()
    server.stop()


def test_two_services_live_side_by_side(service, new_box, taken, other_postgres):
    second = new_box(service.engine)

    second.up()

    facts = [service.facts(), second.facts()]
    urls = [found["api_url"] for found in facts]
    urls += [found["demo"]["endpoint"] for found in facts]
    ports = [int(url.rpartition(":")[2]) for url in urls]
    assert len(set(ports)) == 4
    assert not {ports[1], ports[3]} & taken
    for number, found in enumerate(facts):
        put_and_get(found, b"%d" % number)
    second.down()
    assert put_and_get(service.facts(), b"still") == b"still"


def test_a_port_asked_for_is_used_or_refused(new_box):
    made = new_box()
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        answer = made.run(
            "up", "--detach", f"--engine={made.engine}", f"--api-port={port}"
        )
    assert answer.returncode == 1
    assert answer.stderr.count("\n") == 1
    assert f"port {port} is taken" in answer.stderr
    assert made.names() == []

    made.up(f"--api-port={port}")

    assert made.facts()["api_url"].endswith(f":{port}")


@pytest.mark.parametrize("engine", engines.available())
def test_an_ordinary_user_can_run_it(new_box, ordinary, engine):
    made = new_box(engine, ordinary)
    uid = os.getuid() if ordinary.uid is None else ordinary.uid

    printed = made.up()

    facts = made.facts()
    assert put_and_get(facts, b"mine") == b"mine"
    assert {uids.real for uids in made.seen(psutil.Process.uids).values()} == {uid}
    assert pasted(made, block(printed, ".*python.* - <<", "END$")).strip() == "b'hello'"
    made.down()
    assert made.facts()["running"] is False
    made.up()
    assert put_and_get(made.facts(), b"again") == b"again"


def test_parts_run_under_accounts_of_their_own_as_root(service):
    """As root the database and the engine have other accounts; else all have ours."""
    instance = service.facts()["demo"]["instance_id"]
    found = [
        psutil.Process(service.pid(part, instance)).uids().real
        for part in ("supervisor", "postgres", "engine")
    ]

    assert len(set(found)) == (3 if os.geteuid() == 0 else 1)


def test_a_deleted_demo_does_not_come_back(new_box):
    made = new_box()
    made.up()
    box.removed(made.client(), "/instances/demo")
    assert list((made.state / "instances").iterdir()) == []
    made.down()

    printed = made.up()

    assert made.facts()["demo"] is None
    assert "With boto3" not in printed
    assert made.client().get("/instances") == []
