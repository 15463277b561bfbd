"""What a machine of the stand is told: where it is mounted and what runs in it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Unit:
    """A service, or with `oneshot` a command that runs to its end.

    Attributes:
        name: without `.service`.
        argv: the command; found on the path of `env`.
        env: its whole environment.
        env_file: more of it, read at each start as systemd reads one; may be missing.
        uid: of its account and its group; None for root.
        keep: whether it is started again whenever it ends by itself.
        final_status: an exit status after which it is not started again.
        ready_port: a TCP port of this machine that answers once it serves.
        stop_s: seconds until a stop becomes a kill.
        limit_s: seconds that a start may take, to readiness or to the end of a oneshot.
    """

    name: str
    argv: list[str]
    env: Mapping[str, str] = field(default_factory=dict)
    env_file: str | None = None
    cwd: str = "/"
    uid: int | None = None
    umask: int = 0o022
    keep: bool = True
    keep_after_s: float = 1.0
    final_status: int | None = None
    oneshot: bool = False
    ready_port: int | None = None
    ready_host: str = "127.0.0.1"
    stop_s: float = 15.0
    limit_s: float = 90.0


@dataclass(frozen=True)
class Machine:
    """A machine: namespaces of its own, a service manager, and units.

    Attributes:
        control: the socket that its manager listens on.
        logs: the folder of its units' logs.
        address: with the length of its network, `10.20.0.2/22`; without one it gets
            no link.
        bridge: the bridge of its host that it is linked to, or that it makes for
            others when it is the host itself.
        is_host: whether it is the outermost one.
        dmi: what `/sys/class/dmi/id/product_uuid` says.
        overlays: folders that are its own: path -> where its changes are kept.
        binds: what else is mounted: path -> from where.
        boot: units that are started with it, in this order.
    """

    name: str
    control: str
    logs: str
    address: str | None = None
    gateway: str | None = None
    bridge: str = ""
    is_host: bool = False
    dmi: str | None = None
    overlays: Mapping[str, str] = field(default_factory=dict)
    binds: Mapping[str, str] = field(default_factory=dict)
    units: list[Unit] = field(default_factory=list)
    boot: list[str] = field(default_factory=list)

    def write(self, path: Path) -> Path:
        """Write it, closed to others, as environments hold passwords."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(json.dumps(dataclasses.asdict(self), indent=1))
        return path


def read(path: Path) -> Machine:
    """A machine as `Machine.write` wrote it."""
    content: dict[str, Any] = json.loads(path.read_text())
    content["units"] = [Unit(**unit) for unit in content["units"]]
    return Machine(**content)
