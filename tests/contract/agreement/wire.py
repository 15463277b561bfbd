"""Calls as HTTP requests, before they are signed."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from tests.contract.agreement.calls import Call

_HEADERS = {
    "aws:UserAgent": "User-Agent",
    "aws:referer": "Referer",
    "s3:object-lock-legal-hold": "x-amz-object-lock-legal-hold",
    "s3:object-lock-mode": "x-amz-object-lock-mode",
    "s3:object-lock-retain-until-date": "x-amz-object-lock-retain-until-date",
    "s3:x-amz-copy-source": "x-amz-copy-source",
    "s3:x-amz-metadata-directive": "x-amz-metadata-directive",
    "s3:x-amz-server-side-encryption": "x-amz-server-side-encryption",
    "s3:x-amz-storage-class": "x-amz-storage-class",
}
# What of the headers stands in the body instead.
IN_BODY = ("retain", "hold")
# Method and parameters.
_SHAPES: dict[str, tuple[str, dict[str, str]]] = {
    "get": ("GET", {}),
    "head": ("HEAD", {}),
    "attributes": ("GET", {"attributes": ""}),
    "get_tags": ("GET", {"tagging": ""}),
    "put_tags": ("PUT", {"tagging": ""}),
    "delete_tags": ("DELETE", {"tagging": ""}),
    "put": ("PUT", {}),
    "put_retained": ("PUT", {}),
    "put_held": ("PUT", {}),
    "retain": ("PUT", {"retention": ""}),
    "hold": ("PUT", {"legal-hold": ""}),
    "delete": ("DELETE", {}),
    "delete_many": ("POST", {"delete": ""}),
    "create_upload": ("POST", {"uploads": ""}),
    "list_parts": ("GET", {}),
    "abort_upload": ("DELETE", {}),
    "copy": ("PUT", {}),
    "list": ("GET", {"list-type": "2"}),
    "list_v1": ("GET", {}),
    "list_versions": ("GET", {"versions": ""}),
    "list_uploads": ("GET", {"uploads": ""}),
    "head_bucket": ("HEAD", {}),
    "location": ("GET", {"location": ""}),
    "versioning": ("GET", {"versioning": ""}),
    "bucket_tags": ("GET", {"tagging": ""}),
    "list_buckets": ("GET", {}),
}
_BODIES = ("put", "put_retained", "put_held")


@dataclass(frozen=True)
class Sent:
    """A request.

    Attributes:
        method: such as `GET`.
        path: bucket and key as they are, without the slash before them.
        parameters: those of the query.
        headers: those that are signed.
        body: what is sent.
    """

    method: str
    path: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def request(call: Call, version: str, upload: str) -> Sent:
    """The request of a call.

    Args:
        call: any.
        version: the id of the version that it names, if it names one.
        upload: the id of the upload that it is about, if it is about one.
    """
    method, shape = _SHAPES[call.operation]
    path = f"{call.bucket}/{call.key}" if call.key else call.bucket
    if call.operation == "delete_many":
        path = call.bucket
    if call.operation == "list_buckets":
        path = ""
    body = _body(call, version)
    return Sent(
        method,
        path,
        {**shape, **_parameters(call, version, upload)},
        _headers(call, version, body),
        body,
    )


def _headers(call: Call, version: str, body: bytes) -> dict[str, str]:
    found = {
        header: call.context[key][0]
        for key, header in _HEADERS.items()
        if key in call.context
        and not (call.operation in IN_BODY and key.startswith("s3:object-lock-"))
    }
    if call.source and call.versioned:
        found["x-amz-copy-source"] += f"?versionId={version}"
    tags = call.tags("s3:RequestObjectTag")
    if tags and call.operation != "put_tags":
        found["x-amz-tagging"] = urlencode(tags)
    if call.operation == "attributes":
        found["x-amz-object-attributes"] = "ETag"
    return summed(found, body)


def summed(headers: Mapping[str, str], body: bytes) -> dict[str, str]:
    """Headers with the sum of a body, which S3 asks for with some bodies."""
    if not body:
        return dict(headers)
    found = base64.b64encode(hashlib.md5(body).digest()).decode()
    return {**headers, "Content-MD5": found}


def _parameters(call: Call, version: str, upload: str) -> dict[str, str]:
    found = {
        name: call.context[f"s3:{name}"][0]
        for name in ("prefix", "delimiter", "max-keys")
        if f"s3:{name}" in call.context
    }
    if call.versioned and call.operation not in ("copy", "delete_many"):
        found["versionId"] = version
    if call.operation in ("list_parts", "abort_upload"):
        found["uploadId"] = upload
    return found


def _body(call: Call, version: str) -> bytes:
    if call.operation in _BODIES:
        return b"x"
    if call.operation in IN_BODY:
        return _lock(call)
    if call.operation == "put_tags":
        inner = "".join(
            f"<Tag><Key>{name}</Key><Value>{value}</Value></Tag>"
            for name, value in call.tags("s3:RequestObjectTag").items()
        )
        return f"<Tagging><TagSet>{inner}</TagSet></Tagging>".encode()
    if call.operation != "delete_many":
        return b""
    inner = f"<Key>{call.key}</Key>"
    if call.versioned:
        inner += f"<VersionId>{version}</VersionId>"
    return f"<Delete><Object>{inner}</Object></Delete>".encode()


def _lock(call: Call) -> bytes:
    if call.operation == "hold":
        status = call.context["s3:object-lock-legal-hold"][0]
        return f"<LegalHold><Status>{status}</Status></LegalHold>".encode()
    mode = call.context["s3:object-lock-mode"][0]
    until = call.context["s3:object-lock-retain-until-date"][0]
    inner = f"<Mode>{mode}</Mode><RetainUntilDate>{until}</RetainUntilDate>"
    return f"<Retention>{inner}</Retention>".encode()
