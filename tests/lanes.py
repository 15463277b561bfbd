"""What keeps the processes of one run apart (pytest-xdist)."""

from __future__ import annotations

import ctypes
import fcntl
import functools
import os
import socket
import struct
import subprocess

from xdist.scheduler import LoadFileScheduling

_SERVICES = "tests/onebox/"
# Source: unshare(2), netdevice(7).
_CLONE_NEWNET = 0x40000000
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 1


class Lanes(LoadFileScheduling):
    """A file's tests run in one process.

    So do all that start whole services, where processes share the machine's network:
    services look for ports from 8080 and 9000 on, and expect them again later.
    """

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(_SERVICES) and not own_networks():
            return _SERVICES
        return super()._split_scope(nodeid)


@functools.cache
def own_networks() -> bool:
    """Whether each process gets a network of its own, which takes root's rights."""
    if os.geteuid() != 0:
        return False
    tried = ["unshare", "--net", "true"]
    return subprocess.run(tried, check=False, capture_output=True).returncode == 0


def enter_own_network() -> None:
    """Give this thread, and all that it starts, a network with a loopback alone."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        up = struct.pack("16sh14x", b"lo", _IFF_UP)
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, up)
