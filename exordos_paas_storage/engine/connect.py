"""From an engine's name and address to its adapter."""

from __future__ import annotations

from exordos_paas_storage.domain import capabilities, errors, state
from exordos_paas_storage.engine import minio, port, remote, rustfs

_ADAPTERS: dict[str, type[remote.RemoteEngine]] = {
    capabilities.RUSTFS: rustfs.RustfsEngine,
    capabilities.MINIO: minio.MinioEngine,
}


def connect(
    engine: str, version: str, url: str, root: state.Credentials
) -> port.Engine:
    """The adapter for `engine` of `version` at `url`; nothing is sent yet.

    It keeps connections: make one for an engine and share it between threads.

    Raises:
        InvalidValue: no such engine is known.
    """
    if engine not in _ADAPTERS:
        known = ", ".join(capabilities.ENGINES)
        raise errors.InvalidValue("engine", f"must be one of {known}")
    return _ADAPTERS[engine](url, root, version)
