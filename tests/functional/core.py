"""Core's REST API as its administrator calls it."""

from __future__ import annotations

import urllib.parse
from typing import Any

import httpx

# The name of the client that Core's load balancer completes with its secret.
TOKEN_PATH = "/v1/iam/clients/default/actions/get_token/invoke"
# Longer than a run of the suite.
TOKEN_S = 6 * 3600


class Core:
    """Calls of Core's user API.

    Args:
        endpoint: Core's API, or the address of its user API alone.
        admin: name and password of an administrator.

    The client `default`, which needs no secret of its own, is known to Core's load
    balancer only. An endpoint that does not know it is one of the user API, and the
    balancer is on port 80 of the same host.
    """

    def __init__(self, endpoint: str, admin: tuple[str, str]) -> None:
        self.http = httpx.Client(timeout=60, trust_env=False)
        self.url = self._balancer(endpoint.rstrip("/"), admin)
        self._headers = {"Authorization": f"Bearer {self.token(*admin)}"}

    def token(self, username: str, password: str, project: str = "") -> str:
        """An access token; without a project it counts in none."""
        answer = self._asked(self.url, username, password, project)
        assert answer.status_code == 200, f"no token for {username}: {answer.text}"
        return str(answer.json()["access_token"])

    def list(self, collection: str, **fields: str) -> list[dict[str, Any]]:
        """The objects of a collection whose fields have these values."""
        answer = self._call("GET", f"/v1/{collection}/")
        return [
            found
            for found in answer.json()
            if all(
                _last(found.get(name)) == _last(value) for name, value in fields.items()
            )
        ]

    def find(self, path: str) -> dict[str, Any] | None:
        """The object at that path below `/v1/`, or `None`."""
        answer = self._call("GET", f"/v1/{path}", known=(404,))
        return None if answer.status_code == 404 else answer.json()

    def make(self, collection: str, **fields: Any) -> dict[str, Any]:
        """A new object of a collection."""
        found: dict[str, Any] = self._call("POST", f"/v1/{collection}/", fields).json()
        return found

    def drop(self, path: str) -> None:
        """Delete an object; one that is gone is no trouble."""
        self._call("DELETE", f"/v1/{path}", known=(404,))

    def ask(self, path: str) -> httpx.Response:
        """A GET of any path, whatever the answer."""
        return self.http.get(self.url + path, headers=self._headers)

    def _call(
        self,
        method: str,
        path: str,
        body: Any = None,
        known: tuple[int, ...] = (),
    ) -> httpx.Response:
        answer = self.http.request(
            method, self.url + path, json=body, headers=self._headers
        )
        told = f"Core's {method} {path}: {answer.status_code} {answer.text}"
        assert answer.is_success or answer.status_code in known, told
        return answer

    def _balancer(self, endpoint: str, admin: tuple[str, str]) -> str:
        host = urllib.parse.urlsplit(endpoint).hostname
        for url in (endpoint, f"http://{host}/api/core"):
            try:
                answer = self._asked(url, *admin)
            except httpx.HTTPError:
                continue
            if answer.status_code == 200:
                return url
        raise AssertionError(
            f"neither {endpoint} nor port 80 of its host gives {admin[0]} a token"
        )

    def _asked(
        self, url: str, username: str, password: str, project: str = ""
    ) -> httpx.Response:
        form = {
            "grant_type": "password",
            "username": username,
            "password": password,
            "scope": f"project:{project}" if project else "",
            "ttl": str(TOKEN_S),
        }
        return self.http.post(url + TOKEN_PATH, data=form)


def _last(value: Any) -> Any:
    """A link's last part, as Core shows relations by links: `/v1/iam/roles/<uuid>`."""
    return value.rstrip("/").rsplit("/", 1)[-1] if isinstance(value, str) else value
