"""The identity half of the real engines: policies, users and access keys."""

from __future__ import annotations

import dataclasses
import datetime
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from exordos_paas_storage.domain import capabilities, errors, state
from exordos_paas_storage.engine import admin, answers, service_account


class AdminHalf:
    """What both engines' admin APIs have in common; the rest is named below.

    A method's promise is in `port.Engine`.
    """

    # Error codes by which the engine says that there is no such thing.
    UNKNOWN: frozenset[str] = frozenset()
    # The expiry by which the engine is told, and says, that there is none.
    NEVER = ""

    capabilities: capabilities.Capabilities

    def __init__(self, calls: admin.Admin) -> None:
        self._admin = calls

    @staticmethod
    def _written(document: Mapping[str, Any]) -> Mapping[str, Any]:
        """The policy document as the engine is to get it."""
        return document

    @staticmethod
    def _read(document: Mapping[str, Any]) -> Mapping[str, Any]:
        """The policy document as it was before `_written`."""
        return document

    @staticmethod
    def _document(answer: Mapping[str, Any]) -> Any:
        """The policy document in the answer of info-canned-policy."""
        raise NotImplementedError

    # Policies

    def policy(self, name: str) -> state.Policy | None:
        answer = self._known("info-canned-policy", {"name": name})
        if answer is None:
            return None
        document = self._document(answer)
        if not isinstance(document, Mapping):
            raise answers.refusal("info-canned-policy", 200, answers.MALFORMED)
        return state.Policy(name, self._read(document))

    def put_policy(self, policy: state.Policy) -> None:
        params = {"name": policy.name}
        document = self._written(policy.document)
        self._admin.tell("PUT", "add-canned-policy", params, document)

    def drop_policy(self, name: str) -> None:
        self._remove("remove-canned-policy", {"name": name}, self.policy)

    # Users

    def user(self, name: str) -> state.User | None:
        answer = self._known("user-info", {"accessKey": name})
        return None if answer is None else service_account.user(name, answer)

    def users(self) -> dict[str, state.User]:
        found = self._admin.ask("list-users")
        return {
            name: service_account.user(name, fields) for name, fields in found.items()
        }

    def add_user(self, name: str, secret: str) -> None:
        # RustFS demands the status, MinIO takes a missing one for "disabled".
        body = {"secretKey": secret, "status": "enabled"}
        self._admin.tell("PUT", "add-user", {"accessKey": name}, body)

    def set_user_enabled(self, name: str, enabled: bool) -> None:
        status = "enabled" if enabled else "disabled"
        params = {"accessKey": name, "status": status}
        self._admin.tell("PUT", "set-user-status", params)

    def map_policies(self, user: str, policies: frozenset[str]) -> None:
        params = {
            "policyName": ",".join(sorted(policies)),
            "userOrGroup": user,
            "isGroup": "false",
        }
        self._admin.tell("PUT", "set-user-or-group-policy", params)

    def drop_user(self, name: str) -> None:
        self._remove("remove-user", {"accessKey": name}, self.user)

    # Access keys

    def access_keys(self) -> frozenset[str]:
        return frozenset(self._listed_keys())

    def access_key(self, access_key: str) -> state.AccessKey | None:
        answer = self._known("info-service-account", {"accessKey": access_key})
        if answer is None:
            return None
        key = service_account.read(access_key, answer, self.NEVER)
        scope = None if key.scope is None else self._read(key.scope)
        return dataclasses.replace(key, scope=scope)

    def add_access_key(self, key: state.AccessKey, secret: str) -> None:
        known = self.access_key(key.access_key)
        if known and known.user != key.user:
            raise errors.EngineRefused("add-service-account", 409, "AccessKeyTaken")
        if known and self._must_be_made_anew(key, known):
            self.drop_access_key(key.access_key)
            known = None
        if known is None:
            # An account is born enabled: one that must not be gets its secret when
            # it is switched off.
            self._create(key, secret if key.enabled else secrets.token_hex(20))
        if known or not key.enabled:
            self._update(key, secret, known or key)

    def drop_access_key(self, access_key: str) -> None:
        params = {"accessKey": access_key}
        self._remove("delete-service-account", params, self.access_key)

    def _must_be_made_anew(self, key: state.AccessKey, known: state.AccessKey) -> bool:
        """Whether no update leads from what the engine holds to the wanted key.

        Raises:
            EngineRefused: it must, and it would be refused then.
        """
        now = datetime.datetime.now(datetime.timezone.utc)
        if known.expires_at is not None and known.expires_at <= now:
            # RustFS answers 500 to an update of a key that it has let run out (seen).
            return True
        if not known.description or key.description:
            return False
        # No update empties a description on MinIO; only a new account has none.
        least = datetime.timedelta(seconds=self.capabilities.least_expiry_s)
        if key.expires_at is not None and key.expires_at < now + least:
            raise errors.EngineRefused("add-service-account", 409, "ExpiryTooNear")
        return True

    def _create(self, key: state.AccessKey, secret: str) -> None:
        body: dict[str, Any] = {
            "targetUser": key.user,
            "accessKey": key.access_key,
            "secretKey": secret,
            "description": key.description,
        }
        if key.scope is not None:
            body["policy"] = self._written(key.scope)
        if key.expires_at is not None:
            body["expiration"] = service_account.moment(key.expires_at)
        self._admin.tell("PUT", "add-service-account", body=body)

    def _update(
        self, key: state.AccessKey, secret: str, known: state.AccessKey
    ) -> None:
        """Write the whole state of an account.

        The scope is part of it, and the empty one: MinIO drops the scope when it is
        left out, RustFS keeps it. An expiry that stays is left out, as MinIO refuses
        one that is near even if it is the account's own.
        """
        body: dict[str, Any] = {
            "newSecretKey": secret,
            "newStatus": "on" if key.enabled else "off",
            "newDescription": key.description,
            "newPolicy": {} if key.scope is None else self._written(key.scope),
        }
        if key.expires_at != known.expires_at:
            body["newExpiration"] = (
                service_account.moment(key.expires_at) if key.expires_at else self.NEVER
            )
        params = {"accessKey": key.access_key}
        self._admin.tell("POST", "update-service-account", params, body)

    def _listed_keys(self) -> dict[str, state.AccessKey]:
        """Every account by its id, without what this one call does not tell."""
        params = {"all": "true", "listType": "svcacc-only"}
        answer = self._admin.ask("list-access-keys-bulk", params)
        return service_account.listed(answer, self.NEVER)

    # What the engine says of things that are not there

    def _known(self, route: str, params: Mapping[str, str]) -> dict[str, Any] | None:
        """The answer of a read, None where the engine knows no such thing."""
        try:
            return self._admin.ask(route, params)
        except errors.EngineRefused as refusal:
            if refusal.code not in self.UNKNOWN:
                raise
            return None

    def _remove(
        self,
        route: str,
        params: Mapping[str, str],
        read: Callable[[str], object],
    ) -> None:
        """Remove; a refusal counts as done when a read then finds nothing.

        The engines answer the removal of an unknown thing with 200, 400, 404 or 500
        by kind and release, and only a read tells it from another refusal.

        Args:
            params: the one parameter of the route, the thing's name.
            read: reads the thing by its name.
        """
        (name,) = params.values()
        try:
            self._admin.tell("DELETE", route, params)
        except errors.EngineRefused:
            if read(name) is not None:
                raise
