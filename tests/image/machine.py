"""A virtual machine as the platform makes one, and what its disks hold.

Source: gcl_sdk's libvirt domain: q35, BIOS, the root disk at /dev/vda and the data disk
at /dev/vdb by virtio-blk.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
from node_image import accelerator, base_disk

from exordos_paas_storage.nodes import image
from tests.box import wait_until

BOOT_S = 300.0
# How often the power button is pressed.
_PRESS_S = 5.0
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
# Not QEMU's own, with which the platform's base image skips its bootstrap.
_MAC = "52:54:00:aa:00:01"
_PORT = "spare"


class Machine:
    """One machine on given disks; switched off hard at the end of its `with` block.

    Args:
        root: raw root disk.
        data: raw data disks, in the order in which the machine sees them.
        top: an existing folder for its log and its control socket.
        by: how this host runs guests.
    """

    def __init__(
        self,
        root: Path,
        data: Sequence[Path],
        top: Path,
        by: accelerator.Accelerator,
    ) -> None:
        self.root, self.data, self._by = root, tuple(data), by
        self.serial = top / "serial.log"
        self._control = top / "qmp"
        self._said = top / "qemu.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.port = _free_port()

    def __enter__(self) -> Machine:
        self.switch_on()
        return self

    def __exit__(self, *_: object) -> None:
        self.cut_power()

    @property
    def url(self) -> str:
        """Where the engine's port is reached from here."""
        return f"http://127.0.0.1:{self.port}"

    def switch_on(self) -> None:
        """Start it; returns at once."""
        self._control.unlink(missing_ok=True)
        with self._said.open("ab") as log:
            self._process = subprocess.Popen(
                self._command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def _command(self) -> list[str]:
        drives = [
            word
            for disk in (self.root, *self.data)
            for word in ("-drive", f"file={disk},format=raw,if=virtio,discard=unmap")
        ]
        forward = f"hostfwd=tcp:127.0.0.1:{self.port}-:{image.PORT}"
        return [
            *(accelerator.QEMU, "-machine", "q35", "-smp", "2", "-m", "1536"),
            *self._by.arguments(),
            *("-display", "none", "-monitor", "none", "-no-reboot"),
            *("-serial", f"file:{self.serial}"),
            *("-qmp", f"unix:{self._control},server=on,wait=off"),
            *drives,
            *("-device", f"pcie-root-port,id={_PORT},chassis=1,slot=1"),
            # The guest reaches nobody; the port is reached from this machine alone.
            *("-netdev", f"user,id=n0,restrict=on,{forward}"),
            *("-device", f"virtio-net-pci,netdev=n0,mac={_MAC}"),
        ]

    def cut_power(self) -> None:
        """As if the plug were pulled."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def power_off(self) -> None:
        """Press the power button until the machine is off.

        Nobody hears it before systemd-logind has opened it, which may be later than
        what a test waited for.
        """
        process = self._process
        assert process

        def is_off() -> bool:
            with contextlib.suppress(OSError, ValueError):
                self._ask("system_powerdown")
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_PRESS_S)
            return process.poll() is not None

        try:
            wait_until(is_off, BOOT_S)
        except AssertionError:
            raise AssertionError(f"it does not go off:\n{self.console()}") from None
        self._process = None

    def grow(self, disk: Path, to_bytes: int) -> None:
        """Make a data disk larger while the machine runs."""
        number = self.data.index(disk) + 1
        self._ask("block_resize", device=f"virtio{number}", size=to_bytes)

    def plug(self, disk: Path) -> None:
        """Attach a data disk while the machine runs."""
        name = {"node-name": "late", "driver": "file", "filename": str(disk)}
        self._ask("blockdev-add", **name)
        # A machine of this kind takes new devices behind such a port alone.
        self._ask("device_add", driver="virtio-blk-pci", drive="late", bus=_PORT)

    def _ask(self, command: str, **arguments: Any) -> None:
        """Give QEMU a command.

        Source: QEMU Machine Protocol: a greeting, `qmp_capabilities`, then commands.
        """
        with socket.socket(socket.AF_UNIX) as control:
            control.settimeout(30)
            control.connect(str(self._control))
            with control.makefile("rw") as line:
                json.loads(line.readline())
                for execute, given in (("qmp_capabilities", {}), (command, arguments)):
                    line.write(json.dumps({"execute": execute, "arguments": given}))
                    line.flush()
                    answer = {"event": ""}
                    while "event" in answer:
                        answer = json.loads(line.readline())
                    assert "return" in answer, answer

    def console(self, lines: int = 60) -> str:
        """The end of what the machine wrote to its console."""
        if not self.serial.exists():
            return self._said.read_text()
        plain = _COLOUR.sub("", self.serial.read_text(errors="replace"))
        return "\n".join(plain.splitlines()[-lines:])

    def wait(self, what: str, condition: Callable[[], Any]) -> float:
        """Wait until `condition` holds; for how many seconds it did not.

        Raises:
            AssertionError: the machine ended, or it took too long.
        """
        began = time.monotonic()
        while not condition():
            took = time.monotonic() - began
            if self._process is None or self._process.poll() is not None:
                raise AssertionError(f"it ended before {what}:\n{self.console()}")
            if took > BOOT_S:
                raise AssertionError(f"not {what} in {took:.0f} s:\n{self.console()}")
            time.sleep(0.25)
        return time.monotonic() - began

    def wait_ready(self, path: str) -> float:
        """Wait until the engine says that it serves; for how many seconds."""
        return self.wait("ready", lambda: answers(self.url + path))

    def wait_console(self, pattern: str) -> float:
        """Wait until a line of the console matches the regular expression."""
        return self.wait(
            f"on its console: {pattern}",
            lambda: re.search(pattern, self.console(10_000)),
        )


def answers(url: str) -> bool:
    """Whether a GET is answered with 200."""
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(url, timeout=2.0, trust_env=False).status_code == 200
    return False


def copy(raw: Path, to: Path, size: int | None = None) -> Path:
    """A copy of a disk that takes no more room than its content, made larger."""
    subprocess.run(["cp", "--sparse=always", raw, to], check=True)
    if size:
        with to.open("r+b") as disk:
            disk.truncate(size)
    return to


def blank(path: Path, size: int) -> Path:
    """An empty disk."""
    with path.open("xb") as disk:
        disk.truncate(size)
    return path


def deliver(root: Path, files: Sequence[image.File]) -> None:
    """Write files into a root disk that no machine uses.

    Stands in for the platform's agent, which would write them after the first boot.
    """
    uids = {"root": 0, image.USER: image.UID}
    gids = {"root": 0, image.GROUP: image.GID}
    with tempfile.TemporaryDirectory() as top:
        script = []
        for number, one in enumerate(files):
            source = Path(top) / str(number)
            source.write_text(one.content)
            script += [
                f"rm {one.path}",
                f"write {source} {one.path}",
                f"set_inode_field {one.path} mode 010{one.mode}",
                f"set_inode_field {one.path} uid {uids[one.owner]}",
                f"set_inode_field {one.path} gid {gids[one.group]}",
            ]
        commands = Path(top) / "commands"
        commands.write_text("\n".join(script) + "\n")
        _debugfs(root, "-w", "-f", str(commands))
    for one in files:
        assert read(root, str(one.path)) == one.content.encode(), one.path


def read(root: Path, path: str) -> bytes:
    """A file's content on a root disk that no machine uses."""
    return _debugfs(root, "-R", f"cat {path}")


def journal(root: Path, unit: str) -> str:
    """What a unit wrote to the journal of a machine that was switched off."""
    with tempfile.TemporaryDirectory() as top:
        _debugfs(root, "-R", f"rdump /var/log/journal {top}")
        said = subprocess.run(
            [
                "journalctl",
                "-q",
                "-D",
                f"{top}/journal",
                "-u",
                unit,
                "-o",
                "cat",
                "--no-pager",
            ],
            capture_output=True,
            text=True,
            check=True,
        )
    return said.stdout


def _debugfs(root: Path, *words: str) -> bytes:
    done = subprocess.run(
        ["debugfs", *words, f"{root}?offset={base_disk.OFFSET_BYTES}"],
        capture_output=True,
        check=True,
    )
    return done.stdout


def size_of_root(root: Path) -> int:
    """Bytes of the root file system of a disk that no machine uses."""
    said = _debugfs(root, "-R", "stats -h").decode()
    blocks, block = (
        int(re.search(rf"^{name}:\s+(\d+)$", said, re.M)[1])
        for name in ("Block count", "Block size")
    )
    return blocks * block


@contextlib.contextmanager
def folder(top: Path) -> Iterator[Path]:
    """A folder for large disks, removed at the end."""
    path = Path(tempfile.mkdtemp(dir=top))
    try:
        yield path
    finally:
        shutil.rmtree(path)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
