"""A control group for each container: systemd in it counts its processes by that.

Two that share one would find, and kill, the processes of each other's units.
"""

from __future__ import annotations

import contextlib
import functools
import secrets
from collections.abc import Iterator
from pathlib import Path

from tests.box import wait_until

GONE_S = 60.0


@contextlib.contextmanager
def own() -> Iterator[list[Path]]:
    """Fresh groups below those of this process, gone at the end.

    Yields:
        The file of each that takes the pid of a process.
    """
    # One name: systemd-nspawn makes that of one hierarchy in the other, too.
    name = f"s3-image-{secrets.token_hex(8)}"
    made = [parent / name for parent in _groups()]
    assert made, "no control groups here that systemd could use"
    for group in made:
        group.mkdir()
    try:
        yield [group / "cgroup.procs" for group in made]
    finally:
        for group in made:
            wait_until(functools.partial(_remove, group), GONE_S)


def _groups() -> Iterator[Path]:
    """This process's groups in the hierarchies that systemd uses.

    Source: cgroups(7), /proc/pid/cgroup; proc_pid_mountinfo(5).
    """
    paths = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        paths[controllers] = path
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        place, _, kind = line.partition(" - ")
        root, top = place.split()[3:5]
        if kind.startswith("cgroup2 "):
            path = paths.get("", "")
        elif kind.startswith("cgroup ") and "name=systemd" in kind:
            path = paths.get("name=systemd", "")
        else:
            continue
        if path and Path(path).is_relative_to(root):
            yield Path(top) / Path(path).relative_to(root)


def _remove(group: Path) -> bool:
    """Remove a group and those below; False while a process still ends in one."""
    below = [path for path in group.rglob("*") if path.is_dir()]
    with contextlib.suppress(OSError):
        for folder in [*sorted(below, reverse=True), group]:
            folder.rmdir()
    return not group.exists()
