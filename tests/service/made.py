"""What the service's tests ask the API for, and waiting for what comes of it."""

from __future__ import annotations

import datetime
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_to_bytes

import httpx

from exordos_paas_storage.domain import errors

BASE = "/v1/types/s3"
TOKEN_PATH = "/v1/iam/clients/default/actions/get_token/invoke"
PASSWORD = "correct horse battery"
# How long a test waits for what must come, on a machine with other work. It is less
# than the minute after which a reconciler looks by itself.
PATIENCE_S = 30.0
# How long a turn or a request that a test holds up waits for the test.
HELD_S = 2 * PATIENCE_S
SEALED_FROM_CLIENTS = ("psycopg", "restalchemy", "SELECT ", "Traceback", "object at 0x")


def until(
    what: Callable[[], Any], deadline_s: float = PATIENCE_S, why: str = ""
) -> Any:
    """Wait until `what` answers something true, and give it."""
    ends = time.monotonic() + deadline_s
    while True:
        found = what()
        if found:
            return found
        assert time.monotonic() < ends, f"not in {deadline_s} s: {why or what}"
        time.sleep(0.01)


def clock_ahead(seconds: float) -> Callable[[], datetime.datetime]:
    """A clock that goes ahead of this machine's, and of the database's with it."""
    ahead = datetime.timedelta(seconds=seconds)
    return lambda: datetime.datetime.now(datetime.timezone.utc) + ahead


class Transport(httpx.BaseTransport):
    """Calls a WSGI application, with the path's bytes as a server gives them.

    httpx's own decodes them as UTF-8, which no server does (seen on 0.28).
    """

    def __init__(self, app: Any) -> None:
        self._app = app

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path = unquote_to_bytes(request.url.raw_path.partition(b"?")[0])

        def app(environ: dict[str, Any], start: Any) -> Any:
            return self._app(environ | {"PATH_INFO": path.decode("latin-1")}, start)

        return httpx.WSGITransport(app=app).handle_request(request)


def client_of(app: Any) -> httpx.Client:
    return httpx.Client(transport=Transport(app), base_url="http://s3")


