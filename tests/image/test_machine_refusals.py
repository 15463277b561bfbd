"""What a node of the real image refuses, and says on its console and in its journal.

The same for every engine, as none of them is started.
"""

import hashlib
import subprocess

import pytest

from exordos_paas_storage.domain import capabilities
from exordos_paas_storage.nodes import image, port
from tests import engines
from tests.image import machine

pytestmark = [pytest.mark.machine, pytest.mark.timeout(1200)]

GIB = 1 << 30


@pytest.fixture
def files(one_finished):
    keys = engines.key(), engines.key()
    secrets = port.NodeSecrets("ROOT" + "A" * 16, "s" * 40, *keys)
    return image.files(one_finished.engine.name, secrets)


@pytest.fixture
def root_disk(one_finished, disks):
    """Makes the root disk of a machine, with files delivered."""

    def make(delivered):
        disk = machine.copy(one_finished.raw, disks / "root.raw")
        machine.deliver(disk, delivered)
        return disk

    return make


def engine_failed(vm):
    """Wait until the machine says on its console that its engine's unit failed.

    The console shortens the names of units, and not what they are.
    """
    vm.wait_console(r"FAILED\S* Failed to start .* - S3 engine")


def test_without_a_data_disk_nothing_is_served_until_one_is_attached(
    root_disk, files, boot, disks, one_finished
):
    ready = capabilities.of(one_finished.engine.name, "").ready_path
    with boot(root_disk(files)) as vm:
        engine_failed(vm)
        assert not machine.answers(vm.url + ready)
        vm.plug(machine.blank(disks / "late.raw", GIB))
        vm.wait_ready(ready)
        vm.power_off()

    assert "data disk" in machine.journal(vm.root, image.DATA_DISK_UNIT)
    assert str(image.DATA_MOUNT) in machine.journal(vm.root, image.ENGINE_UNIT)


def foreign_ext4(disk):
    subprocess.run(["mkfs.ext4", "-q", "-F", "-L", "theirs", disk], check=True)


def foreign_xfs(disk):
    subprocess.run(["mkfs.xfs", "-q", "-L", "theirs", disk], check=True)


def foreign_table(disk):
    table = "label: gpt\nsize=100MiB, type=linux\n"
    subprocess.run(["sfdisk", "-q", disk], input=table.encode(), check=True)


def foreign_bytes(disk):
    """Something that no tool knows, in the first MiB."""
    with disk.open("r+b") as content:
        content.seek(700_000)
        content.write(b"somebody's own format")


def test_disks_that_hold_something_are_never_formatted(root_disk, files, boot, disks):
    contents = [foreign_ext4, foreign_xfs, foreign_table, foreign_bytes]
    theirs = [machine.blank(disks / each.__name__, GIB) for each in contents]
    for content, disk in zip(contents, theirs, strict=True):
        content(disk)
    before = [digest(disk) for disk in theirs]

    with boot(root_disk(files), *theirs) as vm:
        engine_failed(vm)
        vm.power_off()

    assert [digest(disk) for disk in theirs] == before
    said = machine.journal(vm.root, image.DATA_DISK_UNIT)
    assert all(f"/dev/vd{letter}" in said for letter in "bcde"), said


def digest(path):
    found = hashlib.sha256()
    with path.open("rb") as content:
        while part := content.read(1 << 22):
            found.update(part)
    return found.hexdigest()


def test_two_blank_disks_are_not_chosen_between(root_disk, files, boot, disks):
    blank = [machine.blank(disks / f"{n}.raw", GIB) for n in (1, 2)]
    before = [digest(disk) for disk in blank]

    with boot(root_disk(files), *blank) as vm:
        engine_failed(vm)
        vm.power_off()

    assert [digest(disk) for disk in blank] == before
    said = machine.journal(vm.root, image.DATA_DISK_UNIT)
    assert "/dev/vdb" in said and "/dev/vdc" in said


def test_without_configuration_the_unit_says_what_is_missing(root_disk, boot, disks):
    data = machine.blank(disks / "data.raw", GIB)
    with boot(root_disk([]), data) as vm:
        engine_failed(vm)
        vm.power_off()

    assert str(image.SETTINGS_FILE) in machine.journal(vm.root, image.ENGINE_UNIT)
