"""A disk that boots the tree of Debian, and lets the build in by one ssh key.

No loop device and no grub-install: mkfs.ext4 fills the first partition where it lies in
the disk's file, and the two parts of grub are written to the sectors before it. The
platform starts its machines by BIOS. The key, the host keys and the running sshd are of
the build alone: `packer/cleanup.sh` takes them away, and `hygiene` looks for them.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from exordos_paas_storage.domain import errors
from node_image import command

# A node's root disk is larger; the file system grows to it at every boot.
SIZE_BYTES = 2 << 30
# Where the first partition begins: sector 2048, as sfdisk aligns it.
OFFSET_BYTES = 1 << 20
_BLOCK_BYTES = 4096
_SECTOR_BYTES = 512
# The rest of the first sector is the partition table.
_BOOT_CODE_BYTES = 440
_BOOT_IMAGE = Path("/usr/lib/grub/i386-pc/boot.img")
_GRUB_MODULES = ("biosdisk", "part_msdos", "ext2", "normal", "linux", "search")
_KEPT = 2
_LIMIT_S = 600.0


@dataclass(frozen=True)
class BaseDisk:
    """A folder with the disk and the key that opens it as root."""

    folder: Path

    @property
    def disk(self) -> Path:
        """In qcow2."""
        return self.folder / "disk.qcow2"

    @property
    def key(self) -> Path:
        """The private key; only for the build."""
        return self.folder / "id_ed25519"


def made(tar: Path, cache: Path) -> BaseDisk:
    """The disk of a tree, made where it is not in the cache.

    Raises:
        SetupError: it can't be made.
    """
    recipe = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    key = hashlib.sha256(f"{tar.name} {recipe}".encode()).hexdigest()[:16]
    base = BaseDisk(cache / f"disk-{key}")
    if base.disk.is_file():
        os.utime(base.folder)
        return base
    if os.geteuid() != 0:
        raise errors.SetupError("a disk of Debian is made by root: run as root")
    with tempfile.TemporaryDirectory(prefix=".part-", dir=cache) as part:
        whole = Path(part, "whole")
        whole.mkdir()
        _make(tar, BaseDisk(whole), Path(part))
        with contextlib.suppress(FileExistsError):
            whole.rename(base.folder)
    _forget(cache)
    return base


def _make(tar: Path, base: BaseDisk, work: Path) -> None:
    tree = work / "tree"
    tree.mkdir()
    unpack(tar, tree)
    _let_in(tree, base.key)
    raw = work / "disk.raw"
    with raw.open("wb") as file:
        file.truncate(SIZE_BYTES)
    command.run(["sfdisk", "--quiet", raw], stdin="label: dos\n2048,,83,*\n")
    _fill(raw, tree)
    _write_grub(raw, work)
    argv = ["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, base.disk]
    command.run(argv, limit_s=_LIMIT_S)


def unpack(tar: Path, tree: Path) -> None:
    """Unpack a tree with its owners; root alone can."""
    argv = ["tar", "-C", tree, "--numeric-owner", "--xattrs", "--xattrs-include=*"]
    command.run([*argv, "-xpf", tar], limit_s=_LIMIT_S)


def _let_in(tree: Path, key: Path) -> None:
    """Open a tree to one new key, as root; no account is made for the build."""
    make_key = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "image build"]
    command.run([*make_key, "-f", key])
    # The keys of the host, in the tree's /etc/ssh.
    command.run(["ssh-keygen", "-q", "-A", "-f", tree])
    folder = tree / "root/.ssh"
    folder.mkdir(mode=0o700, exist_ok=True)
    shutil.copyfile(key.with_name(f"{key.name}.pub"), folder / "authorized_keys")
    (folder / "authorized_keys").chmod(0o600)
    wants = tree / "etc/systemd/system/multi-user.target.wants"
    (wants / "ssh.service").symlink_to("/lib/systemd/system/ssh.service")


def _fill(raw: Path, tree: Path) -> None:
    blocks = (SIZE_BYTES - OFFSET_BYTES) // _BLOCK_BYTES
    place = f"offset={OFFSET_BYTES},lazy_itable_init=1,nodiscard"
    argv = ["mkfs.ext4", "-q", "-F", "-L", "rootfs", "-m", "1", "-b", _BLOCK_BYTES]
    command.run([*argv, "-E", place, "-d", tree, raw, blocks], limit_s=_LIMIT_S)


def _write_grub(raw: Path, work: Path) -> None:
    core = work / "core.img"
    prefix = "(hd0,msdos1)/boot/grub"
    argv = ["grub-mkimage", "-O", "i386-pc", "-o", core, "-p", prefix, *_GRUB_MODULES]
    command.run(argv)
    content = core.read_bytes()
    # grub's own defaults look for the core in the sectors after the first one.
    if len(content) > OFFSET_BYTES - _SECTOR_BYTES:
        raise errors.SetupError(
            f"grub's core has {len(content)} bytes and does not fit before the first"
            " partition: use fewer modules in base_disk.py"
        )
    with raw.open("r+b") as disk:
        disk.write(_BOOT_IMAGE.read_bytes()[:_BOOT_CODE_BYTES])
        disk.seek(_SECTOR_BYTES)
        disk.write(content)


def _forget(cache: Path) -> None:
    folders = sorted(cache.glob("disk-*"), key=lambda path: -path.stat().st_mtime)
    for old in folders[_KEPT:]:
        shutil.rmtree(old)
