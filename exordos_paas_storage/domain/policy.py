"""Policy documents: the templates, the guard, and comparing without losing a thing."""

from __future__ import annotations

import ipaddress
import json
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

VERSION = "2012-10-17"
EVERYTHING = "arn:aws:s3:::*"
GUARD_NAME = "s3aas-guard"

_READ_BUCKET = (
    "s3:GetBucketLocation",
    "s3:GetBucketVersioning",
    "s3:ListBucket",
    "s3:ListBucketVersions",
)
_READ_OBJECT = (
    "s3:GetObject",
    "s3:GetObjectAttributes",
    "s3:GetObjectTagging",
    "s3:GetObjectVersion",
    "s3:GetObjectVersionAttributes",
    "s3:GetObjectVersionTagging",
)
_WRITE_BUCKET = ("s3:GetBucketLocation", "s3:ListBucketMultipartUploads")
_WRITE_OBJECT = (
    "s3:AbortMultipartUpload",
    "s3:ListMultipartUploadParts",
    "s3:PutObject",
    "s3:PutObjectTagging",
    "s3:PutObjectVersionTagging",
)
_DELETE_OBJECT = ("s3:DeleteObject", "s3:DeleteObjectTagging")
_DELETE_VERSION = ("s3:DeleteObjectVersion", "s3:DeleteObjectVersionTagging")

# name -> (actions on a bucket, actions on its objects), in AWS's language like every
# policy: an engine gets them compiled. `backup` may replace and delete objects but no
# version, so on a versioned bucket nothing it held is lost.
TEMPLATES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "read-only": (_READ_BUCKET, _READ_OBJECT),
    "read-write": (
        tuple(sorted({*_READ_BUCKET, *_WRITE_BUCKET})),
        (*_READ_OBJECT, *_WRITE_OBJECT, *_DELETE_OBJECT, *_DELETE_VERSION),
    ),
    "write-only": (_WRITE_BUCKET, _WRITE_OBJECT),
    "backup": (
        tuple(sorted({*_READ_BUCKET, *_WRITE_BUCKET})),
        (*_READ_OBJECT, *_WRITE_OBJECT, *_DELETE_OBJECT),
    ),
    "bucket-owner": (("s3:*",), ("s3:*",)),
}


def engine_name(policy_id: uuid.UUID) -> str:
    """The name under which an engine holds the policy of that id."""
    return f"s3aas-{policy_id}"


def template_id(instance_id: uuid.UUID, template: str) -> uuid.UUID:
    """The id of an instance's read-only policy made from `template`."""
    return uuid.uuid5(instance_id, template)


def from_template(template: str, bucket: str = "", prefix: str = "") -> dict[str, Any]:
    """The document of a template.

    Args:
        template: a name of `TEMPLATES`.
        bucket: the bucket it is limited to; empty for every bucket.
        prefix: what an object's key must begin with; empty for every object.
    """
    on_bucket, on_object = TEMPLATES[template]
    bucket_arn = f"arn:aws:s3:::{bucket or '*'}"
    object_arn = f"{bucket_arn}/{prefix}*"
    statements = []
    if "s3:ListBucket" in on_bucket or "s3:*" in on_bucket:
        statements.append(_allow(["s3:ListAllMyBuckets"], EVERYTHING))
    if prefix:
        statements += _within(prefix, on_bucket, bucket_arn)
    else:
        statements.append(_allow(on_bucket, bucket_arn))
    statements.append(_allow(on_object, object_arn))
    if template == "backup":
        # MinIO removes a version by `s3:DeleteObject` unless this is denied (seen).
        statements.append({**_allow(_DELETE_VERSION, object_arn), "Effect": "Deny"})
    return {"Version": VERSION, "Statement": statements}


# Listings that both engines can limit to a prefix.
_LISTING = frozenset(("s3:ListBucket", "s3:ListBucketVersions"))
# A listing that no engine limits: whoever is confined to a prefix goes without.
_UNLIMITED = frozenset(("s3:ListBucketMultipartUploads",))


