"""The tree of Debian: a recipe and a state of the mirror give its packages."""

import dataclasses
import email.utils
import http.server
import json
import threading

import httpx
import pytest
from node_image import mirror, packages, rootfs

from exordos_paas_storage.domain import errors

SUITES = ("bookworm", "bookworm-updates", "bookworm-security")


@pytest.fixture
def serve():
    """Serves given contents by path, and keeps which paths were asked for."""
    servers = []

    def start(contents):
        asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.path)
                content = contents.get(self.path)
                self.send_response(404 if content is None else 200)
                self.end_headers()
                self.wfile.write(content or b"")

            def log_message(self, *_):
                """Nothing: requests are kept."""

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}", asked

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def cached(tmp_path):
    """A cache with a tree of the present recipe."""
    about = {"recipe": rootfs.recipe().digest(), "mirror": {"suites": []}}
    (tmp_path / "tree-0.tar").write_bytes(b"tree")
    (tmp_path / "tree-0.json").write_text(json.dumps(about))
    return tmp_path


def test_the_list_of_packages_of_a_tar_is_always_the_same(rootfs_tar):
    first, second = packages.of_tar(rootfs_tar), packages.of_tar(rootfs_tar)

    assert first == second
    lines = first.splitlines()
    assert lines == sorted(set(lines))
    assert all(len(line.split()) == 3 for line in lines)
    assert set(rootfs.PACKAGES) <= {line.split()[0] for line in lines}


def test_a_tree_says_what_it_was_made_from(rootfs_tar):
    about = rootfs.made_from(rootfs_tar)

    assert about["recipe"] == rootfs.recipe().digest()
    assert [suite["name"] for suite in about["mirror"]["suites"]] == list(SUITES)
    for suite in about["mirror"]["suites"]:
        assert len(suite["sha256"]) == 64
        assert email.utils.parsedate_to_datetime(suite["date"]).year >= 2023


