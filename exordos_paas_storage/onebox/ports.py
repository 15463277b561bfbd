"""The API's port: the one asked for, the one of last time, or the next free one."""

from __future__ import annotations

import socket

from exordos_paas_storage.domain import errors
from exordos_paas_storage.nodes import port_lock

PREFERRED = 8080


def take(host: str, asked: int | None, before: int | None) -> tuple[int, socket.socket]:
    """A port to listen on, and the lock that keeps it from other services here.

    Args:
        host: the address to listen on.
        asked: by name; it is that one or none.
        before: the one used last time, kept where it is free.

    Returns:
        The port, and its lock: hold it as long as the port is used.

    Raises:
        SetupError: the port asked for is taken.
    """
    if asked is not None:
        try:
            return asked, port_lock.take(host, asked)
        except port_lock.PortTaken:
            raise errors.SetupError(
                f"port {asked} is taken: stop what listens there, or leave out "
                "--api-port to have a free one chosen"
            ) from None
    wanted = before or PREFERRED
    refused: set[int] = set()
    while True:
        try:
            return wanted, port_lock.take(host, wanted)
        except port_lock.PortTaken:
            refused.add(wanted)
            wanted = port_lock.pick(host, PREFERRED, refused)
