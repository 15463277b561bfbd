"""Which binary an image gets, and that none is trusted for what its server says."""

import functools
import hashlib
import http.server
import io
import json
import platform
import threading
import zipfile

import pytest
from node_image import engine

from exordos_paas_storage.domain import errors
from exordos_paas_storage.onebox import engine_rustfs, engines

BINARY = b"#!/bin/sh\n"
VERSION = "9.9.9"


@pytest.fixture
def environ(tmp_path):
    """An empty cache of engines."""
    return {"EXORDOS_STORAGE_CACHE": str(tmp_path / "cache")}


@pytest.fixture
def put(tmp_path):
    """Puts an engine into that cache."""

    def place(name, version=None, provenance=None):
        version = version or engines.VERSIONS[name]
        path = tmp_path / "cache" / "engines" / f"{name}-{version}" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(BINARY)
        path.chmod(0o755)
        if provenance:
            path.with_name("provenance.json").write_text(json.dumps(provenance))
        return path

    return place


@pytest.fixture
def release(tmp_path):
    """A server with one release; its address, and the sha256 of its archive."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("rustfs", BINARY)
    name = f"rustfs-linux-{platform.machine()}-musl-v{VERSION}.zip"
    sha256 = hashlib.sha256(packed.getvalue()).hexdigest()
    folder = tmp_path / "releases" / VERSION
    folder.mkdir(parents=True)
    (folder / name).write_bytes(packed.getvalue())
    (folder / "SHA256SUMS").write_text(f"{sha256}  {name}\n")

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            """Nothing."""

    serve = functools.partial(Handler, directory=folder.parent)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), serve)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", sha256
    server.shutdown()
    server.server_close()


def test_rustfs_comes_first(environ, put):
    put("minio")
    path = put("rustfs")

    found = engine.at_hand(None, environ)

    assert (found.name, found.version) == ("rustfs", engines.VERSIONS["rustfs"])
    assert found.binary == path
    assert found.sha256 == hashlib.sha256(BINARY).hexdigest()


def test_minio_where_no_rustfs_is(environ, put):
    put("minio")

    assert engine.at_hand(None, environ).name == "minio"


def test_the_one_that_was_asked_for(environ, put):
    put("minio")
    put("rustfs")

    assert engine.at_hand("minio", environ).name == "minio"


def test_nothing_at_hand_is_said_and_nothing_is_fetched(environ):
    with pytest.raises(errors.SetupError, match="exordos-storage engine install minio"):
        engine.at_hand(None, environ)
    with pytest.raises(
        errors.SetupError, match="exordos-storage engine install rustfs"
    ):
        engine.at_hand("rustfs", environ)


def test_the_record_of_its_origin_comes_along(environ, put):
    put("minio", provenance={"from": "the Go proxy", "sha256": "1"})

    assert engine.at_hand("minio", environ).provenance == {
        "from": "the Go proxy",
        "sha256": "1",
    }


def test_a_missing_record_is_said(environ, put):
    put("minio")

    said = engine.at_hand("minio", environ).provenance
    assert "without a record" in said["from"]


def test_a_release_of_unknown_checksum_is_refused(tmp_path):
    # Nobody answers there, and nobody is asked.
    with pytest.raises(errors.SetupError, match="--engine-sha256") as refused:
        engine.from_release(VERSION, None, tmp_path, "http://127.0.0.1:9")

    assert not isinstance(refused.value, engine_rustfs.NotReachable)
    assert list(tmp_path.iterdir()) == []


def test_a_release_of_the_named_checksum_is_taken(tmp_path, release):
    address, sha256 = release

    found = engine.from_release(VERSION, sha256, tmp_path, address)

    assert found.binary.read_bytes() == BINARY
    assert (found.name, found.version) == ("rustfs", VERSION)
    assert found.sha256 == hashlib.sha256(BINARY).hexdigest()
    assert found.provenance["sha256"] == sha256


def test_a_release_of_another_checksum_is_refused(tmp_path, release):
    address, _ = release

    with pytest.raises(errors.SetupError, match="has sha256"):
        engine.from_release(VERSION, "0" * 64, tmp_path, address)


def test_an_accepted_release_does_not_stand_for_another_checksum(tmp_path, release):
    address, sha256 = release
    engine.from_release(VERSION, sha256, tmp_path, address)

    with pytest.raises(errors.SetupError, match="has sha256"):
        engine.from_release(VERSION, "0" * 64, tmp_path, address)


@pytest.mark.parametrize("sha256", ["", "abc", "G" * 64, "A" * 64, "../" + "a" * 61])
def test_what_is_no_checksum_is_refused(sha256, tmp_path):
    with pytest.raises(errors.SetupError, match="sha256"):
        engine.from_release(VERSION, sha256, tmp_path, "http://127.0.0.1:9")


def test_a_file_is_taken_as_it_is_described(tmp_path):
    binary = tmp_path / "a"
    binary.write_bytes(BINARY)

    found = engine.from_file("minio", "1", binary)

    assert (found.name, found.version) == ("minio", "1")
    assert found.sha256 == hashlib.sha256(BINARY).hexdigest()
    engine.check_sum(found, None)
    engine.check_sum(found, found.sha256)
    with pytest.raises(errors.SetupError, match="not the file that was meant"):
        engine.check_sum(found, "0" * 64)


@pytest.mark.parametrize(("name", "version"), [(None, "1"), ("minio", None)])
def test_a_file_that_is_not_described_is_refused(name, version, tmp_path):
    with pytest.raises(errors.SetupError, match="--engine-version"):
        engine.from_file(name, version, tmp_path)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(errors.SetupError, match="is no file"):
        engine.from_file("minio", "1", tmp_path / "a")
