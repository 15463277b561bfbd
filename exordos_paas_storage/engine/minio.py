"""MinIO: some admin bodies are sealed with the caller's secret."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any, cast

from minio import crypto

from exordos_paas_storage.domain import capabilities
from exordos_paas_storage.engine import admin, answers, minio_policy, remote

_SEALED_REQUESTS = frozenset(
    ("add-user", "add-service-account", "update-service-account")
)
_SEALED_ANSWERS = frozenset(("info-service-account",))


class MinioAdmin(admin.Admin):
    """Sealing costs both sides some 50 ms: an answer nobody reads stays sealed."""

    prefix = "/minio/admin/v3/"

    def _sealed(self, route: str, content: bytes) -> bytes:
        if route not in _SEALED_REQUESTS:
            return content
        return crypto.encrypt(content, self._root.secret_key)

    def _opened(self, route: str, content: bytes) -> bytes:
        if route not in _SEALED_ANSWERS:
            return content
        try:
            return crypto.decrypt(cast(Any, _Body(content)), self._root.secret_key)
        except (OSError, ValueError):  # cut short, or sealed with another secret
            raise answers.refusal(route, 200, answers.MALFORMED) from None


class _Body(io.BytesIO):
    """The part of urllib3's response that `crypto.decrypt` uses."""

    def release_conn(self) -> None: ...


class MinioEngine(remote.RemoteEngine):
    """One MinIO process."""

    ENGINE = capabilities.MINIO
    ADMIN = MinioAdmin
    UNKNOWN = frozenset(
        (
            "XMinioAdminNoSuchPolicy",
            "XMinioAdminNoSuchUser",
            "XMinioInvalidIAMCredentials",  # no such service account
        )
    )

    def version(self) -> str:
        return remote.text_at(self._admin.ask("info"), "servers", 0, "version")

    @staticmethod
    def _written(document: Mapping[str, Any]) -> Mapping[str, Any]:
        return minio_policy.written(document)

    @staticmethod
    def _document(answer: Mapping[str, Any]) -> Any:
        return minio_policy.read(answer)
