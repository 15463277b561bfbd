"""MinIO: some admin bodies are sealed with the caller's secret."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any, cast

from minio import crypto

from exordos_paas_storage.domain import capabilities, errors, state
from exordos_paas_storage.engine import (
    admin,
    answers,
    minio_policy,
    remote,
    service_account,
    signed,
)

_SEALED_REQUESTS = frozenset(
    ("add-user", "add-service-account", "update-service-account")
)
_SEALED_ANSWERS = frozenset(
    ("info-service-account", "list-access-keys-bulk", "list-users")
)

_IMPORT = "import-iam-v2"


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

    def import_iam(self, file: str, content: Mapping[str, Any]) -> None:
        """Write entries of one file of MinIO's IAM archive over what it has.

        Raises:
            EngineUnavailable: no answer, or the engine is not ready.
            EngineRefused: it refused the archive, or an entry of it.
        """
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as packed:
            packed.writestr(f"iam-assets/{file}", json.dumps(content, default=dict))
        answer = self._call(_IMPORT, "PUT", {}, archive.getvalue())
        outcome = signed.json_or_none(answer.content)
        if not isinstance(outcome, dict) or "failed" not in outcome:
            raise answers.refusal(_IMPORT, answer.status_code, answers.MALFORMED)
        if any(outcome["failed"].values()):
            raise answers.refusal(_IMPORT, 400, "ImportFailed")


class _Body(io.BytesIO):
    """The part of urllib3's response that `crypto.decrypt` uses."""

    def release_conn(self) -> None: ...


class MinioEngine(remote.RemoteEngine):
    """One MinIO process.

    A disabled user counts as unknown where policies are mapped to it or a key is added
    under it (seen). The import of an IAM archive does the same without that check:
    source: MinIO, `cmd/admin-handlers-users.go`, `SetPolicyForUserOrGroup`,
    `AddServiceAccount` and `importIAM`.
    """

    ENGINE = capabilities.MINIO
    ADMIN = MinioAdmin
    UNKNOWN = frozenset(
        (
            "XMinioAdminNoSuchPolicy",
            "XMinioAdminNoSuchUser",
            "XMinioInvalidIAMCredentials",  # no such service account
        )
    )

    _admin: MinioAdmin
    NEVER = "1970-01-01T00:00:00Z"

    def version(self) -> str:
        return remote.text_at(self._admin.ask("info"), "servers", 0, "version")

    def map_policies(self, user: str, policies: frozenset[str]) -> None:
        try:
            super().map_policies(user, policies)
        except errors.EngineRefused as refusal:
            if not self._is_of_disabled(user, refusal):
                raise
            mapping = {"version": 1, "policy": ",".join(sorted(policies))}
            self._admin.import_iam("user_mappings.json", {user: mapping})

    def _create(self, key: state.AccessKey, secret: str) -> None:
        try:
            super()._create(key, secret)
        except errors.EngineRefused as refusal:
            if not self._is_of_disabled(key.user, refusal):
                raise
            account = {
                "parent": key.user,
                "accessKey": key.access_key,
                "secretKey": secret,
                "description": key.description,
                "sessionPolicy": key.scope and self._written(key.scope),
            }
            if key.expires_at is not None:
                account["expiration"] = service_account.moment(key.expires_at)
            self._admin.import_iam("svcaccts.json", {key.access_key: account})

    def _is_of_disabled(self, user: str, refusal: errors.EngineRefused) -> bool:
        if refusal.code != "XMinioAdminNoSuchUser":
            return False
        known = self.user(user)
        return known is not None and not known.enabled

    @staticmethod
    def _written(document: Mapping[str, Any]) -> Mapping[str, Any]:
        return minio_policy.written(document)

    @staticmethod
    def _read(document: Mapping[str, Any]) -> Mapping[str, Any]:
        return minio_policy.read(document)

    @staticmethod
    def _document(answer: Mapping[str, Any]) -> Any:
        return answer
