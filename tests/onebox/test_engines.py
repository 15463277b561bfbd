"""Getting an engine: releases from a server of the test, builds by a Go of the test."""

import hashlib
import http.server
import io
import json
import os
import shutil
import socket
import stat
import threading
import time
import zipfile

import click.testing
import pytest

from exordos_paas_storage.domain import errors
from exordos_paas_storage.onebox import (
    engine_cache,
    engine_commands,
    engine_minio,
    engine_rustfs,
    engines,
    statedir,
)
from tests import engines as real_engines

ARCHIVE = "rustfs-linux-x86_64-musl-v1.0.1.zip"
PROGRAM = b"#!/bin/sh\necho rustfs 1.0.1\n"


class Releases:
    """A release server on loopback: its files, and what was asked for."""

    def __init__(self):
        self.files = {}
        self.asked = []
        releases = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                releases.asked.append(f"{self.command} {self.path}")
                body = releases.files.get(self.path)
                self.send_response(404 if body is None else 200)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(body or b"")

            do_HEAD = do_GET

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/download"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def release(self, content, listed=None):
        sha256 = hashlib.sha256(content).hexdigest()
        self.files = {
            f"/download/1.0.1/{ARCHIVE}": content,
            "/download/1.0.1/SHA256SUMS": (
                f"{'0' * 64}  other.zip\n{listed or sha256}  {ARCHIVE}\n".encode()
            ),
        }
        return sha256


def zipped(**members):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/"), content)
    return packed.getvalue()


