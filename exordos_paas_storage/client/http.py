"""Calls of the HTTP API, with tokens that renew themselves."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from exordos_paas_storage.domain import errors, status

BASE = "/v1/types/s3"
TOKEN_PATH = "/v1/iam/clients/default/actions/get_token/invoke"  # noqa: S105
# A token is renewed when less than this is left of it.
_SPARE_S = 60.0


class ApiRefused(errors.StorageError):
    """The API answered with an error.

    Args:
        answer: the error form; `kind` and `code` are its `type` and `code`.
    """

    def __init__(self, code: int, answer: Mapping[str, Any]) -> None:
        super().__init__(str(answer.get("message") or f"HTTP {code}"))
        self.code, self.kind = code, str(answer.get("type", ""))


class ApiUnreachable(errors.StorageError):
    """The API did not answer."""


class NotActive(errors.StorageError):
    """An object did not become ACTIVE in time, or can't as things are."""


@dataclass(frozen=True)
class Login:
    """Whose token is asked for, and for which project; the password is in no `repr`."""

    username: str
    password: str = field(repr=False)
    project_id: str


class Client:
    """Calls of one service as one user.

    Args:
        api_url: scheme, host and port.
        login: see `Login`.
        http: for a test, or a host with its own TLS settings.
    """

    def __init__(
        self, api_url: str, login: Login, http: httpx.Client | None = None
    ) -> None:
        self._http = http or httpx.Client(timeout=30)
        self._api_url, self._login = api_url.rstrip("/"), login
        self._token, self._good_until = "", 0.0

    def get(self, path: str) -> Any:
        """An object, or a page of a list; `path` is below `/v1/types/s3`."""
        return self._call("GET", path)

    def find(self, path: str) -> Any | None:
        """An object, or `None` where there is none."""
        try:
            return self.get(path)
        except ApiRefused as error:
            if error.code == 404:
                return None
            raise

    def create(self, path: str, body: Mapping[str, Any], key: str = "") -> Any:
        """Create an object in a collection.

        Args:
            path: of the collection.
            body: the object's fields.
            key: a text of the caller's own for this one call. Where it got no answer,
                the same call with the same key has the first one's, and creates
                nothing twice.
        """
        return self._call("POST", path, body, headers=_keyed(key))

    def invoke(
        self,
        path: str,
        action: str,
        body: Mapping[str, Any] | None = None,
        key: str = "",
    ) -> Any:
        """Do an action to an object; `key` as in `create`."""
        where = f"{path}/actions/{action}/invoke"
        return self._call("POST", where, body or {}, headers=_keyed(key))

    def update(
        self, path: str, body: Mapping[str, Any], only_at: int | None = None
    ) -> Any:
        """Change fields of an object, with `only_at` at that generation alone.

        Raises:
            ApiRefused: with the `code` 412 the object is at another generation.
        """
        return self._call("PATCH", path, body, headers=_matched(only_at))

    def delete(self, path: str, only_at: int | None = None) -> None:
        """Ask for a deletion; it is done when `find` answers `None`.

        `only_at` and its refusal are as in `update`.
        """
        self._call("DELETE", path, headers=_matched(only_at))

    def wait_active(
        self,
        path: str,
        within_s: float,
        *,
        through_errors: bool = True,
    ) -> Any:
        """The object once it is ACTIVE.

        Args:
            path: of the object.
            within_s: seconds it may take.
            through_errors: an `ERROR` is retried, so waiting on may be worth it.

        Raises:
            NotActive: it is not within `within_s` seconds; with the object's message.
        """
        deadline = time.monotonic() + within_s
        while True:
            found = self.get(path)
            if found["status"] == status.ACTIVE:
                return found
            broken = found["status"] == status.ERROR and not through_errors
            if broken or time.monotonic() > deadline:
                raise NotActive(
                    f"{path} is {found['status']}: "
                    f"{found['status_message'] or 'no reason is given'}"
                )
            time.sleep(0.05)

    def _call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        said = {**(headers or {}), "Authorization": f"Bearer {self._fresh_token()}"}
        answer = self._send(method, BASE + path, json=body, headers=said)
        return answer.json() if answer.content else None

    def _fresh_token(self) -> str:
        if time.monotonic() > self._good_until - _SPARE_S:
            form = {
                "grant_type": "password",
                "username": self._login.username,
                "password": self._login.password,
                "scope": f"project:{self._login.project_id}",
            }
            found = self._send("POST", TOKEN_PATH, data=form).json()
            self._token = found["access_token"]
            self._good_until = time.monotonic() + found["expires_in"]
        return self._token

    def _send(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            answer = self._http.request(method, self._api_url + path, **request)
        except httpx.HTTPError as error:
            raise ApiUnreachable(
                f"{self._api_url} does not answer ({type(error).__name__})"
            ) from None
        if answer.is_error:
            try:
                form = answer.json()
            except ValueError:
                form = {}
            raise ApiRefused(answer.status_code, form)
        return answer


def _keyed(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key} if key else {}


def _matched(only_at: int | None) -> dict[str, str]:
    return {} if only_at is None else {"If-Match": f'"{only_at}"'}
