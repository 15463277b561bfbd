"""Calls of an engine's admin API, signed by its root."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import httpx

from exordos_paas_storage.domain import state
from exordos_paas_storage.engine import answers, signed


class Admin:
    """One engine's admin API; its bodies are plain JSON unless a subclass seals them.

    A route is named as in its path, `add-user`, and is the operation of errors.
    """

    prefix = ""

    def __init__(self, http: signed.SignedHttp, root: state.Credentials) -> None:
        self._http, self._root = http, root

    def ask(
        self, route: str, params: Mapping[str, str] = MappingProxyType({})
    ) -> dict[str, Any]:
        """The JSON object that `GET route` answers.

        Raises:
            EngineUnavailable: no answer, or the engine is not ready.
            EngineRefused: the engine answered no, or something else than JSON.
        """
        answer = self._call(route, "GET", params, b"")
        content = self._opened(route, answer.content)
        fields = signed.json_or_none(content)
        if not isinstance(fields, dict):
            raise answers.refusal(route, answer.status_code, answers.MALFORMED)
        return fields

    def tell(
        self,
        method: str,
        route: str,
        params: Mapping[str, str] = MappingProxyType({}),
        body: Mapping[str, Any] | None = None,
    ) -> None:
        """Change something; `body` is sent as JSON. Errors are those of `ask`."""
        content = b"" if body is None else json.dumps(body, default=dict).encode()
        self._call(route, method, params, self._sealed(route, content))

    def _call(
        self, route: str, method: str, params: Mapping[str, str], content: bytes
    ) -> httpx.Response:
        path = self.prefix + route
        answer = self._http.send(
            route, method, path, params, signer=self._root, body=content
        )
        if not answer.is_success:
            raise answers.refusal(route, answer.status_code, signed.error_code(answer))
        return answer

    def _sealed(self, route: str, content: bytes) -> bytes:
        """The request body as the engine takes it on this route."""
        return content

    def _opened(self, route: str, content: bytes) -> bytes:
        """The JSON in the answer's body on this route."""
        return content
