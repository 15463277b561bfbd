"""Calls of Exordos Core's REST API: one account, one token, never a long wait.

The platform's own client waits 300 s, tries again by itself, and writes the bodies of
calls and answers to the log, tokens and file contents with them (bazooka 1.3.4,
`client.py`, `curl_logging.py`); so the calls are made with httpx here.
"""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx

from exordos_paas_storage.domain import errors

TIMEOUT_S = 5.0
# For so long one call alone tries whether a Core that failed is back.
HOLD_S = 5.0
# The alias stands in Core's load balancer, which adds the client's own id and secret.
TOKEN_PATH = "/v1/iam/clients/default/actions/get_token/invoke"  # noqa: S105 - a path
_TOKEN_TTL_S = 86400
_MISSING, _CONFLICT = 404, 409
# What Core says of an object that it does not have, or that is of another project.
# Source: restalchemy 16.1.4, `storage/exceptions.py`.
_NOT_FOUND = "RecordNotFound"
# Nothing is wrong with what was asked: rights, load, time.
_TROUBLE = (401, 403, 408, 429)


class CoreUnavailable(errors.StorageError):
    """Nobody: Core can't be asked now."""


class CoreRefused(errors.StorageError):
    """An operator, or the instance's owner: Core answered no."""


@dataclass(frozen=True)
class Account:
    """Who the service is at Core: a user, and the project that its nodes belong to."""

    url: str
    username: str
    password: str = field(repr=False)
    project_id: uuid.UUID


class CoreClient:
    """Calls on behalf of one account; safe to use from several threads.

    Args:
        account: see `Account`; its `url` ends before `/v1/`.
        clock: seconds, never stepping back.
        timeout_s: for connecting, and for each silence of an answer.
    """

    def __init__(
        self,
        account: Account,
        clock: Callable[[], float] = time.monotonic,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._account, self._clock = account, clock
        self._url = account.url.rstrip("/")
        # The environment's proxy would be told the account's password and root's keys.
        self._http = httpx.Client(timeout=timeout_s, trust_env=False)
        self._lock, self._login_lock = threading.Lock(), threading.Lock()
        self._token: str | None = None
        self._held_until, self._trouble = 0.0, ""

    @property
    def project_id(self) -> uuid.UUID:
        """The project that nodes belong to."""
        return self._account.project_id

    def get(self, path: str) -> dict[str, Any] | None:
        """The object at `path`, None where there is none.

        Raises:
            CoreUnavailable: Core can't be asked now.
            CoreRefused: Core answered no.
        """
        answer = self._call("GET", path)
        return None if answer.status_code == _MISSING else _object(answer)

    def create(self, path: str, body: dict[str, Any]) -> bool:
        """Make an object; False where one with its id exists already.

        Raises:
            CoreUnavailable, CoreRefused: as `get`.
        """
        return self._call("POST", path, body).status_code != _CONFLICT

    def change(self, path: str, body: dict[str, Any]) -> bool:
        """Set the fields of an object; False where there is none.

        Raises:
            CoreUnavailable, CoreRefused: as `get`.
        """
        answer = self._call("PUT", path, body)
        if answer.status_code == _CONFLICT:
            raise CoreRefused(f"Core answered {_CONFLICT} to a change of {path}")
        return answer.status_code != _MISSING

    def delete(self, path: str) -> bool:
        """Have an object deleted; False where there is none.

        Raises:
            CoreUnavailable, CoreRefused: as `get`.
        """
        return self._call("DELETE", path).status_code != _MISSING

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def _call(
        self, method: str, path: str, body: dict[str, Any] | None = None
    ) -> httpx.Response:
        with self._reached():
            token = self._login()
            answer = self._send(method, path, body, token)
            if answer.status_code == 401:
                answer = self._send(method, path, body, self._login(instead_of=token))
        return _judged(answer, method, path)

    @contextlib.contextmanager
    def _reached(self) -> Iterator[None]:
        """Answer at once while Core is known to be gone, but for one call that tries.

        Else each turn of a reconciler would wait the whole time-out by itself.
        """
        with self._lock:
            now = self._clock()
            if self._trouble and now < self._held_until:
                raise CoreUnavailable(self._trouble)
            if self._trouble:
                self._held_until = now + HOLD_S
        try:
            yield
        except CoreUnavailable as error:
            with self._lock:
                self._held_until = self._clock() + HOLD_S
                self._trouble = str(error)
            raise
        with self._lock:
            self._trouble = ""

    def _login(self, instead_of: str | None = None) -> str:
        """The token; a new one where there is none, or it is the one that failed."""
        with self._login_lock:
            if self._token is None or self._token == instead_of:
                self._token = None
                self._token = self._fresh_token()
            return self._token

    def _fresh_token(self) -> str:
        form = {
            "grant_type": "password",
            "username": self._account.username,
            "password": self._account.password,
            "scope": f"project:{self._account.project_id}",
            "ttl": str(_TOKEN_TTL_S),
        }
        answer = self._transmit("POST", TOKEN_PATH, data=form)
        if answer.status_code // 100 != 2:
            raise CoreUnavailable(
                f"Core answered {answer.status_code} to the login of the service"
            )
        token = _object(answer).get("access_token")
        if not isinstance(token, str):
            raise CoreUnavailable(
                "Core answered the login of the service with no token"
            )
        return token

    def _send(
        self, method: str, path: str, body: dict[str, Any] | None, token: str
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"}
        return self._transmit(method, path, json=body, headers=headers)

    def _transmit(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            return self._http.request(method, self._url + path, **request)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            # Its text may name the address, and nothing that was sent.
            said = f"Core can't be reached: {type(error).__name__}"
            raise CoreUnavailable(said) from None


def _judged(answer: httpx.Response, method: str, path: str) -> httpx.Response:
    """The answer, where Core did or has what was asked, or says that it has it not.

    A balancer on the way answers by itself while Core is away or moved, also with 404
    or 405; nothing is called gone or refused but by Core's own word.
    """
    status, kind = answer.status_code, _kind(answer)
    if status // 100 == 2 or (status == _CONFLICT and kind):
        return answer
    if status == _MISSING and kind == _NOT_FOUND and method != "POST":
        return answer
    if status in (*_TROUBLE, _MISSING) or status // 100 != 4 or not kind:
        raise CoreUnavailable(f"Core answered {status} to {method} {path}")
    raise CoreRefused(f"Core answered {status} ({kind}) to {method} {path}")


def _object(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise CoreUnavailable("Core answered with something that is no JSON object")
    return found


def _kind(answer: httpx.Response) -> str:
    """The name of Core's error, empty where the answer is none of Core's.

    Its message is left out, as it may hold what was sent, secrets too.

    Source: restalchemy 16.1.4, `api/middlewares/errors.py`, `exception2dict`.
    """
    try:
        kind = answer.json()["type"]
    except (ValueError, KeyError, TypeError):
        return ""
    return kind if isinstance(kind, str) and kind.isidentifier() else ""
