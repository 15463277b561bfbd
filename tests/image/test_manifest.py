"""What is published with an image is true of it, and comes whole or not at all."""

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
from concurrent import futures
from pathlib import Path

import pytest
from node_image import build, engine, filesystem, manifest, packages
from node_image.steps import Steps

from exordos_paas_storage.domain import errors
from exordos_paas_storage.nodes import image
from tests.box import wait_until
from tests.image import clean_tree, small_disk

NAME = "exordos-metapaas-s3-dp"
FILES = {
    f"{NAME}.json",
    f"{NAME}.packages.txt",
    f"{NAME}.raw.zst",
    f"{NAME}.raw.zst.SHA256SUM",
}
PACKAGES = "bash 5.2.15-2+b13 amd64\ndash 0.5.12-2 amd64\n"
# What the frames of zstd begin with; source: RFC 8878, 3.1.1.
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


@pytest.fixture
def made(tmp_path):
    """An image with a small disk."""
    (tmp_path / "work").mkdir()
    raw = tmp_path / "work" / build.RAW
    small_disk.disk(clean_tree.make(tmp_path / "tree"), raw)
    return build.Image(
        raw=raw,
        engine=engine.Engine(
            "minio", "1.2.3", tmp_path / "minio", "5" * 64, {"from": "here"}
        ),
        base="debian",
        base_about={"recipe": "7" * 64, "mirror": {"pinned": False, "suites": []}},
        inputs="9" * 64,
    )


@pytest.fixture
def output(tmp_path):
    return tmp_path / "output"


def publish(made, output):
    return manifest.publish(made, output, Steps())


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def git(top, *words):
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    done = subprocess.run(
        ["git", "-C", top, *who, *words], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def test_the_published_files(made, output):
    publish(made, output)

    assert {path.name for path in output.iterdir()} == FILES


def test_two_who_publish_at_once_do_not_mix_their_files(made, output):
    output.mkdir()
    waiting = re.compile(rf"-> FLOCK .*:{output.stat().st_ino} ")
    other = os.open(output, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)
    with futures.ThreadPoolExecutor(1) as pool:
        try:
            done = pool.submit(publish, made, output)
            wait_until(lambda: waiting.search(Path("/proc/locks").read_text()))
            before = contents(output)
        finally:
            os.close(other)
        done.result()

    assert before == {}
    assert {path.name for path in output.iterdir()} == FILES


def test_what_a_killed_one_left_half_made_goes(made, output):
    left = output / ".part-dead" / "raw"
    left.mkdir(parents=True)

    publish(made, output)

    assert {path.name for path in output.iterdir()} == FILES


def test_the_compressed_image_is_the_raw_one_in_one_frame(made, output, tmp_path):
    publish(made, output)

    compressed = output / f"{NAME}.raw.zst"
    subprocess.run(["zstd", "-qd", compressed, "-o", tmp_path / "back"], check=True)
    assert sha256(tmp_path / "back") == sha256(made.raw)
    assert compressed.read_bytes().startswith(ZSTD_MAGIC)
    listed = subprocess.run(
        ["zstd", "-lv", compressed], check=True, capture_output=True, text=True
    )
    assert "# Zstandard Frames: 1\n" in listed.stdout
    assert "# Skippable Frames" not in listed.stdout


def test_the_checksum_is_where_the_platform_looks_for_it(made, output):
    publish(made, output)

    said = (output / f"{NAME}.raw.zst.SHA256SUM").read_text()
    assert said.split()[0] == sha256(output / f"{NAME}.raw.zst")
    subprocess.run(
        ["sha256sum", "--check", "--status", f"{NAME}.raw.zst.SHA256SUM"],
        cwd=output,
        check=True,
    )


def test_the_packages_are_those_of_the_disk(made, output):
    publish(made, output)

    assert (output / f"{NAME}.packages.txt").read_text() == PACKAGES


def test_the_manifest_names_everything_that_went_in(made, output):
    returned = publish(made, output)

    about = json.loads((output / f"{NAME}.json").read_text())
    assert about == returned
    assert about["name"] == NAME
    assert about["inputs"] == made.inputs
    assert about["engine"] == {
        "name": "minio",
        "version": "1.2.3",
        "sha256": "5" * 64,
        "provenance": {"from": "here"},
    }
    assert about["base"] == {"kind": "debian", **made.base_about}
    assert about["packages"] == {
        "count": 2,
        "sha256": hashlib.sha256(PACKAGES.encode()).hexdigest(),
    }
    assert about["raw"] == {
        "file": f"{NAME}.raw",
        "bytes": made.raw.stat().st_size,
        "sha256": sha256(made.raw),
    }
    compressed = output / f"{NAME}.raw.zst"
    assert about["compressed"] == {
        "file": compressed.name,
        "bytes": compressed.stat().st_size,
        "sha256": sha256(compressed),
    }
    assert about["layout"] == image.layout()
    assert about["tools"].keys() == {
        "ansible-core",
        "mmdebstrap",
        "packer",
        "qemu",
        "zstd",
    }
    assert all(said[0].isdigit() for said in about["tools"].values())


def test_the_revision_and_whether_files_differ_from_it(tmp_path):
    git(tmp_path, "init", "-q")
    (tmp_path / "a").write_text("1")
    git(tmp_path, "add", "a")
    git(tmp_path, "commit", "-qm", "one")
    commit = git(tmp_path, "rev-parse", "HEAD")
    assert manifest.revision(tmp_path) == {"commit": commit, "dirty": False}

    (tmp_path / "a").write_text("2")
    assert manifest.revision(tmp_path) == {"commit": commit, "dirty": True}


def test_outside_of_git_the_revision_is_not_known(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))

    assert manifest.revision(tmp_path) == {"commit": None, "dirty": None}


