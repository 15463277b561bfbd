"""What becomes of a disk that a node finds: taken, made the data disk, or left alone.

The script is told which disks to look at, as loop devices are not among those that it
looks for by itself.
"""

import contextlib
import json
import os
from pathlib import PurePosixPath

import pytest
from node_image import command

from exordos_paas_storage.domain import errors
from exordos_paas_storage.nodes import image
from tests.box import wait_until
from tests.image import chroot, container, loops

SCRIPT = f"{image.LIB_DIR}/prepare-data-disk"
DATA = image.DATA_DIR.name
MIB = 1 << 20
SIZE = 1 * loops.GIB


@pytest.fixture(scope="module")
def box(one_applied):
    """A running node; its own data disk is of no matter."""
    with (
        chroot.scratch() as top,
        one_applied.layers.mounted(top) as tree,
        container.booted(tree, top / "console.log") as made,
    ):
        yield made


@pytest.fixture
def disks(box, tmp_path):
    """Make blank disks that the node has."""
    with contextlib.ExitStack() as stack:

        def make(size=SIZE, *options):
            name = f"disk{len(list(tmp_path.iterdir()))}"
            made = stack.enter_context(loops.disk(tmp_path, name, size, *options))
            box.add_node(made, PurePosixPath(made.device))
            stack.callback(box.run, "rm", str(made.device))
            return made

        yield make


def prepare(box, *disks):
    """Run the script on these disks; whether it found one, and what it said."""
    words = [SCRIPT, *(str(disk.device) for disk in disks)]
    said = box.run("sh", "-c", '"$@"; echo "ended: $?"', "sh", *words)
    text, _, status = said.rpartition("ended: ")
    return status == "0", text.strip()


def refused(box, *disks):
    """Why the script refused them, in its one line."""
    ok, said = prepare(box, *disks)
    assert not ok
    assert said.startswith("<3>no data disk: ")
    assert "\n" not in said
    return said


def write(disk, at, data=b"kept"):
    """Put bytes onto a disk; from its end where `at` is negative."""
    with disk.device.open("r+b", buffering=0) as file:
        file.seek(at, 2 if at < 0 else 0)
        file.write(data)


def test_blank_disk_becomes_the_data_disk(box, disks):
    disk = disks()

    assert prepare(box, disk) == (
        True,
        f"formatted the blank disk {disk.device} as the data disk",
    )

    assert disk.probe("LABEL") == image.DATA_LABEL
    assert disk.probe("TYPE") == "xfs"
    box.run("mount", str(disk.device), "/mnt")
    seen = box.run("stat", "--format=%n %u:%g %a", "/mnt", f"/mnt/{DATA}").splitlines()
    box.run("umount", "/mnt")
    assert seen == ["/mnt 0:0 755", f"/mnt/{DATA} {image.UID}:{image.GID} 750"]


def test_data_disk_is_taken_as_it_is(box, disks):
    disk, blank = disks(), disks()
    prepare(box, disk)
    before = disk.digest()

    assert prepare(box, blank, disk) == (True, f"the data disk is {disk.device}")

    assert disk.digest() == before
    assert blank.probe("TYPE") == ""


def test_two_data_disks_are_refused(box, disks):
    both = disks(), disks()
    for disk in both:
        prepare(box, disk)

    said = refused(box, *both)

    assert "several have the label" in said
    assert all(str(disk.device) in said for disk in both)


def test_two_blank_disks_are_refused_until_one_is_chosen(box, disks):
    both = disks(), disks()

    said = refused(box, *both)
    assert "several are blank" in said
    assert f"{SCRIPT} DISK" in said
    assert [disk.probe("TYPE") for disk in both] == ["", ""]

    assert prepare(box, both[1])[0]
    assert [disk.probe("TYPE") for disk in both] == ["", "xfs"]


def test_the_one_blank_disk_among_others_is_formatted(box, disks):
    other, blank = disks(), disks()
    command.run(["mkfs.ext4", "-q", other.device])
    before = other.digest()

    assert prepare(box, other, blank)[0]

    assert other.digest() == before
    assert blank.probe("LABEL") == image.DATA_LABEL


def gpt(disk):
    """An empty partition table."""
    command.run(["sfdisk", "--quiet", disk.device], stdin="label: gpt\n")


def lost_gpt(disk):
    """A partition table of which only the copy at the end is left."""
    gpt(disk)
    write(disk, 0, bytes(MIB))


def without_start(make, *words):
    """A file system of which the first MiB is gone, and with it all signatures."""

    def fill(disk):
        command.run([make, "-q", *words, disk.device])
        write(disk, 0, bytes(MIB))

    return fill


