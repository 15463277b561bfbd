"""`NotAction` at MinIO: written as the actions it leaves, and read back as it was.

MinIO takes a policy with `NotAction` and obeys it, until its IAM is loaded again, at
the latest by a restart: then it fails on that policy ("empty actions not allowed"), and
a guard made of it no longer guards. It can't show it either. Seen on MinIO at
7aac2a2c5b7c; it is archived, so the list of its actions is final.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping
from typing import Any

# Source: github.com/minio/pkg v3.1.3, `policy/action.go`, without `s3:*`.
ACTIONS = (
    "s3:AbortMultipartUpload",
    "s3:BypassGovernanceRetention",
    "s3:CreateBucket",
    "s3:DeleteBucket",
    "s3:DeleteBucketCors",
    "s3:DeleteBucketPolicy",
    "s3:DeleteObject",
    "s3:DeleteObjectTagging",
    "s3:DeleteObjectVersion",
    "s3:DeleteObjectVersionTagging",
    "s3:ForceDeleteBucket",
    "s3:GetBucketCors",
    "s3:GetBucketLocation",
    "s3:GetBucketNotification",
    "s3:GetBucketObjectLockConfiguration",
    "s3:GetBucketPolicy",
    "s3:GetBucketPolicyStatus",
    "s3:GetBucketTagging",
    "s3:GetBucketVersioning",
    "s3:GetEncryptionConfiguration",
    "s3:GetLifecycleConfiguration",
    "s3:GetObject",
    "s3:GetObjectAttributes",
    "s3:GetObjectLegalHold",
    "s3:GetObjectRetention",
    "s3:GetObjectTagging",
    "s3:GetObjectVersion",
    "s3:GetObjectVersionAttributes",
    "s3:GetObjectVersionForReplication",
    "s3:GetObjectVersionTagging",
    "s3:GetReplicationConfiguration",
    "s3:HeadBucket",
    "s3:ListAllMyBuckets",
    "s3:ListBucket",
    "s3:ListBucketMultipartUploads",
    "s3:ListBucketVersions",
    "s3:ListMultipartUploadParts",
    "s3:ListenBucketNotification",
    "s3:ListenNotification",
    "s3:PutBucketCors",
    "s3:PutBucketNotification",
    "s3:PutBucketObjectLockConfiguration",
    "s3:PutBucketPolicy",
    "s3:PutBucketTagging",
    "s3:PutBucketVersioning",
    "s3:PutEncryptionConfiguration",
    "s3:PutLifecycleConfiguration",
    "s3:PutObject",
    "s3:PutObjectFanOut",
    "s3:PutObjectLegalHold",
    "s3:PutObjectRetention",
    "s3:PutObjectTagging",
    "s3:PutObjectVersionTagging",
    "s3:PutReplicationConfiguration",
    "s3:ReplicateDelete",
    "s3:ReplicateObject",
    "s3:ReplicateTags",
    "s3:ResetBucketReplicationState",
    "s3:RestoreObject",
)

# AWS's statement ids are letters and digits, so this occurs in none.
_MARK = "|NotAction="


def written(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document as MinIO gets it, without `NotAction`."""
    return _each(document, _written)


def read(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document as it was before `written`."""
    return _each(document, _read)


def _each(document: Mapping[str, Any], change: Any) -> dict[str, Any]:
    statements = document.get("Statement") or []
    if isinstance(statements, Mapping):
        statements = [statements]
    return {**document, "Statement": [change(statement) for statement in statements]}


def _written(statement: Mapping[str, Any]) -> dict[str, Any]:
    changed = dict(statement)
    if "NotAction" not in changed:
        return changed
    spared = changed.pop("NotAction")
    names = [spared] if isinstance(spared, str) else list(spared)
    changed["Action"] = _left(names, changed.get("Effect"))
    changed["Sid"] = f"{changed.get('Sid', '')}{_MARK}{','.join(names)}"
    return changed


def _read(statement: Mapping[str, Any]) -> dict[str, Any]:
    sid, mark, spared = statement.get("Sid", "").partition(_MARK)
    names = spared.split(",")
    # Only what says the same is translated: a change by another hand stays visible.
    if not mark or set(statement.get("Action", ())) != set(
        _left(names, statement.get("Effect"))
    ):
        return dict(statement)
    changed = {**statement, "Sid": sid, "NotAction": names}
    del changed["Action"]
    if not sid:
        del changed["Sid"]
    return changed


def _left(spared: Iterable[str], effect: Any) -> list[str]:
    """Every action but the spared ones, which may have wildcards."""
    patterns = list(spared)
    # MinIO lets GetObjectVersion stand for GetObject, so the one can't be allowed
    # while the other is spared.
    if effect == "Allow" and _matches("s3:GetObject", patterns):
        patterns.append("s3:GetObjectVersion")
    return [action for action in ACTIONS if not _matches(action, patterns)]


def _matches(action: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(action, pattern) for pattern in patterns)
