"""Talking to a machine's manager: one request a connection, a line of JSON each way."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any

# A socket's name is short: over this it is reached by its folder (unix(7): 108).
_NAME_BYTES = 100


class ManagerError(Exception):
    """The manager is not there, or it answers that it can't do what was asked."""


def ask(control: Path, timeout_s: float = 180.0, **request: Any) -> Any:
    """Send one request, and wait until it is done; what it answers.

    Raises:
        ManagerError: nobody listens there, it takes over `timeout_s`, or it failed.
    """
    link = socket.socket(socket.AF_UNIX)
    folder = os.open(control.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        link.settimeout(timeout_s)
        link.connect(name(control, folder))
        link.sendall(json.dumps(request).encode() + b"\n")
        with link.makefile("rb") as answers:
            line = answers.readline()
    except OSError as error:
        raise ManagerError(f"the manager at {control}: {error}") from None
    finally:
        link.close()
        os.close(folder)
    if not line:
        raise ManagerError(f"the manager at {control} ended")
    answer = json.loads(line)
    if "error" in answer:
        raise ManagerError(answer["error"])
    return answer["done"]


def name(control: Path, folder: int) -> str:
    """A name of the socket that is short enough; `folder` is its open folder."""
    if len(os.fsencode(control)) < _NAME_BYTES:
        return str(control)
    return f"/proc/self/fd/{folder}/{control.name}"