@pytest.mark.parametrize(
    "other",
    [
        {"packages": (*rootfs.PACKAGES, "less")},
        {"release": "trixie"},
        {"dpkg": ()},
        {"apt": ()},
        {"hooks": ""},
        {"files": (("etc/hostname", "0" * 64, False),)},
        {"script": "#!/bin/sh\n"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_another_recipe_is_another_tree(other):
    before = rootfs.recipe()

    assert dataclasses.replace(before, **other).digest() != before.digest()


def test_every_part_of_a_recipe_counts():
    counted = {field.name for field in dataclasses.fields(rootfs.Recipe)}

    assert counted == {
        "release",
        "packages",
        "dpkg",
        "apt",
        "hooks",
        "files",
        "script",
    }


def test_the_recipe_has_the_files_that_are_laid_over():
    programs = {path: program for path, _, program in rootfs.recipe().files}

    assert programs["etc/fstab"] is False
    assert programs["usr/lib/exordos-image/grow-root"] is True


def test_a_tree_that_is_there_is_not_made_again(rootfs_tar, monkeypatch):
    def refuse(*_):
        raise AssertionError("it is made again")

    monkeypatch.setattr(rootfs, "_mmdebstrap", refuse)

    assert rootfs.tree(rootfs_tar.parent) == rootfs_tar


def test_without_its_mirror_a_tree_of_the_same_recipe_does(cached, monkeypatch):
    def fail(named):
        raise mirror.NotReachable("no network")

    monkeypatch.setattr(mirror, "read", fail)

    assert rootfs.tree(cached) == cached / "tree-0.tar"
    with pytest.raises(mirror.NotReachable):
        rootfs.tree(cached, "http://one.that.was.named")


def test_without_its_mirror_a_tree_of_another_recipe_does_not(cached, monkeypatch):
    def fail(named):
        raise mirror.NotReachable("no network")

    monkeypatch.setattr(mirror, "read", fail)
    monkeypatch.setattr(rootfs, "PACKAGES", ("less",))

    with pytest.raises(mirror.NotReachable):
        rootfs.tree(cached)


def test_a_mirror_that_changes_meanwhile_is_said(cached, monkeypatch):
    suite = mirror.Suite("bookworm", "http://a", "Sat, 21 Nov 2026 00:00:00 UTC", "1")
    monkeypatch.setattr(mirror, "read", lambda named: mirror.State((suite,), False))

    def make(folder, *_):
        (folder / "lists").mkdir()
        (folder / "lists" / "one_InRelease").write_text("of another day")
        (folder / "tree.tar").touch()

    monkeypatch.setattr(rootfs, "_mmdebstrap", make)

    with pytest.raises(errors.SetupError, match="run it again"):
        rootfs.tree(cached)
    assert sorted(path.name for path in cached.glob("tree-*")) == [
        "tree-0.json",
        "tree-0.tar",
    ]


def test_only_root_makes_a_tree(tmp_path, monkeypatch):
    monkeypatch.setattr(mirror, "read", lambda named: mirror.State((), False))
    monkeypatch.setattr(rootfs.os, "geteuid", lambda: 1000)

    with pytest.raises(errors.SetupError, match="run as root"):
        rootfs.tree(tmp_path)


def test_old_trees_go(cached, monkeypatch):
    suite = mirror.Suite("bookworm", "http://a", "Sat, 21 Nov 2026 00:00:00 UTC", "1")
    states = [
        mirror.State((dataclasses.replace(suite, sha256=each),), False)
        for each in "1234"
    ]
    monkeypatch.setattr(rootfs, "_sha256", lambda path: path.name)

    def make(folder, made, state):
        (folder / "lists").mkdir()
        (folder / "lists" / next(iter(state.checksums()))).touch()
        (folder / "tree.tar").touch()

    monkeypatch.setattr(rootfs, "_mmdebstrap", make)
    made = []
    for state in states:
        monkeypatch.setattr(mirror, "read", lambda named, state=state: state)
        made.append(rootfs.tree(cached))

    assert len(set(made)) == 4
    assert sorted(cached.glob("tree-*.tar")) == sorted(made[-2:])
    assert sorted(cached.glob("tree-*.json")) == sorted(
        each.with_suffix(".json") for each in made[-2:]
    )


def test_a_mirror_by_its_pattern(serve):
    address, asked = serve({})

    with pytest.raises(mirror.NotReachable, match="answered 404"):
        mirror.read(f"{address}/archive/{{archive}}/20261101T000000Z")

    assert asked == ["/archive/debian/20261101T000000Z/dists/bookworm/InRelease"]


def test_a_mirror_named_by_the_environment(serve):
    address, asked = serve({})

    with pytest.raises(mirror.NotReachable):
        mirror.read(None, {mirror.VARIABLE: address})

    assert asked == ["/debian/dists/bookworm/InRelease"]


def test_a_mirror_that_does_not_answer_says_what_to_do():
    with pytest.raises(mirror.NotReachable, match=f"--mirror or {mirror.VARIABLE}"):
        mirror.read("http://127.0.0.1:9")


def test_a_state_that_was_tampered_with_is_refused(rootfs_tar, serve):
    url = rootfs.made_from(rootfs_tar)["mirror"]["suites"][0]["url"]
    path = "/debian/dists/bookworm/InRelease"
    genuine = httpx.get(f"{url}/dists/bookworm/InRelease", timeout=30).content
    address, _ = serve({path: genuine})
    # The first suite is taken, and the next is not there.
    with pytest.raises(mirror.NotReachable, match="bookworm-updates"):
        mirror.read(address)

    tampered, _ = serve({path: genuine.replace(b"Origin: Debian", b"Origin: Nobody")})
    with pytest.raises(errors.SetupError, match="not signed by Debian"):
        mirror.read(tampered)


def test_an_archived_state_may_be_old():
    suite = mirror.Suite(
        "bookworm", "http://a/debian", "Sat, 21 Nov 2026 00:00:00", "1"
    )

    (line,) = mirror.State((suite,), pinned=True).sources()
    assert "check-valid-until=no" in line
    assert line.endswith("http://a/debian bookworm main")

    (line,) = mirror.State((suite,), pinned=False).sources()
    assert "check-valid-until" not in line