@dataclass(frozen=True)
class Api:
    """The API as one caller sees it; paths are relative to `/v1/types/s3`."""

    client: httpx.Client
    token: str | None = field(repr=False)

    def call(self, method: str, path: str, **request: Any) -> httpx.Response:
        headers = dict(request.pop("headers", {}))
        if self.token is not None:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        url = path if path.startswith("/v1/") else BASE + path
        answer = self.client.request(method, url, headers=headers, **request)
        assert answer.status_code != 500, answer.text
        if answer.status_code >= 400:
            form_of(answer)
        return answer

    def get(self, path: str, **request: Any) -> httpx.Response:
        return self.call("GET", path, **request)

    def post(self, path: str, body: Any = None, **request: Any) -> httpx.Response:
        return self.call("POST", path, json=body, **request)

    def patch(self, path: str, body: Any = None, **request: Any) -> httpx.Response:
        return self.call("PATCH", path, json=body, **request)

    def put(self, path: str, body: Any = None, **request: Any) -> httpx.Response:
        return self.call("PUT", path, json=body, **request)

    def delete(self, path: str, **request: Any) -> httpx.Response:
        return self.call("DELETE", path, **request)

    # Calls that must succeed.

    def show(self, path: str) -> Any:
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def make(self, path: str, **body: Any) -> dict[str, Any]:
        answer = self.post(path, body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def change(self, path: str, **body: Any) -> dict[str, Any]:
        answer = self.patch(path, body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def remove(self, path: str) -> None:
        answer = self.delete(path)
        assert answer.status_code == 204, answer.text

    # Calls that wait.

    def wait(
        self, path: str, status: str = "ACTIVE", deadline_s: float = PATIENCE_S
    ) -> Any:
        """The object once it shows `status`."""
        seen: dict[str, Any] = {}

        def there() -> bool:
            seen.update(self.show(path))
            return seen["status"] == status

        try:
            until(there, deadline_s)
        except AssertionError:
            raise AssertionError(f"{path} is not {status}: {seen}") from None
        return seen

    def wait_gone(self, path: str, deadline_s: float = PATIENCE_S) -> None:
        until(lambda: self.get(path).status_code == 404, deadline_s, f"{path} is gone")


def form_of(answer: httpx.Response) -> dict[str, Any]:
    """The error form of an answer, after checking that it is one."""
    found = answer.json()
    assert {"type", "code", "message"} <= set(found), found
    if found["type"] != "InvalidGrant":
        assert set(found) == {"type", "code", "message"}, found
        known = errors.request_errors()
        assert found["type"] in known, found
        assert known[found["type"]].status == answer.status_code
    assert found["code"] == answer.status_code
    assert ": " in found["message"] or found["type"] == "InvalidGrant", found
    for leak in SEALED_FROM_CLIENTS:
        assert leak not in found["message"], found
    return found


def refused(
    answer: httpx.Response, status: int, kind: str = "", field: str = ""
) -> str:
    """The message of a refusal, which must be this one."""
    assert answer.status_code == status, (answer.status_code, answer.text)
    found = form_of(answer)
    if kind:
        assert found["type"] == kind, found
    if field:
        assert found["message"].startswith(f"{field}: "), found
    return found["message"]


def unique(kind: str) -> str:
    return f"{kind}-{uuid.uuid4().hex[:10]}"


def waits_for_lock(db: Any) -> bool:
    """Whether anybody waits for a lock of the database now."""
    return bool(db.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone())


def condition(shown: dict[str, Any], kind: str) -> dict[str, Any] | None:
    return next((one for one in shown["conditions"] if one["type"] == kind), None)


@dataclass(frozen=True)
class Tree:
    """One object of every kind, and the paths of collections and objects."""

    instance: dict[str, Any]
    bucket: dict[str, Any]
    user: dict[str, Any]
    policy: dict[str, Any]
    attachment: dict[str, Any]
    access_key: dict[str, Any]
    at: str

    def collection(self, kind: str) -> str:
        user = f"{self.at}/users/{self.user['name']}"
        return {
            "version": "/versions",
            "instance": "/instances",
            "bucket": f"{self.at}/buckets",
            "user": f"{self.at}/users",
            "policy": f"{self.at}/policies",
            "attachment": f"{user}/policies",
            "access_key": f"{user}/access-keys",
        }[kind]

    def name(self, kind: str) -> str:
        if kind == "version":
            return "0.0.1"
        key = {"attachment": "policy", "access_key": "access_key"}.get(kind, "name")
        return getattr(self, kind)[key]

    def path(self, kind: str) -> str:
        return f"{self.collection(kind)}/{self.name(kind)}"


# What creates one more object of each kind.
BODIES: dict[str, Callable[[], dict[str, Any]]] = {
    "instance": lambda: {"name": unique("instance")},
    "bucket": lambda: {"name": unique("bucket")},
    "user": lambda: {"name": unique("user")},
    "policy": lambda: {"name": unique("policy"), "template": "read-only"},
    "attachment": lambda: {"policy": "backup"},
    "access_key": lambda: {},
}


def tree(api: Api) -> Tree:
    """An instance with one object of every kind in it."""
    instance = api.make("/instances", name=unique("tree"))
    at = f"/instances/{instance['name']}"
    user = api.make(f"{at}/users", name="anna", policies=[])
    return Tree(
        instance=instance,
        bucket=api.make(f"{at}/buckets", name="photos"),
        user=user,
        policy=api.make(f"{at}/policies", name="reading", template="read-only"),
        attachment=api.make(f"{at}/users/anna/policies", policy="reading"),
        access_key=api.make(f"{at}/users/anna/access-keys"),
        at=at,
    )


def location(answer: httpx.Response) -> str:
    """The path of `Location`, which WebOb completes by scheme and host."""
    return httpx.URL(answer.headers["Location"]).path
