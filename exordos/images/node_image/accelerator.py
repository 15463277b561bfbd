"""Whether virtual machines run fast here: KVM where it really works, else TCG.

`/dev/kvm` proves nothing: inside a virtual machine it may be there while a guest hangs
at some instruction, in its BIOS or later in its kernel. So a guest runs the kernel of
the tree and one process, without a disk, and must come to the end of that.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from exordos_paas_storage.domain import errors
from node_image import command

QEMU = "qemu-system-x86_64"
# Under TCG, the slower way, such a guest takes 3 s on two cores. A KVM that needs more
# than twice as long is no gain.
PROBE_S = 6.0
# The guest's only process is `true`: the kernel says how it ended.
_LAST_WORDS = b"Attempted to kill init! exitcode=0x00000000"
_BOOT = "console=ttyS0 panic=-1 rdinit=/bin/true"
_LOOK_S = 0.05
# The links that Debian keeps, and the folder that they point into.
_KERNEL = ("./vmlinuz", "./initrd.img", "./boot")


@dataclass(frozen=True)
class Accelerator:
    """How guests run: the name and the model of CPU that go together."""

    name: str
    cpu_model: str

    def arguments(self) -> list[str]:
        """For QEMU's command line."""
        threads = ",thread=multi" if self.name == "tcg" else ""
        return ["-accel", f"{self.name}{threads}", "-cpu", self.cpu_model]


KVM = Accelerator("kvm", "host")
# "host" needs KVM, and QEMU's own default lacks what today's Go and Rust use.
TCG = Accelerator("tcg", "max")


def choose(tar: Path) -> Accelerator:
    """KVM where a guest runs with it, else TCG, which needs nothing.

    Args:
        tar: of a tree, for its kernel.

    Raises:
        SetupError: QEMU is not installed.
    """
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return TCG
    return KVM if works(KVM, tar, PROBE_S) else TCG


def works(accelerator: Accelerator, tar: Path, limit_s: float) -> bool:
    """Whether a guest's kernel runs a process and ends within `limit_s`.

    Raises:
        SetupError: QEMU is not installed.
    """
    with tempfile.TemporaryDirectory(prefix="accelerator-") as folder:
        command.run(["tar", "-C", folder, "-xf", tar, *_KERNEL])
        said = Path(folder, "console")
        said.touch()
        try:
            guest = subprocess.Popen(
                [*_guest(Path(folder), said), *accelerator.arguments()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        except FileNotFoundError:
            raise errors.SetupError(
                f"{QEMU} is not installed: run `python -m node_image tools`"
            ) from None
        try:
            return _ends_well(guest, said, limit_s)
        finally:
            guest.kill()
            guest.wait()


def _guest(folder: Path, said: Path) -> list[str]:
    return [
        *(QEMU, "-machine", "q35", "-m", "256", "-display", "none", "-no-reboot"),
        *("-nodefaults", "-no-user-config", "-serial", f"file:{said}"),
        *("-kernel", str(folder / "vmlinuz"), "-initrd", str(folder / "initrd.img")),
        *("-append", _BOOT),
    ]


def _ends_well(guest: subprocess.Popen[bytes], said: Path, limit_s: float) -> bool:
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        if _LAST_WORDS in said.read_bytes():
            return True
        try:
            guest.wait(_LOOK_S)
        except subprocess.TimeoutExpired:
            continue
        return _LAST_WORDS in said.read_bytes()
    return False
