"""What `up` and `status` tell: facts, and lines that work when they are pasted."""

from __future__ import annotations

import shlex
import sys
from typing import Any

# Facts that `status --output json` prints, in this order.
SHOWN = (
    "api_url",
    "token_url",
    "project_id",
    "username",
    "password_file",
    "engine",
    "demo",
    "database",
    "sealing_key_file",
)


def facts(found: dict[str, Any], running: bool, ready: bool) -> dict[str, Any]:
    """The object that `status --output json` prints."""
    shown = {name: found.get(name) for name in SHOWN}
    return {"running": running, "ready": ready, **shown}


def text(found: dict[str, Any], state_dir: str) -> str:
    """What a newcomer reads once the service runs."""
    sections = [_api(found)]
    if found.get("demo"):
        sections.append(_demo(found["demo"]))
    sections.append(_places(found, state_dir))
    return "\n\n".join(sections)


def _places(found: dict[str, Any], state_dir: str) -> str:
    key = f"the key that seals its secrets in {found['sealing_key_file']}:\n"
    last = "without the key the secrets are lost."
    if found.get("database"):
        return (
            f"Objects lie in {state_dir},\n"
            f"what was asked for in the database {found['database']}\n"
            f"and {key}back all three up; {last}"
        )
    return f"All data lies in {state_dir}\nand {key}back both up; {last}"


# Blocks to paste stand at the left margin: a shell's END and Python take no indent.
def _api(found: dict[str, Any]) -> str:
    password = shlex.quote(found["password_file"])
    engine = found["engine"]
    python = shlex.quote(sys.executable)
    return f"""\
The service runs: {engine["name"]} {engine["version"]} for new instances.

API    {found["api_url"]}/v1/types/s3/instances
docs   {found["api_url"]}/specifications/3.1.0

A token, and a first call:

TOKEN=$(curl -fsS {found["token_url"]} \\
  -d grant_type=password -d username={found["username"]} \\
  --data-urlencode password@{password} \\
  -d scope=project:{found["project_id"]} \\
  | {python} -c 'import json, sys; print(json.load(sys.stdin)["access_token"])')
curl -fsS -H "Authorization: Bearer $TOKEN" {found["api_url"]}/v1/types/s3/instances"""


def _demo(demo: dict[str, Any]) -> str:
    secret = shlex.quote(demo["secret_key_file"])
    python = shlex.quote(sys.executable)
    return f"""\
The instance demo: S3 at {demo["endpoint"]}, bucket {demo["bucket"]}.

With boto3:

{python} - <<'END'
import boto3, pathlib
s3 = boto3.client(
    "s3",
    endpoint_url="{demo["endpoint"]}",
    region_name="us-east-1",
    aws_access_key_id="{demo["access_key"]}",
    aws_secret_access_key=pathlib.Path({demo["secret_key_file"]!r}).read_text(),
)
s3.put_object(Bucket="{demo["bucket"]}", Key="hello.txt", Body=b"hello")
print(s3.get_object(Bucket="{demo["bucket"]}", Key="hello.txt")["Body"].read())
END

With the AWS command line:

AWS_ACCESS_KEY_ID={demo["access_key"]} AWS_SECRET_ACCESS_KEY=$(cat {secret}) \\
  aws --region us-east-1 --endpoint-url {demo["endpoint"]} s3 ls s3://{demo["bucket"]}"""
