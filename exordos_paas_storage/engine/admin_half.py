"""The identity half of the real engines: policies, users and access keys."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any

from exordos_paas_storage.domain import errors, state
from exordos_paas_storage.engine import admin, answers


class AdminHalf:
    """What both engines' admin APIs have in common; the rest is named below.

    A method's promise is in `port.Engine`.
    """

    # Error codes by which the engine says that there is no such thing.
    UNKNOWN: frozenset[str] = frozenset()

    def __init__(self, calls: admin.Admin) -> None:
        self._admin = calls

    @staticmethod
    def _written(document: Mapping[str, Any]) -> Mapping[str, Any]:
        """The policy document as the engine is to get it."""
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
        return state.Policy(name, document)

    def put_policy(self, policy: state.Policy) -> None:
        params = {"name": policy.name}
        document = self._written(policy.document)
        self._admin.tell("PUT", "add-canned-policy", params, document)

    def drop_policy(self, name: str) -> None:
        self._remove("remove-canned-policy", {"name": name}, self.policy)

    # Users

    def user(self, name: str) -> state.User | None:
        answer = self._known("user-info", {"accessKey": name})
        if answer is None:
            return None
        return state.User(
            name,
            policies=frozenset(filter(None, answer.get("policyName", "").split(","))),
            enabled=answer.get("status") == "enabled",
        )

    def add_user(self, name: str, secret: str) -> None:
        # RustFS demands the status, MinIO takes a missing one for "disabled".
        body = {"secretKey": secret, "status": "enabled"}
        self._admin.tell("PUT", "add-user", {"accessKey": name}, body)

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

    def access_key(self, access_key: str) -> state.AccessKey | None:
        answer = self._known("info-service-account", {"accessKey": access_key})
        if answer is None:
            return None
        return state.AccessKey(
            access_key,
            user=answer.get("parentUser", ""),
            description=answer.get("description") or "",
            enabled=answer.get("accountStatus") == "on",
        )

    def add_access_key(self, key: state.AccessKey, secret: str) -> None:
        known = self.access_key(key.access_key)
        if known and known.user != key.user:
            raise errors.EngineRefused("add-service-account", 409, "AccessKeyTaken")
        if known and known.description and not key.description:
            # No update empties a description on MinIO; only a new account has none.
            self.drop_access_key(key.access_key)
            known = None
        if known is None:
            # An account is born enabled: one that must not be gets its secret when
            # it is switched off.
            self._create(key, secret if key.enabled else secrets.token_hex(20))
        if known or not key.enabled:
            self._update(key, secret)

    def drop_access_key(self, access_key: str) -> None:
        params = {"accessKey": access_key}
        self._remove("delete-service-account", params, self.access_key)

    def _create(self, key: state.AccessKey, secret: str) -> None:
        body = {
            "targetUser": key.user,
            "accessKey": key.access_key,
            "secretKey": secret,
            "description": key.description,
        }
        self._admin.tell("PUT", "add-service-account", body=body)

    def _update(self, key: state.AccessKey, secret: str) -> None:
        """Write the whole state of an account.

        The empty policy is part of it: MinIO drops the scope when it is left out,
        RustFS keeps it.
        """
        body: dict[str, Any] = {
            "newSecretKey": secret,
            "newStatus": "on" if key.enabled else "off",
            "newDescription": key.description,
            "newPolicy": {},
        }
        params = {"accessKey": key.access_key}
        self._admin.tell("POST", "update-service-account", params, body)

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
