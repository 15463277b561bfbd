"""Signed HTTP requests to one engine, outside what boto3 covers."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import httpx
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from exordos_paas_storage.domain import state
from exordos_paas_storage.engine import answers

REGION = "us-east-1"
CONNECT_S = 3.0
READ_S = 20.0
CONNECTIONS = 16

_CODE = re.compile(r"<Code>([A-Za-z0-9._-]{1,128})</Code>")


class SignedHttp:
    """Connections to one engine, kept alive; safe to use from several threads."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        # The environment's proxy is for the way out, not for the way to an engine.
        self._http = httpx.Client(
            trust_env=False,
            timeout=httpx.Timeout(READ_S, connect=CONNECT_S),
            limits=httpx.Limits(max_connections=CONNECTIONS),
        )

    def send(
        self,
        operation: str,
        method: str,
        path: str,
        params: Mapping[str, str],
        *,
        signer: state.Credentials,
        body: bytes = b"",
    ) -> httpx.Response:
        """Send one request, its body's hash included in the signature.

        Returns:
            The engine's answer, whatever its status.

        Raises:
            EngineUnavailable: there was no answer.
        """
        query = f"?{urlencode(params, quote_via=quote)}" if params else ""
        request = AWSRequest(method=method, url=self._url + path + query, data=body)
        keys = Credentials(signer.access_key, signer.secret_key)
        S3SigV4Auth(keys, "s3", REGION).add_auth(request)
        return self._sent(operation, request, body)

    def plain(self, operation: str, path: str) -> httpx.Response:
        """Get `path` without credentials."""
        request = AWSRequest(method="GET", url=self._url + path)
        return self._sent(operation, request, b"")

    def _sent(self, operation: str, request: AWSRequest, body: bytes) -> httpx.Response:
        try:
            return self._http.request(
                request.method,
                request.url,
                headers=dict(request.headers.items()),
                content=body,
            )
        except httpx.RequestError as error:
            failure = answers.silence(operation, error)
        # Raised here, so that the error does not carry the request with its body.
        raise failure


def error_code(answer: httpx.Response) -> str:
    """The engine's error code; the status where the body names none.

    RustFS answers S3's XML, MinIO's admin API the same fields as JSON; before they
    serve, both answer plain text.
    """
    found = _CODE.search(answer.text)
    if found:
        return found.group(1)
    fields = json_or_none(answer.content)
    code = fields.get("Code") if isinstance(fields, dict) else None
    return code if isinstance(code, str) and code else str(answer.status_code)


def json_or_none(content: bytes) -> Any:
    """The value of a JSON text, None where it is not one."""
    try:
        return json.loads(content)
    except ValueError:
        return None