FOREIGN = {
    "ext4": (lambda disk: command.run(["mkfs.ext4", "-q", disk.device]), "carries"),
    "xfs": (lambda disk: command.run(["mkfs.xfs", "-q", disk.device]), "carries"),
    "swap": (lambda disk: command.run(["mkswap", "-q", disk.device]), "carries"),
    "empty partition table": (gpt, "carries"),
    "lost partition table": (lost_gpt, "carries"),
    "a byte at the start": (lambda disk: write(disk, 0), "is not blank"),
    "a byte in the first MiB": (lambda disk: write(disk, MIB - 4), "is not blank"),
    "ext4 without its first MiB": (without_start("mkfs.ext4"), "is not blank"),
    "xfs without its first MiB": (without_start("mkfs.xfs"), "is not blank"),
    "data from the third MiB on": (
        lambda disk: write(disk, 2 * MIB, b"kept" * MIB),
        "is not blank",
    ),
    "a byte in the middle": (lambda disk: write(disk, SIZE // 2), "is not blank"),
    "a byte at the end": (lambda disk: write(disk, -4), "is not blank"),
}


@pytest.mark.parametrize(("fill", "said"), FOREIGN.values(), ids=FOREIGN)
def test_disk_with_data_is_never_formatted(box, disks, fill, said):
    disk = disks()
    fill(disk)
    before = disk.digest()

    assert f"{disk.device} {said}" in refused(box, disk)
    assert disk.digest() == before


def test_partitioned_disk_is_never_formatted(box, disks):
    disk = disks()
    command.run(["sfdisk", "--quiet", disk.device], stdin="label: dos\n,,L\n")
    before = disk.digest()

    assert str(disk.device) in refused(box, disk)
    assert disk.digest() == before


def test_read_only_disk_is_not_formatted(box, disks):
    disk = disks(SIZE, "--read-only")

    assert f"{disk.device} is read-only" in refused(box, disk)


def test_small_disk_is_not_formatted(box, disks):
    disk = disks(SIZE - MIB)

    assert f"{disk.device} is smaller than {SIZE} bytes" in refused(box, disk)


def test_beside_a_disk_that_cannot_be_read_none_is_formatted(box, disks):
    """The kernel gives an error for what a loop device's file has no longer."""
    blank, theirs = disks(), disks()
    os.truncate(theirs.file, 0)

    said = refused(box, blank, theirs)

    assert f"{theirs.device} can't be read, and may be this node's" in said
    assert blank.probe("TYPE") == ""


def test_disk_that_is_not_there_is_told(box, disks):
    disk = disks()
    box.run("mv", str(disk.device), "/dev/aside")

    said = refused(box, disk)
    box.run("mv", "/dev/aside", str(disk.device))

    assert f"{disk.device} can't be read" in said


def test_formatting_that_was_cut_short_is_begun_again(box, disks, tmp_path):
    disk = disks()
    cut_short(disk, tmp_path)
    assert disk.probe("LABEL") == image.DATA_LABEL

    ok, said = prepare(box, disk)

    assert ok, said
    assert f"{disk.device} was being formatted" in said
    assert box.run("sh", "-c", f"mount {disk.device} /mnt && ls /mnt") == DATA
    box.run("umount", "/mnt")
    before = disk.digest()
    assert prepare(box, disk) == (True, f"the data disk is {disk.device}")
    assert disk.digest() == before


def cut_short(disk, folder):
    """Let mkfs end in the middle: it is to copy a file that is not there."""
    prototype = folder / "prototype"
    prototype.write_text("/dev/null\n0 0\nd--755 0 0\nx ---644 0 0 /nowhere/x\n$\n$\n")
    words = ["-q", "-L", image.DATA_LABEL, "-p", prototype, disk.device]
    with pytest.raises(errors.SetupError, match="/nowhere/x"):
        command.run(["mkfs.xfs", *words])
    prototype.unlink()


def test_label_on_another_file_system_is_refused(box, disks):
    disk = disks()
    command.run(["mkfs.ext4", "-q", "-L", image.DATA_LABEL, disk.device])
    before = disk.digest()

    assert "is not XFS but ext4" in refused(box, disk)
    assert disk.digest() == before


def test_without_a_name_it_looks_at_no_loop_device(box, disks):
    disk = disks()

    said = refused(box)

    assert str(disk.device) not in said
    assert disk.probe("TYPE") == ""


def test_disk_is_looked_for_again_once_it_was_unmounted(box, disks):
    disk, name = disks(), PurePosixPath("/dev/disk/by-label", image.DATA_LABEL)
    prepare(box, disk)
    box.add_node(disk, name)
    box.run("systemctl", "start", image.MOUNT_UNIT)
    mounted = box.prop(image.DATA_DISK_UNIT, "ActiveState")

    box.run("systemctl", "stop", image.MOUNT_UNIT)

    assert mounted == "active"
    wait_until(
        lambda: box.prop(image.DATA_DISK_UNIT, "ActiveState") == "inactive",
        container.SAID_S,
    )
    box.run("rm", str(name))


def test_the_node_says_that_it_has_no_disk(box):
    box.mark()
    box.run("systemctl", "start", image.MOUNT_UNIT, check=False)

    box.says(image.DATA_DISK_UNIT, "no data disk: .* attach this node's disk")
    failed = json.loads(box.run("systemctl", "list-units", "--failed", "-o", "json"))
    assert image.DATA_DISK_UNIT in {unit["unit"] for unit in failed}
