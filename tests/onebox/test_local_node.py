"""Engines as processes of this machine: every adapter promise on the real ones."""

import base64
import functools
import json
import os
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import traceback
import uuid
from pathlib import Path

import boto3
import httpx
import psutil
import pytest
from botocore.client import Config

from exordos_paas_storage.nodes import (
    account,
    folder,
    port,
    port_lock,
    process,
    sweep,
)
from exordos_paas_storage.nodes.local import LocalNodes
from tests import engines

NOBODY = 65534
READY_S = 60.0
# Below the kernel's range for clients, which other tests use.
FIRST_PORT = 20000 + os.getpid() % 10000


class Clock:
    """A clock that tests move."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def root():
    """A folder that every account can reach; pytest's own are closed."""
    top = Path(tempfile.mkdtemp(prefix="s3-"))
    top.chmod(0o755)
    yield top / "instances"
    for found in psutil.process_iter():
        try:
            if any(str(top) in word for word in found.cmdline()):
                found.kill()
        except psutil.Error:
            continue
    process.wait_until(lambda: not living(top), READY_S)
    shutil.rmtree(top)


def living(top):
    return [
        found
        for found in psutil.process_iter(["cmdline", "status"])
        if found.info["status"] != psutil.STATUS_ZOMBIE
        and any(str(top) in word for word in found.info["cmdline"] or ())
    ]


@functools.cache
def staging():
    """A folder for binaries that every account can reach, unlike a home's cache."""
    folder = tempfile.TemporaryDirectory(prefix="s3-engines-")
    Path(folder.name).chmod(0o755)
    return folder  # removed with the process


@functools.cache
def installed(engine, version):
    binary = engines.binary(engine)
    if binary is None:
        return None
    target = Path(staging().name) / engine
    shutil.copyfile(binary, target)
    target.chmod(0o755)
    return target


def made_secrets():
    def key():
        return base64.b64encode(secrets.token_bytes(32)).decode()

    return port.NodeSecrets(
        "ROOT" + secrets.token_hex(8).upper(), secrets.token_hex(20), key(), key()
    )


def made_spec(nodes, engine="minio", **values):
    defaults = {
        "node_id": uuid.uuid4(),
        "instance_id": uuid.uuid4(),
        "engine": engine,
        "engine_version": "1",
        "host": "127.0.0.1",
        "port": nodes.locate(set()).port,
        "secrets": made_secrets(),
    }
    return port.NodeSpec(**{**defaults, **values})


def free_port(first):
    return port_lock.pick("127.0.0.1", first, set())


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def nodes(root, clock):
    return LocalNodes(
        root, installed, clock=clock, start_wait_s=READY_S, first_port=FIRST_PORT
    )


@pytest.fixture(params=engines.available())
def spec(request, nodes):
    return made_spec(nodes, request.param)


def client(spec):
    return boto3.client(
        "s3",
        endpoint_url=f"http://{spec.host}:{spec.port}",
        aws_access_key_id=spec.secrets.access_key,
        aws_secret_access_key=spec.secrets.secret_key,
        region_name="us-east-1",
        config=Config(retries={"max_attempts": 0}, proxies={}),
    )


def put(spec, body):
    s3 = client(spec)
    s3.create_bucket(Bucket="kept")
    s3.put_object(Bucket="kept", Key="k", Body=body, ServerSideEncryption="AES256")


def get(spec):
    return client(spec).get_object(Bucket="kept", Key="k")["Body"].read()


def kill(status):
    found = process.identify(status.pid)
    os.kill(status.pid, signal.SIGKILL)
    assert process.wait_gone(found, READY_S)


def comes_to(look, status):
    """Whether `look` gives that status; an engine may answer late for a moment."""
    return process.wait_until(lambda: look() == status, READY_S)


def test_an_engine_starts_and_serves(nodes, spec, root):
    status = nodes.ensure(spec)

    assert (status.running, status.ready, status.reason) == (True, True, "Ready")
    put(spec, b"body")
    assert get(spec) == b"body"
    assert comes_to(lambda: nodes.status(spec), status)


