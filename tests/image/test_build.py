"""An image is built once for its inputs, and is not handed out when it is wrong."""

import dataclasses
import json
import re
import shutil
from concurrent import futures
from pathlib import Path

import pytest
from click.testing import CliRunner
from node_image import __main__ as cli
from node_image import accelerator, bases, build, engine, packer, rootfs, tools

from exordos_paas_storage.domain import errors
from exordos_paas_storage.nodes import image
from tests.box import wait_until
from tests.image import clean_tree, small_disk

ENGINE = engine.Engine("minio", "1", None, "5" * 64, {"from": "here"})


class Builder:
    """Stands in for Packer: makes the disk of a tree, and counts."""

    def __init__(self, disk):
        self.disk, self.built, self.extra_vars = disk, 0, {}

    def build(self, variables, work, log):
        self.built += 1
        with open(variables.extra_vars) as file:
            self.extra_vars = json.load(file)
        (work / "disk").mkdir()
        shutil.copy(self.disk, work / "disk" / variables.image_file)
        Path(variables.serial_log).write_text("boot\n")
        log.write_text("packer\n")


@pytest.fixture
def folders(tmp_path):
    return tmp_path / "work", tmp_path / "cache"


@pytest.fixture
def builder(tmp_path, monkeypatch):
    base = bases.Base(
        "debian", "/d", "sha256:", "1G", "root", tmp_path, None, "isolated", {"tree": 1}
    )
    disk = small_disk.disk(clean_tree.make(tmp_path / "tree"), tmp_path / "disk")
    made = Builder(disk)
    monkeypatch.setattr(rootfs, "tree", lambda cache, mirror: tmp_path / "tar")
    monkeypatch.setattr(bases, "debian", lambda tar, cache: base)
    monkeypatch.setattr(accelerator, "choose", lambda tar: accelerator.TCG)
    monkeypatch.setattr(packer, "build", made.build)
    return made


def test_an_image_is_built_once(builder, folders):
    first = build.finished(build.Wanted(ENGINE), *folders)
    second = build.finished(build.Wanted(ENGINE), *folders)

    assert builder.built == 1
    assert first == second
    assert first.raw.read_bytes() == builder.disk.read_bytes()
    assert {path.name for path in folders[0].iterdir()} == {
        *(".lock", "inputs", build.RAW, "packer.log", "serial.log")
    }


def test_the_play_is_told_the_layout_and_the_engine(builder, folders):
    build.finished(build.Wanted(ENGINE), *folders)

    assert builder.extra_vars == {
        **image.layout(),
        "base": "debian",
        "engine_name": "minio",
        "engine_version": "1",
        "engine_binary": "None",
        "engine_sha256": "5" * 64,
        "engine_provenance": {"from": "here"},
    }


@pytest.mark.parametrize(
    "change",
    [{"version": "2"}, {"sha256": "6" * 64}, {"provenance": {}}],
    ids=lambda change: next(iter(change)),
)
def test_another_engine_is_another_image(change, builder, folders):
    build.finished(build.Wanted(ENGINE), *folders)
    other = dataclasses.replace(ENGINE, **change)
    build.finished(build.Wanted(other), *folders)

    assert builder.built == 2


def test_the_place_of_the_binary_makes_no_other_image(builder, folders, tmp_path):
    build.finished(build.Wanted(ENGINE), *folders)
    moved = dataclasses.replace(ENGINE, binary=tmp_path)
    build.finished(build.Wanted(moved), *folders)

    assert builder.built == 1


@pytest.mark.parametrize("folder", ["ANSIBLE", "TEMPLATE"])
def test_another_recipe_is_another_image(
    folder, builder, folders, tmp_path, monkeypatch
):
    build.finished(build.Wanted(ENGINE), *folders)
    copy = tmp_path / "images" / folder
    shutil.copytree(getattr(packer, folder), copy)
    monkeypatch.setattr(packer, "IMAGES", tmp_path)
    for name in ("ANSIBLE", "TEMPLATE"):
        monkeypatch.setattr(packer, name, copy)
    build.finished(build.Wanted(ENGINE), *folders)
    build.finished(build.Wanted(ENGINE), *folders)
    assert builder.built == 2

    (copy / "more").write_text("x")
    build.finished(build.Wanted(ENGINE), *folders)
    assert builder.built == 3


def test_another_layout_is_another_image(builder, folders, monkeypatch):
    build.finished(build.Wanted(ENGINE), *folders)
    before = image.layout()
    monkeypatch.setattr(image, "layout", lambda: {**before, "s3_port": 1})
    build.finished(build.Wanted(ENGINE), *folders)

    assert builder.built == 2


