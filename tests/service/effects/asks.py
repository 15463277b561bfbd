"""What a tenant asks of S3: a boto3 call, and the action that it needs in AWS's words.

`<bucket>` in a parameter stands for the stand's bucket.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from exordos_paas_storage.domain.language import simulator

ARN = "arn:aws:s3:::"


@dataclass(frozen=True, eq=False)
class Ask:
    """One request.

    Attributes:
        action: that a policy must allow.
        call: the method of boto3's client.
        parameters: of the call.
        context: condition keys of the request beside those that every one has.
    """

    action: str
    call: str
    parameters: Mapping[str, Any]
    context: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def resource(self) -> str:
        """What the action is decided against."""
        asked = self.parameters
        return simulator.resource(asked.get("Bucket", ""), asked.get("Key", ""))

    def __str__(self) -> str:
        return f"{self.call} {self.parameters.get('Key', '')}".strip()


def _object(action: str, call: str, key: str, **more: Any) -> Ask:
    return Ask(action, call, {"Bucket": "<bucket>", "Key": key, **more})


def get(key: str) -> Ask:
    return _object("s3:GetObject", "get_object", key)


def tags(key: str) -> Ask:
    return _object("s3:GetObjectTagging", "get_object_tagging", key)


def put(key: str) -> Ask:
    return _object("s3:PutObject", "put_object", key, Body=b"1")


def delete(key: str) -> Ask:
    return _object("s3:DeleteObject", "delete_object", key)


def listing(prefix: str | None = None) -> Ask:
    parameters, context = {"Bucket": "<bucket>"}, {}
    if prefix is not None:
        parameters["Prefix"], context["s3:prefix"] = prefix, (prefix,)
    return Ask("s3:ListBucket", "list_objects_v2", parameters, context)


def location() -> Ask:
    parameters = {"Bucket": "<bucket>"}
    return Ask("s3:GetBucketLocation", "get_bucket_location", parameters)


READS = (get("x"), listing())
WRITES = (put("y"), delete("z"))
EVERYTHING = (*READS, *WRITES)


def statement(effect: str, actions: Any, *resources: str, **more: Any) -> dict:
    """A statement; `more` is a Condition, or a NotAction or NotResource instead."""
    found = {"Effect": effect, "Action": actions, "Resource": list(resources), **more}
    for element in ("Action", "Resource"):
        if f"Not{element}" in more:
            del found[element]
    return found


def allow(actions: Any = "s3:*", *resources: str, **more: Any) -> dict:
    return statement("Allow", actions, *(resources or (f"{ARN}*",)), **more)


def deny(actions: Any = "s3:*", *resources: str, **more: Any) -> dict:
    return statement("Deny", actions, *(resources or (f"{ARN}*",)), **more)


def document(*statements: dict) -> dict:
    return {"Version": "2012-10-17", "Statement": list(statements)}