def test_an_engine_is_alone_with_its_secrets(nodes, spec, root):
    status = nodes.ensure(spec)
    put(spec, b"body")
    found = psutil.Process(status.pid)
    own = folder.Folder(root, spec.instance_id)

    command = " ".join(found.cmdline())
    for name in ("access_key", "secret_key", "sse_master_key", "iam_master_key"):
        assert getattr(spec.secrets, name) not in command
        assert getattr(spec.secrets, name) not in own.log.read_text()
    assert os.getsid(status.pid) == status.pid
    assert {stat.S_IMODE(path.stat().st_mode) for path in files(own.path)} == {0o600}
    for path in (own.data, own.home, own.secrets):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
        assert path.stat().st_uid == found.uids().real


def files(path):
    return [
        entry for entry in path.rglob("*") if entry.is_file() and not entry.is_symlink()
    ]


def test_two_engines_share_no_account_where_that_can_be(nodes):
    one, two = (
        made_spec(nodes),
        made_spec(nodes, port=free_port(FIRST_PORT + 100)),
    )
    uids = [psutil.Process(nodes.ensure(x).pid).uids().real for x in (one, two)]

    if os.geteuid() == 0:
        assert len(set(uids)) == 2
        for uid in uids:
            assert account.FIRST_UID <= uid <= account.LAST_UID
        nodes.stop(one)
        assert psutil.Process(nodes.ensure(one).pid).uids().real == uids[0]
    else:
        assert set(uids) == {os.geteuid()}


def test_ensure_again_changes_nothing(nodes, spec):
    first = nodes.ensure(spec)

    assert comes_to(lambda: nodes.ensure(spec), first)


def test_a_second_service_adopts_the_engine_and_can_stop_it(nodes, spec, root):
    first = nodes.ensure(spec)
    again = LocalNodes(root, installed, start_wait_s=READY_S)

    assert comes_to(lambda: again.ensure(spec), first)
    again.stop(spec)

    assert process.identify(first.pid) is None
    assert again.status(spec).reason == "Stopped"
    assert nodes.status(spec).reason in ("Crashed", "Stopped")


def test_an_engine_without_a_record_is_replaced_and_not_doubled(nodes, spec, root):
    first = nodes.ensure(spec)
    put(spec, b"body")
    (root / str(spec.instance_id) / "run.json").unlink()

    second = LocalNodes(root, installed, start_wait_s=READY_S).ensure(spec)

    assert second.reason == "Ready"
    assert process.identify(first.pid) is None
    assert get(spec) == b"body"


def test_a_record_that_names_another_process_is_not_believed(nodes, spec, root):
    nodes.ensure(spec)
    nodes.stop(spec)
    me = process.identify(os.getpid())
    values = (spec.engine, spec.engine_version, spec.host, spec.port)
    folder.Folder(root, spec.instance_id).write_run(folder.Run(me, *values))
    again = LocalNodes(root, installed, start_wait_s=READY_S)

    assert again.status(spec).reason == "Stopped"
    again.stop(spec)
    assert again.ensure(spec).pid != os.getpid()


def test_a_killed_engine_is_started_after_its_backoff_with_its_data(nodes, spec, clock):
    first = nodes.ensure(spec)
    put(spec, b"body")

    kill(first)
    assert nodes.status(spec).reason == "Crashed"
    assert nodes.ensure(spec).reason == "Crashed"
    clock.now += 0.6
    second = nodes.ensure(spec)

    assert second.reason == "Ready"
    assert second.pid != first.pid
    assert get(spec) == b"body"


def test_an_engine_that_died_while_no_service_ran_starts_at_once(nodes, spec, root):
    kill(nodes.ensure(spec))

    assert LocalNodes(root, installed, start_wait_s=READY_S).ensure(spec).ready


def test_a_stopped_engine_keeps_its_data(nodes, spec):
    nodes.ensure(spec)
    put(spec, b"body")

    nodes.stop(spec)
    nodes.stop(spec)
    assert nodes.status(spec).reason == "Stopped"

    assert nodes.ensure(spec).ready
    assert get(spec) == b"body"


