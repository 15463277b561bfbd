"""RustFS: plain JSON under its native admin prefix."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exordos_paas_storage.domain import capabilities
from exordos_paas_storage.engine import admin, answers, remote, signed


class RustfsAdmin(admin.Admin):
    """RustFS also answers MinIO's prefix, but with MinIO's sealed bodies."""

    prefix = "/rustfs/admin/v3/"


class RustfsEngine(remote.RemoteEngine):
    """One RustFS process, 1.0 or later."""

    ENGINE = capabilities.RUSTFS
    ADMIN = RustfsAdmin
    UNKNOWN = frozenset(("NoSuchResource",))

    def version(self) -> str:
        # Its admin info names the commit; the health answer has the release.
        answer = self._http.plain("version", self.capabilities.health_path)
        if not answer.is_success:
            code = signed.error_code(answer)
            raise answers.refusal("version", answer.status_code, code)
        return remote.text_at(signed.json_or_none(answer.content), "version")

    @staticmethod
    def _document(answer: Mapping[str, Any]) -> Any:
        return answer.get("policy")
