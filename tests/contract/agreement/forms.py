"""Uploads as a browser's form sends them, signed by a policy of the form."""

from __future__ import annotations

from collections.abc import Mapping

import httpx
from botocore.auth import S3SigV4PostAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from exordos_paas_storage.domain import state
from exordos_paas_storage.engine import signed
from tests.contract.agreement import wire


def upload(
    bucket: str, fields: Mapping[str, str], keys: state.Credentials
) -> wire.Sent:
    """An upload of one byte.

    Args:
        bucket: where to.
        fields: those of the form, `key` among them.
        keys: what signs the form.
    """
    request = AWSRequest(method="POST", url="http://engine/")
    given = [{"bucket": bucket}, *({name: one} for name, one in fields.items())]
    request.context["s3-presign-post-fields"] = dict(fields)
    request.context["s3-presign-post-policy"] = {
        "expiration": "2090-01-01T00:00:00Z",
        "conditions": given,
    }
    signer = Credentials(keys.access_key, keys.secret_key)
    S3SigV4PostAuth(signer, "s3", signed.REGION).add_auth(request)
    made = httpx.Request(
        "POST",
        "http://engine/",
        data=request.context["s3-presign-post-fields"],
        files={"file": ("x", b"x")},
    )
    headers = {"content-type": made.headers["content-type"]}
    return wire.Sent("POST", bucket, headers=headers, body=made.read())
