"""What a machine sees of the file system."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.stand.manager.spec import Machine

SOCKET = Path("/run/stand.sock")


def apply(machine: Machine) -> None:
    """Mount everything; nothing of it is seen outside, and it ends with the machine."""
    for target, kept in machine.overlays.items():
        _overlay(target, Path(kept))
    _mount("-t", "tmpfs", "-o", "mode=0755", "tmpfs", "/run")
    for target, source in machine.binds.items():
        bind(source, target)
    if machine.dmi:
        _name_machine(machine.dmi)
    _mount("-t", "proc", "proc", "/proc")
    SOCKET.symlink_to(machine.control)


def bind(source: str, target: str) -> None:
    """Show a folder or a file at a second place."""
    place = Path(target)
    if Path(source).is_dir():
        place.mkdir(parents=True, exist_ok=True)
    elif not place.exists():
        place.touch()
    _mount("--bind", source, target)


def unmount(target: str) -> None:
    """Take it away, also from under a process that uses it."""
    subprocess.run(["umount", "--lazy", target], check=True)


def _overlay(target: str, kept: Path) -> None:
    upper, work = kept / "upper", kept / "work"
    upper.mkdir(parents=True, exist_ok=True)
    # The kernel wants it empty, and leaves something in it.
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    options = f"lowerdir={target},upperdir={upper},workdir={work}"
    _mount("-t", "overlay", "overlay", "-o", options, target)


def _name_machine(dmi: str) -> None:
    """Give it hardware with a name; virtual machines without firmware have none."""
    _mount("-t", "tmpfs", "-o", "mode=0755", "tmpfs", "/sys/class")
    Path("/sys/class/net").mkdir()
    folder = Path("/sys/class/dmi/id")
    folder.mkdir(parents=True)
    (folder / "product_uuid").write_text(dmi + "\n")


def _mount(*arguments: str) -> None:
    done = subprocess.run(
        ["mount", *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise OSError(f"mount {' '.join(arguments)}: {done.stderr.strip()}")