def test_another_version_replaces_the_running_one(nodes, spec):
    first = nodes.ensure(spec)
    newer = port.NodeSpec(**{**vars(spec), "engine_version": "2"})

    second = nodes.ensure(newer)

    assert second.ready
    assert second.pid != first.pid


def test_remove_deletes_everything_and_can_be_repeated(nodes, spec, root):
    status = nodes.ensure(spec)

    nodes.remove(spec)
    nodes.remove(spec)

    assert process.identify(status.pid) is None
    assert list(root.iterdir()) == []


def test_a_sweep_stops_an_engine_that_no_record_tells_of(nodes, spec, root):
    seen = nodes.ensure(spec)
    found = process.identify(seen.pid)
    (root / str(spec.instance_id) / "run.json").unlink()

    sweep.stop_all(root)

    assert process.wait_until(lambda: not process.alive(found), READY_S)


def test_remove_needs_neither_engine_nor_binary(nodes, spec, root):
    nodes.ensure(spec)
    nodes.stop(spec)

    LocalNodes(root, lambda engine, version: None).remove(spec)

    assert list(root.iterdir()) == []


def test_remove_goes_on_where_one_was_cut_short(nodes, spec, root):
    half = root / f".removed-{spec.instance_id}" / "data"
    half.mkdir(parents=True)

    nodes.remove(spec)

    assert list(root.iterdir()) == []


def test_a_missing_binary_is_a_status(root):
    nodes = LocalNodes(root, lambda engine, version: None)
    status = nodes.ensure(made_spec(nodes))

    assert (status.running, status.reason) == (False, "BinaryMissing")
    assert "engine install minio" in status.message


@pytest.mark.parametrize("options", [[], [socket.SO_REUSEPORT]])
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::1"])
def test_a_taken_port_is_a_status_and_never_another_port(nodes, options, host):
    spec = made_spec(nodes)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as somebody:
        for option in options:
            somebody.setsockopt(socket.SOL_SOCKET, option, 1)
        somebody.bind((host, spec.port))
        somebody.listen()

        status = nodes.ensure(spec)
        assert (status.running, status.reason) == (False, "PortTaken")
        assert str(spec.port) in status.message
        assert free_port(spec.port) != spec.port

    assert nodes.ensure(spec).ready


def test_two_services_never_share_a_port(nodes, spec, root):
    nodes.ensure(spec)
    others = LocalNodes(root.parent / "others", installed, start_wait_s=READY_S)
    rival = made_spec(others, spec.engine, port=spec.port)

    assert others.ensure(rival).reason == "PortTaken"
    nodes.stop(spec)
    assert others.ensure(rival).reason == "Ready"
    assert nodes.ensure(spec).reason == "PortTaken"


def test_the_lock_lasts_as_long_as_the_process_that_has_it(nodes):
    number = free_port(FIRST_PORT + 200)
    with port_lock.take("127.0.0.1", number) as lock:
        holder = subprocess.Popen(["sleep", "600"], pass_fds=[lock.fileno()])
    try:
        with pytest.raises(port_lock.PortTaken):
            port_lock.take("127.0.0.1", number)
    finally:
        holder.kill()
        holder.wait()
    port_lock.take("127.0.0.1", number).close()


def test_a_new_node_serves_where_no_other_one_does(nodes):
    first = nodes.locate(set())

    assert nodes.locate({first}).port > first.port


def test_an_engine_that_fails_backs_off_longer_each_time(root, clock):
    program = root.parent / "minio"
    program.write_text("#!/bin/sh\necho no space left\nexit 3\n")
    program.chmod(0o755)
    nodes = LocalNodes(
        root,
        lambda *_: program,
        clock=clock,
        start_wait_s=READY_S,
        first_port=FIRST_PORT,
    )
    spec = made_spec(nodes)

    waits = []
    for _ in range(9):
        status = nodes.ensure(spec)
        assert (status.running, status.reason) == (False, "Crashed")
        assert "no space left" in status.message
        start = clock.now
        while (root / str(spec.instance_id) / "engine.log").read_text().count("\n") == (
            len(waits) + 1
        ):
            clock.now += 0.25
            nodes.ensure(spec)
        waits.append(clock.now - start)
    assert waits == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


