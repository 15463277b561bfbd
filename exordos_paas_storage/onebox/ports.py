"""The API's port: the one asked for, the one of last time, or the next free one."""

from __future__ import annotations

from exordos_paas_storage.domain import errors
from exordos_paas_storage.nodes import port_lock

PREFERRED = 8080


def of_api(host: str, asked: int | None, before: int | None) -> int:
    """The port to listen on.

    Args:
        asked: by name; it is that one or none.
        before: the one used last time, kept where it is free.

    Raises:
        SetupError: the port asked for is taken.
    """
    if asked is not None:
        if not port_lock.is_free(host, asked):
            raise errors.SetupError(
                f"port {asked} is taken: stop what listens there, or leave out "
                "--api-port to have a free one chosen"
            )
        return asked
    if before is not None and port_lock.is_free(host, before):
        return before
    return port_lock.pick(host, PREFERRED, frozenset())