def test_a_disk_with_a_finding_is_no_image(builder, folders):
    small_disk.change(builder.disk, "rm /etc/machine-id")

    with pytest.raises(errors.SetupError, match=r"/etc/machine-id: must be there"):
        build.finished(build.Wanted(ENGINE), *folders)

    # Nor by the next call, which does not build it again for nothing.
    with pytest.raises(errors.SetupError, match="must not be used"):
        build.finished(build.Wanted(ENGINE), *folders)
    assert builder.built == 1


def test_an_image_that_went_wrong_later_is_not_handed_out(builder, folders):
    made = build.finished(build.Wanted(ENGINE), *folders)
    small_disk.change(made.raw, "rm /etc/machine-id")

    with pytest.raises(errors.SetupError, match="delete it if it was changed"):
        build.finished(build.Wanted(ENGINE), *folders)

    made.raw.unlink()
    build.finished(build.Wanted(ENGINE), *folders)
    assert builder.built == 2


def test_a_build_that_fails_keeps_its_logs_and_no_image(builder, folders, monkeypatch):
    build.finished(build.Wanted(ENGINE), *folders)

    def fail(variables, work, log):
        Path(variables.serial_log).write_text("kernel panic\n")
        raise errors.SetupError("packer ended with 1")

    monkeypatch.setattr(packer, "build", fail)
    other = dataclasses.replace(ENGINE, version="2")
    with pytest.raises(errors.SetupError, match="packer ended"):
        build.finished(build.Wanted(other), *folders)

    work = folders[0]
    assert (work / "serial.log").read_text() == "kernel panic\n"
    assert not (work / build.RAW).exists()
    assert not list(work.glob(".part-*"))


def test_another_build_waits_for_one_that_is_being_published(builder, folders):
    waiting = re.compile(r"-> FLOCK .*:(\d+) ")
    with (
        futures.ThreadPoolExecutor(1) as pool,
        build.held(build.Wanted(ENGINE), *folders) as made,
    ):
        inode = str((folders[0] / ".lock").stat().st_ino)
        other = dataclasses.replace(ENGINE, version="2")
        done = pool.submit(build.finished, build.Wanted(other), *folders)
        wait_until(lambda: inode in waiting.findall(Path("/proc/locks").read_text()))
        assert made.raw.read_bytes() == builder.disk.read_bytes()
        assert builder.built == 1
    assert done.result().engine == other
    assert builder.built == 2


def test_what_a_killed_build_left_half_made_goes(builder, folders):
    left = folders[0] / ".part-dead" / "disk"
    left.mkdir(parents=True)

    build.finished(build.Wanted(ENGINE), *folders)

    assert not list(folders[0].glob(".part-*"))


def test_the_command_writes_what_is_published(builder, tmp_path):
    (tmp_path / "minio").write_text("binary")
    words = ["build", "--engine", "minio", "--engine-version", "1"]
    places = [
        word
        for name in ("work", "cache", "output")
        for word in (f"--{name}", str(tmp_path / name))
    ]
    words += ["--engine-binary", str(tmp_path / "minio"), *places]

    done = CliRunner().invoke(cli.main, words)

    assert done.exit_code == 0, done.output
    assert "s  packer, tcg\n" in done.output
    assert f"MiB  {image.NAME}.raw\n" in done.output
    assert (tmp_path / "output" / f"{image.NAME}.raw.zst").is_file()
    assert (tmp_path / "work" / "minio" / build.RAW).is_file()


def test_an_error_of_the_command_is_one_line():
    done = CliRunner().invoke(cli.main, ["build", "--engine-binary", "/nonexistent"])

    assert done.exit_code == 1
    assert done.output.startswith("Error: a binary does not say what it is")


def test_the_layout_is_printed():
    done = CliRunner().invoke(cli.main, ["layout"])

    assert json.loads(done.output) == image.layout()


def test_all_tools_are_here():
    assert tools.missing(tools.BUILD) == []
    assert tools.ensure(tools.BUILD) == []


def test_tools_that_cannot_be_installed_are_named(monkeypatch):
    absent = tools.Tool("no-such-command", "its-package")
    monkeypatch.setitem(tools._TOOLS, tools.CHECKS, (absent,))
    monkeypatch.setattr(tools.os, "geteuid", lambda: 1000)

    with pytest.raises(errors.SetupError, match=r"apt-get install .* its-package"):
        tools.ensure(tools.CHECKS)


def test_a_package_without_its_command_is_noticed(monkeypatch):
    absent = tools.Tool("no-such-command", "its-package")
    ran = []
    monkeypatch.setitem(tools._TOOLS, tools.CHECKS, (absent,))
    monkeypatch.setattr(tools.os, "geteuid", lambda: 0)
    monkeypatch.setattr(tools.command, "run", lambda argv, **_: ran.append(argv))

    with pytest.raises(errors.SetupError, match="no-such-command is still missing"):
        tools.ensure(tools.CHECKS)
    assert [argv[:2] for argv in ran] == [
        ["apt-get", "--quiet=2"],
        ["apt-get", "install"],
    ]