def test_a_binary_that_does_not_run_is_a_status(root):
    program = root.parent / "minio"
    program.write_bytes(b"\x7fELF not really")
    program.chmod(0o755)
    nodes = LocalNodes(root, lambda *_: program, first_port=FIRST_PORT)

    assert nodes.ensure(made_spec(nodes)).reason == "StartFailed"


def test_default_credentials_are_never_started(nodes):
    bad = port.NodeSecrets("minioadmin", "minioadmin", "", "")
    status = nodes.ensure(made_spec(nodes, secrets=bad))

    assert (status.running, status.reason) == (False, "StartFailed")


def test_a_hung_engine_is_not_answering(nodes, clock, spec):
    status = nodes.ensure(spec)
    os.kill(status.pid, signal.SIGSTOP)
    try:
        assert process.wait_until(lambda: not nodes.status(spec).ready, READY_S)
        status = nodes.status(spec)
        assert (status.running, status.reason) == (True, "NotAnswering")
    finally:
        os.kill(status.pid, signal.SIGCONT)

    assert process.wait_until(lambda: nodes.status(spec).ready, READY_S)


def test_a_large_log_is_moved_aside_at_the_start(nodes, root):
    spec = made_spec(nodes)
    own = folder.Folder(root, spec.instance_id)
    nodes.ensure(spec)
    nodes.stop(spec)
    with own.log.open("ab") as log:
        log.truncate((10 << 20) + 1)

    nodes.ensure(spec)

    assert own.log.stat().st_size < 1 << 20
    assert own.log.with_name("engine.log.1").stat().st_size > 10 << 20


def test_an_ordinary_user_can_run_engines(root):
    """As root: in a child that has become nobody; else the tests do it anyhow."""

    def serve():
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        nodes = LocalNodes(
            root,
            lambda *_: program,
            start_wait_s=READY_S,
            first_port=FIRST_PORT,
        )
        spec = made_spec(nodes)
        status = nodes.ensure(spec)
        assert status.ready
        assert psutil.Process(status.pid).uids().real == os.getuid()
        again = LocalNodes(root, lambda *_: program)
        assert comes_to(lambda: again.ensure(spec), status)
        nodes.remove(spec)
        assert list(root.iterdir()) == []

    # The cache may lie where nobody can read it.
    program = shutil.copy(engines.binary("minio"), root.parent / "minio")
    root.parent.chmod(0o777)

    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            serve()
            status = 0
        except BaseException:  # noqa: BLE001 - told by the exit status
            traceback.print_exc()
        finally:
            os._exit(status)
    assert os.waitpid(pid, 0)[1] == 0


def test_a_client_can_not_name_its_own_address(nodes, spec):
    """X-Forwarded-For must not satisfy a condition on the address."""
    nodes.ensure(spec)
    put(spec, b"body")
    client(spec).put_object(Bucket="kept", Key="open", Body=b"open")
    allow(spec, "203.0.113.7/32")
    with httpx.Client(trust_env=False) as http:
        url = f"http://127.0.0.1:{spec.port}/kept/open"
        forged = {"X-Forwarded-For": "203.0.113.7"}
        assert http.get(url).status_code == 403
        assert http.get(url, headers=forged).status_code == 403

        allow(spec, "127.0.0.0/8")
        assert process.wait_until(lambda: http.get(url).status_code == 200, READY_S)
        assert http.get(url, headers=forged).status_code == 200


def allow(spec, network):
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": ["*"]},
        "Action": ["s3:GetObject"],
        "Resource": ["arn:aws:s3:::kept/*"],
        "Condition": {
            "IpAddress": {"aws:SourceIp": network},
            "StringEquals": {"aws:principaltype": "Anonymous"},
        },
    }
    document = {"Version": "2012-10-17", "Statement": [statement]}
    client(spec).put_bucket_policy(Bucket="kept", Policy=json.dumps(document))