def test_the_revision_is_that_of_this_repository(made, output):
    assert (manifest.REPOSITORY / "pyproject.toml").is_file()
    assert publish(made, output)["revision"] == manifest.revision(manifest.REPOSITORY)


def test_a_failure_leaves_the_earlier_files(made, output, monkeypatch):
    publish(made, output)
    before = contents(output)
    monkeypatch.setattr(manifest, "_COMPRESS_LIMIT_S", 1e-6)

    with pytest.raises(errors.SetupError, match="zstd did not end"):
        publish(made, output)

    assert contents(output) == before


def test_a_failure_of_the_first_leaves_nothing(made, output):
    made.raw.write_bytes(b"no disk")

    with pytest.raises(errors.SetupError, match="sfdisk"):
        publish(made, output)

    assert list(output.iterdir()) == []


@pytest.mark.parametrize("moved", [0, 1, 2, 3])
def test_a_kill_meanwhile_leaves_no_wrong_checksum(moved, made, output, monkeypatch):
    publish(made, output)
    files = clean_tree.make(made.raw.parent / "other")
    clean_tree.write(files, "/usr/share/more", "more")
    small_disk.disk(files, made.raw)
    replace, left = Path.replace, [None] * moved

    def replace_some(path, target):
        if not left:
            raise KeyboardInterrupt
        left.pop()
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", replace_some)
    with pytest.raises(KeyboardInterrupt):
        publish(made, output)

    image_file = output / f"{NAME}.raw.zst"
    for path in (output / f"{NAME}.raw.zst.SHA256SUM", output / f"{NAME}.json"):
        assert not path.exists() or sha256(image_file) in path.read_text()
    assert {path.name for path in output.iterdir()} <= FILES


def test_a_new_image_takes_the_place_of_the_old(made, output):
    publish(made, output)
    before = contents(output)
    shutil.rmtree(made.raw.parents[1] / "tree")
    tree = clean_tree.make(made.raw.parents[1] / "tree")
    clean_tree.write(tree, "/usr/share/more", "more")
    small_disk.disk(tree, made.raw)

    publish(made, output)

    after = contents(output)
    assert before.keys() == after.keys() == FILES
    assert before[f"{NAME}.raw.zst"] != after[f"{NAME}.raw.zst"]
    assert before[f"{NAME}.packages.txt"] == after[f"{NAME}.packages.txt"]


@pytest.mark.machine
def test_the_real_image_has_the_packages_that_the_containers_had(finished, rootfs_tar):
    status = filesystem.of_disk(finished.raw).read(f"/{packages.STATUS}")

    assert packages.listing(status) == packages.of_tar(rootfs_tar)
