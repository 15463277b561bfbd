"""A tree booted by systemd in a container: the real units, engine and network stack.

What a container has not: a kernel of its own, udev, and disks. A loop device stands in
for the data disk, and its node in /dev for what udev makes there.
"""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from exordos_paas_storage.nodes import image
from tests.box import wait_until
from tests.image import cgroups, loops, trees

BOOT_S = 180.0
# Of an engine: a start, or a stop with a margin.
WAIT_S = 90.0
SAID_S = 60.0
_ON_THE_WAY = ("activating", "deactivating", "reloading")
_LABELLED = PurePosixPath("/dev/disk/by-label", image.DATA_LABEL)
_FIELDS = ("MESSAGE", "_SYSTEMD_UNIT", "UNIT")
_REPOSITORY = Path(__file__).parents[2]


class Container:
    """One running container; `tree` is its root as this machine sees it."""

    def __init__(self, tree: Path, nspawn: subprocess.Popen[bytes]) -> None:
        self.tree, self._nspawn = tree, nspawn
        self._cursor = ""
        self._leader = wait_until(self._child, BOOT_S)

    def is_up(self) -> bool:
        """Whether all that starts at boot has started, or failed."""
        state = self.run("systemctl", "is-system-running", check=False)
        return state in ("running", "degraded")

    def run(self, *argv: str, check: bool = True) -> str:
        """Run a program in it as root; what it wrote to its output, stripped."""
        done = subprocess.run(
            [*self._enter("--mount", "--uts", "--ipc", "--net", "--pid"), *argv],
            env={"PATH": "/usr/sbin:/usr/bin", "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=WAIT_S,
            check=False,
            # A signal that is sent to its group stays there.
            start_new_session=True,
        )
        assert not check or done.returncode == 0, f"{argv}: {done.stdout}"
        return done.stdout.strip()

    def python(self, module: str, given: str) -> str:
        """Run a module of ours by this interpreter, in the container's network alone.

        Args:
            given: its standard input, where secrets belong.
        """
        done = subprocess.run(
            [*self._enter("--net"), sys.executable, "-m", module],
            cwd=_REPOSITORY,
            input=given,
            capture_output=True,
            text=True,
            timeout=WAIT_S,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def prop(self, unit: str, name: str) -> str:
        """One property of a unit, as systemd has it now."""
        return self.run("systemctl", "show", f"--property={name}", "--value", unit)

    def mark(self) -> None:
        """What the journal has so far is no longer shown by `journal`."""
        self.run("journalctl", "--sync")
        shown = self.run("journalctl", "--lines=0", "--show-cursor")
        self._cursor = shown.rpartition("-- cursor: ")[2]

    def journal(self, unit: str) -> str:
        """What a unit wrote to the journal since the mark, and systemd about it."""
        self.run("journalctl", "--sync")
        # journalctl itself does not choose the unit: with --after-cursor it would lose
        # the first line. Nor is it by the run's id, which journald does not learn where
        # a process ends at once.
        words = ["journalctl", "--output=json", f"--output-fields={','.join(_FIELDS)}"]
        after = [f"--after-cursor={self._cursor}"] if self._cursor else []
        entries = map(json.loads, self.run(*words, *after).splitlines())
        return "\n".join(
            str(entry["MESSAGE"])
            for entry in entries
            if unit in (entry.get("_SYSTEMD_UNIT"), entry.get("UNIT"))
        )

    def says(self, unit: str, pattern: str) -> re.Match[str]:
        """Wait until the unit has written a line that fits since the mark."""
        # journald may still have lines to read when systemd knows that all ended.
        return wait_until(lambda: re.search(pattern, self.journal(unit)), SAID_S)

    def deliver(self, files: Iterable[image.File]) -> str:
        """Write files and do what the platform does then; the unit's state after it."""
        trees.put(self.tree, files)
        return self.on_change()

    def on_change(self) -> str:
        """Run `ON_CHANGE` and wait until the engine's unit has come to rest."""
        return self.settled(lambda: self.run(*shlex.split(image.ON_CHANGE)))

    def settled(self, act: Callable[[], Any], unit: str = image.ENGINE_UNIT) -> str:
        """Do what starts the unit anew; the state in which it comes to rest.

        The journal is marked before.
        """
        self.mark()
        before = self.prop(unit, "InvocationID")
        act()

        def state() -> str:
            names = "InvocationID", "ActiveState"
            run, now = (self.prop(unit, name) for name in names)
            return "" if run == before or now in _ON_THE_WAY else now

        return wait_until(state, WAIT_S)

    def attach(self, disk: loops.Disk) -> None:
        """Put the disk's nodes into /dev: its own, and the one that udev names."""
        self.add_node(disk, PurePosixPath(disk.device))
        self.add_node(disk, _LABELLED)

    def add_node(self, disk: loops.Disk, path: PurePosixPath) -> None:
        """Make a node of the disk."""
        self.run("mkdir", "-p", str(path.parent))
        self.run("mknod", str(path), "b", *map(str, disk.number))

    def detach(self, disk: loops.Disk) -> None:
        """Unmount the disk and take its nodes away."""
        self.run("systemctl", "stop", image.MOUNT_UNIT, image.DATA_DISK_UNIT)
        self.run("rm", str(disk.device), str(_LABELLED))

    def _enter(self, *spaces: str) -> list[str]:
        return ["nsenter", f"--target={self._leader}", *spaces, "--"]

    def _child(self) -> int:
        """The pid of what is process 1 inside; 0 before it is there."""
        assert self._nspawn.poll() is None, "the container ended: see its log"
        pid = self._nspawn.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return next((int(child) for child in children if _is_first(child)), 0)


def _is_first(pid: str) -> bool:
    """Whether a process is number 1 of its own space; one before it prepares it."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        status = Path(f"/proc/{pid}/status").read_text()
        return re.search(r"^NSpid:\t\d+\t1$", status, re.MULTILINE) is not None
    return False


@contextlib.contextmanager
def booted(tree: Path, log: Path) -> Iterator[Container]:
    """The tree as a running container with a network of its own; off at the end.

    Args:
        log: of the console; shown where it does not come up.
    """
    # A link to nothing: networkd would wait for a device that is not there.
    for unit in ("systemd-networkd.service", "systemd-networkd-wait-online.service"):
        mask = trees.inside(tree, PurePosixPath("/etc/systemd/system", unit))
        mask.unlink(missing_ok=True)
        mask.symlink_to("/dev/null")
    with cgroups.own() as groups, log.open("wb") as output:
        nspawn = subprocess.Popen(
            _command(tree, groups),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        try:
            container = Container(tree, nspawn)
            wait_until(container.is_up, BOOT_S)
            yield container
        finally:
            _switch_off(nspawn)


def _command(tree: Path, groups: Iterable[Path]) -> list[str]:
    enter = "".join(f"echo $$ >{group} && " for group in groups)
    return [
        *("sh", "-c", f'{enter} exec "$@"', "sh"),
        # The container ends with whoever runs the tests, however that ends.
        *("setpriv", "--pdeathsig", "SIGTERM"),
        *("systemd-nspawn", "--quiet", f"--directory={tree}"),
        # Else its name is the folder's, which another one's may be, too.
        f"--machine=s3-{secrets.token_hex(4)}",
        # This machine's own systemd need not run, and need not know.
        *("--register=no", "--keep-unit"),
        *("--private-network", "--console=pipe", "--boot"),
    ]


def _switch_off(nspawn: subprocess.Popen[bytes]) -> None:
    nspawn.send_signal(signal.SIGTERM)
    try:
        nspawn.wait(WAIT_S)
    except subprocess.TimeoutExpired:
        nspawn.kill()
        nspawn.wait()
