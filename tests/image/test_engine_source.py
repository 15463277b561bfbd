"""Where the role takes the engine from; nothing is trusted unseen."""

import functools
import hashlib
import http.server
import threading
import zipfile

import pytest

from exordos_paas_storage.nodes import image
from tests.image import play, trees


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"engine_sha256": ""}, "known before it is used"),
        ({"engine_version": "latest"}, "never the latest"),
        (
            {"engine_binary": "", "engine_url": "http://localhost/rustfs-latest.zip"},
            "never the latest",
        ),
        ({"engine_binary": ""}, "say where the engine is"),
        ({"engine_url": "http://localhost/rustfs.zip"}, "say where the engine is"),
        ({"engine_name": "swift"}, "must be one of minio, rustfs"),
    ],
    ids=str,
)
def test_what_is_not_pinned_is_refused(changed, given, said):
    played = play.play(changed, {**play.variables("minio"), **given})

    assert not played.ok
    assert said in " ".join(played.output.split())
    assert played.changed == 0


def test_another_binary_is_refused(bare, tmp_path):
    (tmp_path / "minio").write_text("not an engine")
    given = {**play.variables("minio"), "engine_binary": str(tmp_path / "minio")}

    with bare.copy() as tree:
        played = play.part("engine_file", tree, given)

        assert "is another file than the one with" in played.output
        assert not trees.inside(tree, image.LIB_DIR / "minio").exists()


def test_a_release_is_fetched_by_its_sum(changed, release):
    url, sha256, content = release("release.zip")
    given = fetching(url, sha256)

    first = play.part("engine_release", changed, given)
    second = play.part("engine_release", changed, given)

    assert first.ok and first.changed > 0, first.output
    assert second.ok and second.changed == 0, second.output
    installed = trees.inside(changed, image.LIB_DIR / "minio")
    assert installed.read_bytes() == content
    assert installed.stat().st_mode & 0o7777 == 0o755


def test_a_release_may_be_the_bare_binary(changed, release):
    url, sha256, content = release("minio-1.0")

    assert play.part("engine_release", changed, fetching(url, sha256)).ok
    installed = trees.inside(changed, image.LIB_DIR / "minio")
    assert installed.read_bytes() == content


def test_a_changed_release_is_refused(changed, release):
    url, _, content = release("release.zip")

    played = play.part("engine_release", changed, fetching(url, "0" * 64))

    assert not played.ok
    assert "checksum" in played.output
    installed = trees.inside(changed, image.LIB_DIR / "minio")
    assert installed.read_bytes() != content


@pytest.fixture
def release(tmp_path):
    """Serves a release of that name; its address and sha256, the binary in it."""

    def make(name):
        content = b"#!/bin/sh\n"
        file = tmp_path / name
        if file.suffix == ".zip":
            with zipfile.ZipFile(file, "w") as made:
                made.writestr("minio", content)
        else:
            file.write_bytes(content)
        sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
        return f"http://127.0.0.1:{server.server_port}/{file.name}", sha256, content

    handler = functools.partial(Quiet, directory=tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield make
        server.shutdown()


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, *_):
        pass


def fetching(url, sha256):
    """The role's variables for a release."""
    given = {"engine_binary": "", "engine_url": url, "engine_sha256": sha256}
    return {**play.variables("minio"), **given}
