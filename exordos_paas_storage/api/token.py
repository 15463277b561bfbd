"""/v1/iam/clients/default/actions/get_token/invoke: the platform's token call."""

from __future__ import annotations

from typing import Any

import webob

from exordos_paas_storage.api import packer
from exordos_paas_storage.domain import errors
from exordos_paas_storage.iam import issuer

PATH = "/v1/iam/clients/default/actions/get_token/invoke"
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def answer(issued_by: issuer.Issuer, req: webob.Request) -> webob.Response:
    """Answer a token call, by form or JSON; refusals are RFC 6749's and ours in one."""
    if req.method != "POST":
        raise errors.MethodNotAllowed("method", "must be POST")
    try:
        found, status = issued_by.token(_form(req)), 200
    except issuer.GrantRefused as refused:
        status = 400
        found = {
            "error": refused.code,
            "error_description": refused.description,
            "type": "InvalidGrant",
            "code": status,
            "message": refused.description,
        }
    response = webob.Response(
        body=packer.packed(found), status=status, content_type="application/json"
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _form(req: webob.Request) -> dict[str, Any]:
    if req.content_type in _FORMS:
        if (req.content_length or 0) > packer.MOST_BYTES:
            raise errors.BodyTooLarge(
                "body", f"must be at most {packer.MOST_BYTES} bytes"
            )
        try:
            return dict(req.POST.items())
        except ValueError:
            raise errors.MalformedBody("body", "must be a valid form") from None
    return packer.read_object(req)
