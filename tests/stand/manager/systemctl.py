"""Stands in for `systemctl` and `systemd-run` on a machine of the stand.

It takes the calls that the platform and our nodes make, and fails on all others, so
that a new one is noticed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from tests.stand.manager import mounts, protocol

_FAILED, _NO_SUCH_CALL = 1, 64


def main(program: str, arguments: Sequence[str]) -> int:
    """Do one call; its exit status."""
    match program, list(arguments):
        case "systemctl", ["--no-block", "restart", *units] if units:
            refused = _ask(verb="check", units=units)
            if refused:
                return refused
            detach()
            return _ask(verb="restart", units=units)
        case "systemctl", ["restart" as verb, *units] if units:
            return _ask(verb=verb, units=units)
        case "systemctl", ["kill", "--kill-who=all", "-s", name, *units] if units:
            return _ask(verb="kill", units=units, signal_name=name)
        case "systemd-run", ["--no-block", *command] if command:
            detach()
            return subprocess.run(command, check=False).returncode
    sys.stderr.write(
        f"the stand's {program} knows no call {' '.join(arguments)!r}: see"
        " tests/stand/manager/systemctl.py\n"
    )
    return _NO_SUCH_CALL


def detach() -> None:
    """Go on in the background, in a session that no unit's stop ends."""
    if os.fork():
        os._exit(0)
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(null, stream)


def _ask(**request: Any) -> int:
    try:
        protocol.ask(mounts.SOCKET, **request)
    except protocol.ManagerError as error:
        sys.stderr.write(f"Failed: {error}\n")
        return _FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