@pytest.fixture
def releases(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    made = Releases()
    made.release(zipped(rustfs=PROGRAM, LICENSE=b"Apache"))
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def cache(tmp_path):
    return engine_cache.EngineCache(tmp_path / "cache")


@pytest.fixture
def install(cache, releases):
    def run(**values):
        defaults = {"releases": releases.url, "machine": "x86_64"}
        return engine_rustfs.install(cache, **{**defaults, **values})

    return run


def refusal(call, kind=errors.SetupError):
    with pytest.raises(kind) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def entries(cache):
    return sorted(p.name for p in cache.path.iterdir() if p.name != ".lock")


# RustFS: a release


def test_a_release_is_installed_once(install, cache, releases):
    seen = []
    path = install(progress=lambda *values: seen.append(values))

    assert path == cache.path / "rustfs-1.0.1" / "rustfs"
    assert path.read_bytes() == PROGRAM
    assert os.access(path, os.X_OK)
    assert seen[-1][1] == seen[-1][2] > 0
    assert entries(cache) == ["lock.json", "rustfs-1.0.1"]

    asked = list(releases.asked)
    assert install() == path
    assert releases.asked == asked


def test_what_was_accepted_is_remembered(install, cache, releases):
    sha256 = releases.release(zipped(rustfs=PROGRAM))

    install()

    assert json.loads((cache.path / "lock.json").read_text()) == {ARCHIVE: sha256}


def test_it_lies_beside_the_binary_where_that_came_from(install, releases):
    sha256 = releases.release(zipped(rustfs=PROGRAM))

    told = json.loads((install().parent / "provenance.json").read_text())

    assert told == {"from": f"{releases.url}/1.0.1/{ARCHIVE}", "sha256": sha256}


def test_a_wrong_sum_is_refused(install, cache, releases):
    releases.release(zipped(rustfs=PROGRAM), listed="1" * 64)

    assert "has sha256" in refusal(install)

    assert entries(cache) == []


def test_a_release_without_a_sum_is_refused(install, releases):
    releases.files["/download/1.0.1/SHA256SUMS"] = b""

    assert "does not list" in refusal(install)


def test_a_pin_counts_more_than_the_release(install, releases):
    assert "has sha256" in refusal(lambda: install(pins={ARCHIVE: "2" * 64}))

    sha256 = releases.release(zipped(rustfs=PROGRAM), listed="1" * 64)
    assert install(pins={ARCHIVE: sha256}).exists()


def test_a_release_that_was_changed_later_is_refused(install, cache, releases):
    path = install()
    shutil.rmtree(path.parent)
    releases.release(zipped(rustfs=PROGRAM + b"# and more\n"))

    text = refusal(install)

    assert "its release was changed" in text
    assert str(cache.accepted_file) in text
    assert cache.find("rustfs", "1.0.1") is None


@pytest.mark.parametrize(
    "content",
    [
        zipped(LICENSE=b"Apache"),
        zipped(a__rustfs=PROGRAM, b__rustfs=PROGRAM),
        b"no archive",
    ],
)
def test_an_archive_without_the_one_binary_is_refused(
    install, cache, releases, content
):
    releases.release(content)

    refusal(install)

    assert entries(cache) == []


def test_a_member_can_not_choose_where_it_is_written(install, tmp_path, releases):
    releases.release(zipped(**{"..__..__rustfs": PROGRAM}))

    install()

    assert not list(tmp_path.glob("rustfs"))


def test_a_release_that_is_not_there_is_not_reachable(install, releases):
    releases.files = {}

    assert "404" in refusal(install, engine_rustfs.NotReachable)


def test_a_closed_port_is_not_reachable(install):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"

        refusal(lambda: install(releases=url), engine_rustfs.NotReachable)


def test_a_silent_server_is_not_reachable_in_time(install):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        start = time.monotonic()

        text = refusal(
            lambda: install(releases=url, reach_s=0.5), engine_rustfs.NotReachable
        )

    assert "could not be reached" in text
    assert time.monotonic() - start < 30


def test_a_machine_without_a_release_is_told_what_to_do(install):
    assert "riscv64" in refusal(lambda: install(machine="riscv64"))


def test_too_little_space_is_refused_before_the_download(install, releases):
    assert "MiB free" in refusal(lambda: install(need_bytes=1 << 60))
    assert f"GET /download/1.0.1/{ARCHIVE}" not in releases.asked


def test_an_install_cut_short_does_not_count_and_is_swept(install, cache):
    half = cache.path / ".part-killed" / "rustfs-1.0.1"
    half.mkdir(parents=True)
    (half / "rustfs").write_text("half")
    assert cache.entries() == []

    install()

    assert entries(cache) == ["lock.json", "rustfs-1.0.1"]


def test_two_at_once_download_once(install, releases):
    threads = [threading.Thread(target=install) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert releases.asked.count(f"GET /download/1.0.1/{ARCHIVE}") == 1
    assert install().exists()


# MinIO: a build


@pytest.fixture
def go(tmp_path):
    """A `go` that builds nothing: what it says of itself and of a binary are files."""
    folder = tmp_path / "go-bin"
    folder.mkdir()
    program = folder / "go"
    program.write_text(
        f"""#!/bin/sh
cd {folder}
case "$1 $2" in
"version ") cat version ;;
"version -m") cat source ;;
"install -v")
    env | grep -E '^GO(PATH|MODCACHE|CACHE|BIN|TMPDIR)=' > environment
    mkdir -p "$GOPATH/mod" "$GOBIN"
    echo github.com/minio/minio/cmd
    cat failure 2>/dev/null && exit 1
    echo '#!/bin/sh' > "$GOBIN/minio" ;;
esac
"""
    )
    program.chmod(0o755)
    (folder / "version").write_text("go version go1.26.8 linux/amd64\n")
    mod = f"\tmod\t{engine_minio.MODULE}\tv{engine_minio.VERSION}"
    (folder / "source").write_text(f"minio: go1.26.8\n{mod}\t{engine_minio.PIN}\n")
    return folder


def build(cache, go, **values):
    environ = {"PATH": f"{go}:/usr/bin:/bin"}
    return engine_minio.install(cache, environ=environ, need_bytes=0, **values)


def test_a_build_is_installed_and_leaves_nothing_else(cache, go):
    seen = []
    path = build(cache, go, progress=lambda *values: seen.append(values))

    assert path == cache.path / f"minio-{engine_minio.VERSION}" / "minio"
    assert engine_minio.PIN in (path.parent / "provenance.json").read_text()
    assert entries(cache) == [f"minio-{engine_minio.VERSION}"]
    assert seen[-1][1] == 1
    for line in (go / "environment").read_text().splitlines():
        assert line.split("=")[1].startswith(f"{cache.path}/.part-")


def test_a_build_of_another_source_is_refused(cache, go):
    source = (go / "source").read_text()
    (go / "source").write_text(source.replace("h1:/", "h1:x"))

    assert "pinned sum" in refusal(lambda: build(cache, go))

    assert entries(cache) == []


def test_a_failed_build_is_told_and_leaves_nothing(cache, go):
    (go / "failure").write_text("dial tcp: lookup proxy.golang.org: no such host\n")

    assert "no such host" in refusal(lambda: build(cache, go))

    assert entries(cache) == []


def test_a_build_needs_space(cache, go):
    environ = {"PATH": str(go)}

    text = refusal(
        lambda: engine_minio.install(cache, environ=environ, need_bytes=1 << 60)
    )

    assert "MiB free" in text
    assert not (go / "environment").exists()


@pytest.mark.parametrize(
    ("version", "found"), [("1.24.0", True), ("1.23.9", False), ("2.0", True)]
)
def test_an_old_go_is_not_taken(go, version, found):
    (go / "version").write_text(f"go version go{version} linux/amd64\n")

    path = f"{go}{os.pathsep}{os.defpath}"  # the stand-in itself calls cat
    assert bool(engine_minio.find_go({"PATH": path})) is found


def test_no_go_is_found_where_there_is_none(tmp_path):
    assert engine_minio.find_go({"PATH": str(tmp_path)}) is None


# Choosing


@pytest.fixture
def choose(cache):
    """`engines.choose`; an engine that `fetched` does not have can't be reached."""

    def run(preferred=None, environ=None, fetched=(), say=print):
        def fetch(engine):
            if engine not in fetched:
                raise engine_rustfs.NotReachable("its release could not be reached")
            return have(cache, engine)

        install = {name: lambda name=name: fetch(name) for name in engines.VERSIONS}
        return engines.choose(
            preferred, cache=cache, environ=environ or {}, install=install, say=say
        )

    return run


def have(cache, engine):
    path = cache.path / f"{engine}-{engines.VERSIONS[engine]}" / engine
    path.parent.mkdir(parents=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def named(tmp_path, engine, answer):
    path = tmp_path / f"my-{engine}"
    path.write_text(f"#!/bin/sh\necho {answer}\n")
    path.chmod(0o755)
    return {engines.VARIABLES[engine]: str(path)}


@pytest.mark.parametrize(
    ("preferred", "cached", "fetched", "expected"),
    [
        (None, ["rustfs", "minio"], [], "rustfs"),
        (None, ["minio"], ["rustfs"], "rustfs"),
        (None, ["minio"], [], "minio"),
        (None, [], ["minio"], "minio"),
        ("minio", ["rustfs", "minio"], ["rustfs"], "minio"),
        ("minio", ["rustfs"], ["minio"], "minio"),
        ("rustfs", ["minio"], ["rustfs"], "rustfs"),
    ],
)
def test_what_is_chosen(choose, cache, preferred, cached, fetched, expected):
    for engine in cached:
        have(cache, engine)

    choice = choose(preferred, fetched=fetched)

    assert (choice.engine, choice.version) == (expected, engines.VERSIONS[expected])
    assert choice.path == cache.find(expected, choice.version)
    assert "\n" not in choice.why


def test_the_second_choice_says_why(choose, cache):
    have(cache, "minio")

    assert choose().why == (
        "MinIO: RustFS 1.0.1 is not in the cache and its release could not be reached"
    )


def test_what_is_built_in_place_of_the_first_choice_is_told_before(choose, cache):
    built = []

    def say(line):
        built.append(cache.find("minio", engines.VERSIONS["minio"]))
        assert line == (
            "RustFS 1.0.1 is not in the cache and its release could not be reached:"
            " MinIO is built in its place, once"
        )

    assert choose(fetched=["minio"], say=say).path
    assert built == [None]


def test_a_preferred_engine_has_no_second_choice(choose, cache):
    have(cache, "minio")

    refusal(lambda: choose("rustfs"), engine_rustfs.NotReachable)


def test_a_wrong_checksum_is_no_reason_for_minio(choose, cache, releases):
    have(cache, "minio")
    releases.release(zipped(rustfs=PROGRAM), listed="1" * 64)
    install = engines.installers(cache, {}, releases=releases.url)

    text = refusal(
        lambda: engines.choose(None, cache=cache, environ={}, install=install)
    )

    assert "sha256" in text


def test_a_named_binary_is_taken_with_its_version(choose, tmp_path):
    choice = choose(environ=named(tmp_path, "rustfs", "rustfs 1.2.3"))

    assert (choice.engine, choice.version) == ("rustfs", "1.2.3")
    assert choice.path == tmp_path / "my-rustfs"
    assert "EXORDOS_STORAGE_RUSTFS names it" in choice.why


def test_a_named_release_of_minio_tells_its_version(choose, tmp_path):
    environ = named(tmp_path, "minio", "minio version RELEASE.2025-09-07T16-13-09Z")

    assert choose("minio", environ).version == "RELEASE.2025-09-07T16-13-09Z"


def test_the_version_of_a_built_minio_is_its_source(choose):
    path = real_engines.binary("minio")

    choice = choose("minio", {"EXORDOS_STORAGE_MINIO": str(path)})

    assert choice.version == engine_minio.VERSION


@pytest.mark.parametrize("kind", ["missing", "not executable", "a folder", "broken"])
def test_a_named_binary_that_can_not_be_used_is_refused(choose, tmp_path, kind):
    path = tmp_path / "engine"
    if kind == "a folder":
        path.mkdir()
    elif kind != "missing":
        path.write_bytes(b"\x7fELF not really")
        path.chmod(0o755 if kind == "broken" else 0o644)

    text = refusal(lambda: choose(environ={"EXORDOS_STORAGE_RUSTFS": str(path)}))

    assert "EXORDOS_STORAGE_RUSTFS names" in text


def test_an_unknown_engine_is_refused(choose):
    assert "ceph" in refusal(lambda: choose("ceph"))


# Staging


@pytest.fixture
def state(tmp_path):
    made = statedir.StateDir(tmp_path / "state")
    made.create()
    return made


def test_a_staged_engine_is_found_and_can_be_run_by_all(choose, cache, state):
    have(cache, "minio")
    choice = choose("minio")
    find = engines.staged(state)
    assert find("minio", choice.version) is None

    path = engines.stage(choice, state)
    assert engines.stage(choice, state) == path

    assert find("minio", choice.version) == path
    assert path == state.engines / f"minio-{choice.version}" / "minio"
    assert path.samefile(choice.path)  # no second copy of 150 MB
    assert stat.S_IMODE(path.stat().st_mode) == 0o755
    assert [entry.name for entry in path.parent.iterdir()] == ["minio"]


def test_a_binary_that_others_may_write_is_copied(choose, tmp_path, state):
    environ = named(tmp_path, "minio", "minio version 1")
    (tmp_path / "my-minio").chmod(0o777)

    path = engines.stage(choose("minio", environ), state)

    assert not path.samefile(tmp_path / "my-minio")
    assert stat.S_IMODE(path.stat().st_mode) == 0o755


def test_a_staged_engine_outlives_the_cache_and_is_replaced_whole(choose, cache, state):
    have(cache, "minio")
    choice = choose("minio")
    path = engines.stage(choice, state)
    choice.path.unlink()
    choice.path.write_text("#!/bin/sh\n# another\n")
    choice.path.chmod(0o755)
    assert "another" not in path.read_text()

    engines.stage(choice, state)

    assert "another" in path.read_text()


# The command


def test_the_command_lists_and_installs(cache, monkeypatch):
    have(cache, "minio")
    monkeypatch.setenv("EXORDOS_STORAGE_CACHE", str(cache.path.parent))
    for variable in engines.VARIABLES.values():
        monkeypatch.delenv(variable, raising=False)
    run = click.testing.CliRunner().invoke
    line = f"minio {engine_minio.VERSION} {cache.path}/minio-{engine_minio.VERSION}"

    listed = run(engine_commands.engine, ["list"])
    installed = run(engine_commands.engine, ["install", "minio"])

    assert listed.output == installed.output == f"{line}/minio\n"
    assert run(engine_commands.engine, ["install", "ceph"]).exit_code == 2


def test_a_damaged_record_of_what_was_accepted_is_refused(install, cache):
    cache.path.mkdir(parents=True)
    cache.accepted_file.write_text("[")

    assert "damaged" in refusal(install)


def test_a_cache_that_can_not_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    cache = engine_cache.EngineCache(tmp_path / "file")

    def hold():
        with cache.installing(0):
            pass

    assert "EXORDOS_STORAGE_CACHE" in refusal(hold)


def test_a_bad_version_is_no_path(cache):
    assert "no version" in refusal(lambda: cache.find("minio", "../../etc"))
