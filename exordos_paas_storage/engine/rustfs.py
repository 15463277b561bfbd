"""RustFS: plain JSON under its native admin prefix."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exordos_paas_storage.domain import capabilities, errors, state
from exordos_paas_storage.engine import admin, answers, remote, signed


class RustfsAdmin(admin.Admin):
    """RustFS also answers MinIO's prefix, but with MinIO's sealed bodies."""

    prefix = "/rustfs/admin/v3/"


class RustfsEngine(remote.RemoteEngine):
    """One RustFS process, 1.0 or later."""

    ENGINE = capabilities.RUSTFS
    ADMIN = RustfsAdmin
    UNKNOWN = frozenset(("NoSuchResource",))
    NEVER = "9999-12-31T23:59:59Z"

    def version(self) -> str:
        # Its admin info names the commit; the health answer has the release.
        answer = self._http.plain("version", self.capabilities.health_path)
        if not answer.is_success:
            code = signed.error_code(answer)
            raise answers.refusal("version", answer.status_code, code)
        return remote.text_at(signed.json_or_none(answer.content), "version")

    def access_key(self, access_key: str) -> state.AccessKey | None:
        """A key that ran out a minute ago is read from a list.

        RustFS answers 500 when it is asked about it (seen), until it forgets it when
        it next loads its keys, two minutes after the expiry at the latest.
        """
        try:
            return super().access_key(access_key)
        except errors.EngineRefused as refusal:
            if refusal.status != 500:
                raise
            key = self._listed_keys().get(access_key)
            if key is None or key.expires_at is None:
                raise
            return key

    @staticmethod
    def _document(answer: Mapping[str, Any]) -> Any:
        return answer.get("policy")
