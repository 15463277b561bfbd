"""S3 calls by boto3, as a program of its own: for a network that this one can't reach.

Its standard input is `Calls` in JSON; it prints what was read, or ends with an error.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import tempfile
from typing import Any

import boto3
from botocore.client import Config


@dataclasses.dataclass(frozen=True)
class Calls:
    """Write `put` into an object where it is given, then read that object.

    Attributes:
        authority: in PEM, what signs the server's certificate; empty for plain HTTP.
    """

    endpoint: str
    access_key: str = dataclasses.field(repr=False)
    secret_key: str = dataclasses.field(repr=False)
    bucket: str
    key: str
    put: str = ""
    authority: str = ""


def main() -> None:
    """Make the calls that the standard input asks for."""
    calls = Calls(**json.load(sys.stdin))
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as authority:
        authority.write(calls.authority)
        authority.flush()
        sys.stdout.write(_made(calls, authority.name if calls.authority else None))


def _made(calls: Calls, authority: str | None) -> str:
    s3: Any = boto3.client(
        "s3",
        endpoint_url=calls.endpoint,
        region_name="us-east-1",
        aws_access_key_id=calls.access_key,
        aws_secret_access_key=calls.secret_key,
        verify=authority,
        config=Config(retries={"total_max_attempts": 1}, proxies={}),
    )
    if calls.put:
        s3.create_bucket(Bucket=calls.bucket)
        s3.put_object(Bucket=calls.bucket, Key=calls.key, Body=calls.put.encode())
    return s3.get_object(Bucket=calls.bucket, Key=calls.key)["Body"].read().decode()


if __name__ == "__main__":
    main()