def _within(prefix: str, actions: Iterable[str], bucket_arn: str) -> list[dict]:
    """Statements for actions on a bucket that show nothing outside a prefix."""
    named = set(_READ_BUCKET) if "s3:*" in actions else set(actions)
    found = [_allow(named - _LISTING - _UNLIMITED, bucket_arn)]
    if named & _LISTING:
        condition = {"StringLike": {"s3:prefix": [f"{prefix}*"]}}
        limited = _allow(named & _LISTING, bucket_arn)
        found.append({**limited, "Condition": condition})
    return found


def _allow(actions: Iterable[str], resource: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": sorted(actions), "Resource": [resource]}


def guard(
    allowed: Iterable[str],
    unsafe_keys: Iterable[str] = (),
    version_named: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The document every engine user carries beside its own policies.

    Args:
        allowed: the data and read actions of `Capabilities.guard_actions`; all else
            is denied, whatever another policy allows, and so is the admin API.
        unsafe_keys: patterns of `Capabilities.unsafe_keys`, which nothing may name.
        version_named: `Capabilities.version_named`; no upload may name a version.
    """
    statements: list[dict[str, Any]] = [
        {"Effect": "Deny", "NotAction": sorted(allowed), "Resource": [EVERYTHING]},
        {"Effect": "Deny", "Action": ["admin:*"]},
    ]
    unsafe = [f"arn:aws:s3:::*/{pattern}" for pattern in unsafe_keys]
    if unsafe:
        statements.append({"Effect": "Deny", "Action": ["s3:*"], "Resource": unsafe})
    if version_named:
        upload = {
            "Effect": "Deny",
            "Action": ["s3:PutObject"],
            "Resource": [EVERYTHING],
        }
        statements.append({**upload, "Condition": version_named})
    return {"Version": VERSION, "Statement": statements}


# The guard of a suspended instance: no key of any user may do anything.
SUSPENDED: dict[str, Any] = {
    "Version": VERSION,
    "Statement": [
        {"Effect": "Deny", "Action": ["s3:*"], "Resource": [EVERYTHING]},
        {"Effect": "Deny", "Action": ["admin:*"]},
    ],
}


def denies(document: Mapping[str, Any]) -> bool:
    """Whether a document has a statement that takes a right away."""
    return any(one["Effect"] == "Deny" for one in document["Statement"])


def same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two documents mean the same in every element, conditions included."""
    return canonical(one) == canonical(other)


def canonical(document: Mapping[str, Any]) -> str:
    """A text equal for documents that differ only in order and in how values stand.

    A scalar is a list of one, and a number or boolean of a condition is its text. An
    empty element of the document or of a statement counts as absent, as an engine that
    adds it means it; nothing else is dropped, known or not.
    """
    top = _present(document)
    statements = top.get("Statement", [])
    listed = statements if isinstance(statements, list | tuple) else [statements]
    top["Statement"] = sorted(
        json.dumps(_statement(one), sort_keys=True) for one in listed
    )
    return json.dumps(top, sort_keys=True)


def _present(element: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: value for key, value in element.items() if value not in ("", [], {}, None)
    }


def _statement(statement: Any) -> Any:
    if not isinstance(statement, Mapping):
        return statement
    return {
        key: value if key in ("Effect", "Sid") else _canonical(value)
        for key, value in _present(statement).items()
    }


def _canonical(value: Any, operator: str = "") -> Any:
    """Scalars as lists of one, lists in order, values as the engines write them."""
    if isinstance(value, Mapping):
        return {key: _canonical(inner, operator or key) for key, inner in value.items()}
    listed = value if isinstance(value, list | tuple) else [value]
    if operator:
        listed = [_text(one) for one in listed]
    if operator.endswith("IpAddress"):
        listed = [_network(one) for one in listed]
    return sorted(listed, key=lambda one: json.dumps(one, sort_keys=True))


def _text(value: Any) -> Any:
    # MinIO answers "10" of a numeric operator as 10 and "true" of Null as true (seen).
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else value


def _network(address: Any) -> Any:
    # MinIO answers 127.0.0.1 as 127.0.0.1/32 (seen).
    try:
        return str(ipaddress.ip_network(address, strict=False))
    except ValueError:
        return address
