"""A real engine: its S3 half, its identity half and the connections of both."""

from __future__ import annotations

from typing import Any

from exordos_paas_storage.domain import capabilities, state
from exordos_paas_storage.engine import admin, admin_half, answers, s3, signed


class RemoteEngine(s3.S3Half, admin_half.AdminHalf):
    """Base of the adapters, which name what their engines do differently.

    Args:
        url: the engine's address, such as `http://10.0.0.5:9000`.
        root: the engine's root key pair.
        version: the release that should run there; `version()` says what does.
    """

    ENGINE: str
    ADMIN: type[admin.Admin]

    def __init__(self, url: str, root: state.Credentials, version: str = "") -> None:
        self.capabilities = capabilities.of(self.ENGINE, version)
        self._http = signed.SignedHttp(url)
        s3.S3Half.__init__(self, url, root, self._http)
        admin_half.AdminHalf.__init__(self, self.ADMIN(self._http, root))

    def version(self) -> str:
        """The version that the running process reports of itself."""
        raise NotImplementedError


def text_at(value: Any, *path: str | int) -> str:
    """The text at `path` in an engine's JSON answer about its version."""
    try:
        for step in path:
            value = value[step]
    except (KeyError, IndexError, TypeError):
        value = None
    if not isinstance(value, str):
        raise answers.refusal("version", 200, answers.MALFORMED)
    return value
