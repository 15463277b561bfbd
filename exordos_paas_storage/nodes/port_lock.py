"""One engine for one port: the lock that the kernel keeps while the engine lives.

RustFS listens with SO_REUSEPORT, so that a second one on its port starts without an
error and takes half of the connections. A bound abstract Unix socket, handed to the
engine, is a lock that ends with it, however it ends.
"""

from __future__ import annotations

import errno
import ipaddress
import socket
from collections.abc import Set

from exordos_paas_storage.domain import errors

_TRIES = 2000


class PortTaken(errors.StorageError):
    """Somebody else has the port; `args` say which."""


def take(host: str, port: int) -> socket.socket:
    """Lock the port for an engine to be started.

    Returns:
        The lock: pass its descriptor to the engine, then close it.

    Raises:
        PortTaken: an engine of ours holds it, or somebody listens there.
    """
    lock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        lock.bind(f"\0exordos-storage/port/{host}/{port}")
        for address in _addresses(host):
            _check_unused(address, port)
    except OSError as error:
        lock.close()
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(f"port {port} of {host} is taken") from None
        raise PortTaken(
            f"port {port} of {host} can't be used: {error.strerror}"
        ) from None
    return lock


def is_free(host: str, port: int) -> bool:
    """Whether an engine could take the port now."""
    try:
        take(host, port).close()
    except PortTaken:
        return False
    return True


def pick(host: str, preferred: int, taken: Set[int]) -> int:
    """The first port from `preferred` on that is free and not in `taken`.

    Raises:
        SetupError: none of the next `_TRIES` is.
    """
    last = min(preferred + _TRIES, 65535)
    for port in range(preferred, last + 1):
        if port not in taken and is_free(host, port):
            return port
    raise errors.SetupError(
        f"no port from {preferred} to {last} of {host} is free: name another one"
    )


def _addresses(host: str) -> list[str]:
    # MinIO told to listen on 127.0.0.1 takes the port of ::1 as well, and a client
    # that is told `localhost` may try that one first.
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = host == "localhost"
    return [host, "::1"] if loopback and host != "::1" else [host]


def _check_unused(address: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # Connections in TIME_WAIT must not refuse a restart; a listener, also one
        # with SO_REUSEPORT, still does.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            # No IPv6 here: then nobody listens there either.
            if address == "::1" and error.errno != errno.EADDRINUSE:
                return
            raise
