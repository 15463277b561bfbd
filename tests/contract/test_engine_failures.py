"""What the adapters raise when an engine is away, not ready or not an engine."""

import contextlib
import http.server
import logging
import secrets
import socket
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor

import pytest

from exordos_paas_storage.domain import capabilities, errors, policy, state
from exordos_paas_storage.engine import port, s3
from exordos_paas_storage.engine.connect import connect
from tests.contract.made import key_id, made_bucket, made_user, unique

ROOT = state.Credentials("rootuser", "root-secret-that-nobody-may-read")
SECRET = "tenant-secret-that-nobody-may-read-00000"

READS = {
    "version": (),
    "bucket": ("bucket",),
    "encryption_effective": ("bucket",),
    "count_objects": ("bucket", 1),
    "buckets": (),
    "policy": ("policy",),
    "user": ("user",),
    "users": (),
    "access_keys": (),
    "access_key": ("AK000000000000000001",),
    "refuses_key": ("AK000000000000000001",),
}
WRITES = {
    "create_bucket": ("bucket",),
    "set_versioning": ("bucket", True),
    "set_encryption": ("bucket", "aes256"),
    "drop_bucket": ("bucket",),
    "put_policy": (state.Policy("policy", policy.from_template("read-only")),),
    "drop_policy": ("policy",),
    "add_user": ("user", SECRET),
    "set_user_enabled": ("user", False),
    "map_policies": ("user", frozenset(["policy"])),
    "drop_user": ("user",),
    "add_access_key": (state.AccessKey("AK000000000000000001", "user"), SECRET),
    "drop_access_key": ("AK000000000000000001",),
}
CALLS = READS | WRITES


@pytest.fixture(params=capabilities.ENGINES)
def adapter(request):
    """Makes the adapter of either engine for an address; no engine need run."""
    return lambda url: connect(request.param, "", url, ROOT)


@contextlib.contextmanager
def _answering(status, body):
    """A web server that answers every request alike."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self):
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(status)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(b"" if self.command == "HEAD" else body)

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = answer

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def _texts(error):
    return f"{error} {error!r} {''.join(traceback.format_exception(error))}"


def test_the_calls_above_are_the_whole_port():
    methods = {name for name in vars(port.Engine) if not name.startswith("_")}

    assert set(CALLS) == methods


@pytest.mark.parametrize("method", CALLS)
def test_no_engine_at_the_address_is_unavailable(adapter, method):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # held, and nobody listens
        engine = adapter(f"http://127.0.0.1:{silent.getsockname()[1]}")

        with pytest.raises(errors.EngineUnavailable) as caught:
            getattr(engine, method)(*CALLS[method])

    assert SECRET not in _texts(caught.value)
    assert ROOT.secret_key not in _texts(caught.value)


@pytest.mark.parametrize("method", CALLS)
def test_an_engine_that_is_starting_is_unavailable(adapter, method):
    with _answering(503, b"Service not ready: waiting for storage") as url:
        with pytest.raises(errors.EngineUnavailable):
            getattr(adapter(url), method)(*CALLS[method])


@pytest.mark.parametrize("method", CALLS)
def test_a_404_of_something_else_is_neither_absence_nor_success(adapter, method):
    with _answering(404, b"<html>Not found</html>") as url:
        with pytest.raises(errors.EngineRefused) as caught:
            getattr(adapter(url), method)(*CALLS[method])

    assert caught.value.status == 404


@pytest.mark.parametrize("method", READS)
def test_a_page_of_something_else_is_not_an_answer(adapter, method):
    with _answering(200, b"<html>It works</html>") as url:
        with pytest.raises(errors.EngineRefused):
            getattr(adapter(url), method)(*READS[method])


@pytest.mark.parametrize(
    "body",
    [
        b'<?xml version="1.0"?><Error><Code>PolicyTooLarge</Code></Error>',
        b'{"Code": "PolicyTooLarge", "Message": "too large"}',
    ],
)
def test_a_refusal_carries_the_engines_code(adapter, body):
    with _answering(400, body) as url:
        with pytest.raises(errors.EngineRefused) as caught:
            adapter(url).put_policy(state.Policy("large", {}))

    assert (caught.value.status, caught.value.code) == (400, "PolicyTooLarge")
    assert "add-canned-policy" in str(caught.value)


def test_a_real_refusal_carries_the_engines_code_and_no_secret(real):
    malformed = {"Version": "1999-01-01", "Statement": []}
    with pytest.raises(errors.EngineRefused) as caught:
        real.engine.put_policy(state.Policy(unique("policy"), malformed))
    assert caught.value.status in (400, 500)
    assert not caught.value.code.isdigit()

    short = secrets.token_hex(3)
    with pytest.raises(errors.EngineRefused) as caught:
        real.engine.add_user(unique("user"), short)
    assert short not in _texts(caught.value)
    assert real.root.secret_key not in _texts(caught.value)


def test_a_wrong_root_secret_is_refused(real):
    wrong = state.Credentials(real.root.access_key, ROOT.secret_key)
    engine = connect(real.engine.capabilities.engine, "", real.url, wrong)

    for method in ("bucket", "policy", "user", "access_key"):
        with pytest.raises(errors.EngineRefused) as caught:
            getattr(engine, method)(*READS[method])
        assert ROOT.secret_key not in _texts(caught.value)


def test_no_secret_is_logged(real, caplog):
    caplog.set_level(logging.DEBUG)
    user, secret = unique("user"), secrets.token_hex(20)

    real.engine.add_user(user, secret)
    real.engine.add_access_key(state.AccessKey(key_id(), user), secret)
    real.engine.bucket(made_bucket(real.engine))

    assert caplog.text
    assert secret not in caplog.text
    assert real.root.secret_key not in caplog.text


def test_an_engine_is_shared_by_threads(engine):
    def work(_):
        user, bucket = made_user(engine), made_bucket(engine)
        key = state.AccessKey(key_id(), user)
        engine.add_access_key(key, secrets.token_hex(20))
        return (
            engine.user(user) == state.User(user)
            and engine.bucket(bucket) == state.Bucket(bucket)
            and engine.access_key(key.access_key) == key
        )

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(16)))


def test_the_running_version_is_reported(engine):
    assert engine.version()


def test_the_environment_of_aws_tools_does_not_matter(monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "of-somebody-else")
    s3._session.cache_clear()

    assert connect("minio", "", "http://127.0.0.1:1", ROOT)


def test_an_unknown_engine_is_an_invalid_value():
    with pytest.raises(errors.InvalidValue):
        connect("ceph", "", "http://127.0.0.1:1", ROOT)
