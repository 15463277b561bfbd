"""The commands that images, and the platform's own packages, need; how to get them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from exordos_paas_storage.domain import errors
from node_image import command

CHECKS, BUILD, PLATFORM = "checks", "build", "platform"
GROUPS = (CHECKS, BUILD, PLATFORM)
_INSTALL_LIMIT_S = 600.0


@dataclass(frozen=True)
class Tool:
    """A command, or the file of one, and the Debian package that has it."""

    name: str
    package: str

    def is_here(self) -> bool:
        """Whether it can be used on this machine."""
        if self.name.startswith("/"):
            return Path(self.name).exists()
        return shutil.which(self.name, path=command.PATH) is not None


# A tree of Debian, what looks into file systems, containers, and virtual machines.
_FOR_CHECKS = (
    Tool("mmdebstrap", "mmdebstrap"),
    Tool("gpgv", "gpgv"),
    Tool("/usr/share/keyrings/debian-archive-keyring.gpg", "debian-archive-keyring"),
    Tool("systemd-nspawn", "systemd-container"),
    Tool("nsenter", "util-linux"),
    Tool("setpriv", "util-linux"),
    Tool("mkfs.ext4", "e2fsprogs"),
    Tool("debugfs", "e2fsprogs"),
    Tool("sfdisk", "fdisk"),
    Tool("mkfs.xfs", "xfsprogs"),
    Tool("packer", "packer"),
    Tool("qemu-system-x86_64", "qemu-system-x86"),
    Tool("qemu-img", "qemu-utils"),
)
_FOR_BUILD = (
    *_FOR_CHECKS,
    Tool("grub-mkimage", "grub-common"),
    Tool("/usr/lib/grub/i386-pc/boot.img", "grub-pc-bin"),
    Tool("zstd", "zstd"),
    Tool("ssh", "openssh-client"),
    Tool("ssh-keygen", "openssh-client"),
)
# The HTTP server of the platform and its client of hypervisors are compiled here.
FOR_PLATFORM = (
    Tool("gcc", "gcc"),
    Tool("pkg-config", "pkg-config"),
    Tool("/usr/include/ev.h", "libev-dev"),
    Tool("/usr/include/libvirt/libvirt.h", "libvirt-dev"),
    Tool("python3-config", "python3-dev"),
)
_TOOLS = {CHECKS: _FOR_CHECKS, BUILD: _FOR_BUILD, PLATFORM: FOR_PLATFORM}


def missing(group: str) -> list[Tool]:
    """The tools of a group that are not on this machine."""
    return _missing(_TOOLS[group])


def ensure(group: str) -> list[str]:
    """`ensure_all` of the tools of a group."""
    return ensure_all(_TOOLS[group])


def ensure_all(wanted: Iterable[Tool]) -> list[str]:
    """Install what is missing; the names of the packages that were installed.

    Raises:
        SetupError: they can't be installed by us; it says which command does that.
    """
    wanted = tuple(wanted)
    packages = sorted({tool.package for tool in _missing(wanted)})
    if not packages:
        return []
    install = ["apt-get", "install", "--yes", "--no-install-recommends", *packages]
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise errors.SetupError(
            f"{len(packages)} packages are missing: run as root on Debian or Ubuntu:"
            f" {' '.join(install)}"
        )
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for argv in (["apt-get", "--quiet=2", "update"], install):
        command.run(argv, limit_s=_INSTALL_LIMIT_S, env=environment)
    still = ", ".join(tool.name for tool in _missing(wanted))
    if still:
        raise errors.SetupError(
            f"{still} is still missing after `{' '.join(install)}`: install it by hand"
        )
    return packages


def _missing(wanted: Iterable[Tool]) -> list[Tool]:
    return [tool for tool in wanted if not tool.is_here()]
