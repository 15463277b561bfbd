"""What becomes of a disk that a node finds: taken, made the data disk, or left alone.

The script is told which disks to look at, as loop devices are not among those that it
looks for by itself.
"""

import contextlib
import hashlib
import json
import os
from pathlib import PurePosixPath

import pytest
from node_image import command

from exordos_paas_storage.nodes import image
from tests.image import chroot, container, loops

SCRIPT = f"{image.LIB_DIR}/prepare-data-disk"
DATA = image.DATA_DIR.name
MIB = 1 << 20
BLOCK = 4096
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


def content(disk):
    """Something that changes when anything on the disk does."""
    digest = hashlib.sha256()
    with disk.file.open("rb") as file:
        for start, end in pieces(file.fileno()):
            for at in range(start, end, BLOCK):
                file.seek(at)
                # Zeros may or may not take room, by the file system's own choice.
                if (block := file.read(BLOCK)).strip(b"\0"):
                    digest.update(b"%d:%b" % (at, block))
    return digest.hexdigest()


def pieces(file):
    """Where a sparse file has content; begins and ends are multiples of a block."""
    end = 0
    with contextlib.suppress(OSError):  # there is no more
        while True:
            start = os.lseek(file, end, os.SEEK_DATA)
            end = os.lseek(file, start, os.SEEK_HOLE)
            yield start, end


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
    before = content(disk)

    assert prepare(box, blank, disk) == (True, f"the data disk is {disk.device}")

    assert content(disk) == before
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
    before = content(other)

    assert prepare(box, other, blank)[0]

    assert content(other) == before
    assert blank.probe("LABEL") == image.DATA_LABEL


def gpt(disk):
    """An empty partition table."""
    command.run(["sfdisk", "--quiet", disk.device], stdin="label: gpt\n")


def lost_gpt(disk):
    """A partition table of which only the copy at the end is left."""
    gpt(disk)
    write(disk, 0, bytes(MIB))


FOREIGN = {
    "ext4": (lambda disk: command.run(["mkfs.ext4", "-q", disk.device]), "carries"),
    "xfs": (lambda disk: command.run(["mkfs.xfs", "-q", disk.device]), "carries"),
    "swap": (lambda disk: command.run(["mkswap", "-q", disk.device]), "carries"),
    "empty partition table": (gpt, "carries"),
    "lost partition table": (lost_gpt, "carries"),
    "a byte at the start": (lambda disk: write(disk, 0), "is not blank"),
    "a byte in the first MiB": (lambda disk: write(disk, MIB - 4), "is not blank"),
    "a byte at the end": (lambda disk: write(disk, -4), "is not blank"),
}


@pytest.mark.parametrize(("fill", "said"), FOREIGN.values(), ids=FOREIGN)
def test_disk_with_data_is_never_formatted(box, disks, fill, said):
    disk = disks()
    fill(disk)
    before = content(disk)

    assert f"{disk.device} {said}" in refused(box, disk)
    assert content(disk) == before


def test_partitioned_disk_is_never_formatted(box, disks):
    disk = disks()
    command.run(["sfdisk", "--quiet", disk.device], stdin="label: dos\n,,L\n")
    before = content(disk)

    assert str(disk.device) in refused(box, disk)
    assert content(disk) == before


def test_read_only_disk_is_not_formatted(box, disks):
    disk = disks(SIZE, "--read-only")

    assert f"{disk.device} is read-only" in refused(box, disk)


def test_small_disk_is_not_formatted(box, disks):
    disk = disks(SIZE - MIB)

    assert f"{disk.device} is smaller than {SIZE} bytes" in refused(box, disk)


def test_disk_that_is_not_there_is_told(box, disks):
    disk = disks()
    box.run("mv", str(disk.device), "/dev/aside")

    said = refused(box, disk)
    box.run("mv", "/dev/aside", str(disk.device))

    assert f"{disk.device} can't be read" in said


def test_label_on_another_file_system_is_refused(box, disks):
    disk = disks()
    command.run(["mkfs.ext4", "-q", "-L", image.DATA_LABEL, disk.device])
    before = content(disk)

    assert "is not XFS but ext4" in refused(box, disk)
    assert content(disk) == before


def test_without_a_name_it_looks_at_no_loop_device(box, disks):
    disk = disks()

    said = refused(box)

    assert str(disk.device) not in said
    assert disk.probe("TYPE") == ""


def test_the_node_says_that_it_has_no_disk(box):
    box.mark()
    box.run("systemctl", "start", image.MOUNT_UNIT, check=False)

    box.says(image.DATA_DISK_UNIT, "no data disk: .* attach this node's disk")
    failed = json.loads(box.run("systemctl", "list-units", "--failed", "-o", "json"))
    assert image.DATA_DISK_UNIT in {unit["unit"] for unit in failed}
