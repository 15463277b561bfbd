"""What each engine can do, so that the API refuses before anything is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from exordos_paas_storage.domain import errors

RUSTFS = "rustfs"
MINIO = "minio"
ENGINES = (RUSTFS, MINIO)

_DAY_S = 24 * 3600

# What a key may do at all: objects, and reading how its buckets are set up. The guard
# denies the rest, so that an action an engine gains later is denied too.
_DATA_AND_READ = (
    "s3:AbortMultipartUpload",
    "s3:BypassGovernanceRetention",
    "s3:DeleteObject",
    "s3:DeleteObjectTagging",
    "s3:DeleteObjectVersion",
    "s3:DeleteObjectVersionTagging",
    "s3:GetBucketLocation",
    "s3:GetBucketObjectLockConfiguration",
    "s3:GetBucketPolicy",
    "s3:GetBucketTagging",
    "s3:GetBucketVersioning",
    "s3:GetObject",
    "s3:GetObjectAttributes",
    "s3:GetObjectLegalHold",
    "s3:GetObjectRetention",
    "s3:GetObjectTagging",
    "s3:GetObjectVersion",
    "s3:GetObjectVersionAttributes",
    "s3:GetObjectVersionTagging",
    "s3:ListAllMyBuckets",
    "s3:ListBucket",
    "s3:ListBucketMultipartUploads",
    "s3:ListBucketVersions",
    "s3:ListMultipartUploadParts",
    "s3:PutObject",
    "s3:PutObjectLegalHold",
    "s3:PutObjectRetention",
    "s3:PutObjectTagging",
    "s3:PutObjectVersionTagging",
)


@dataclass(frozen=True)
class Capabilities:
    """What one engine can do.

    Attributes:
        engine: `rustfs` or `minio`.
        health_path: answers 200 without credentials as soon as the process serves.
        ready_path: answers 200 when requests will be served.
        stop_s: seconds a clean stop may take.
        sealed_admin: whether admin bodies are sealed with the caller's secret.
        mfa_delete: whether deleting versions can be made to need more than a key.
        unsafe_keys: patterns of object keys, or of their ends behind a slash, that no
            request may name, as the engine takes them for paths.
        version_named: the condition that holds where a request names a version. AWS
            has no such upload; the engines replace that version's content.
        guard_actions: every action that a tenant's key may be allowed, in the
            spelling that this engine takes.
        least_expiry_s: seconds that an access key's expiry must lie ahead for the
            engine to take it, with a margin for the call and for clocks.
        most_expiry_s: seconds that it may lie ahead at most.
        policy_bytes: the size that a policy may have as the engine gets it.
        scope_bytes: the size that the scope of a key may have.
    """

    engine: str
    health_path: str
    ready_path: str
    stop_s: float
    sealed_admin: bool
    mfa_delete: bool
    guard_actions: tuple[str, ...]
    least_expiry_s: int
    most_expiry_s: int
    policy_bytes: int
    version_named: Mapping[str, Any]
    unsafe_keys: tuple[str, ...] = ()
    scope_bytes: int = 4096

    @property
    def read_actions(self) -> tuple[str, ...]:
        """Those of `guard_actions` that change nothing."""
        return tuple(
            action
            for action in self.guard_actions
            if action.startswith(("s3:Get", "s3:List"))
        )


_TABLE = {
    RUSTFS: Capabilities(
        engine=RUSTFS,
        health_path="/health",
        ready_path="/health/ready",
        stop_s=45.0,
        sealed_admin=False,
        mfa_delete=True,
        guard_actions=(
            *_DATA_AND_READ,
            "s3:GetBucketCors",
            "s3:GetBucketEncryption",
            "s3:GetBucketLifecycle",
        ),
        # It takes every time to come. One beyond a century means never, and that is
        # also how RustFS is told that there is none.
        least_expiry_s=5,
        most_expiry_s=36_500 * _DAY_S,
        # It takes a body of 1 MiB, but reads all of a policy for every request: 128 KiB
        # made a request 25 ms slower at most, four times as much 150 ms (seen).
        policy_bytes=131_072,
        version_named={"Null": {"s3:versionid": "false"}},
    ),
    MINIO: Capabilities(
        engine=MINIO,
        health_path="/minio/health/live",
        # `ready` is 200 before users and buckets are read, when every S3 call is still
        # refused; `cluster` waits for them on a single node too (seen).
        ready_path="/minio/health/cluster",
        stop_s=20.0,
        sealed_admin=True,
        mfa_delete=False,
        guard_actions=(
            *_DATA_AND_READ,
            "s3:GetBucketCors",
            "s3:GetEncryptionConfiguration",
            "s3:GetLifecycleConfiguration",
        ),
        # Source: MinIO, `cmd/iam-store.go`, `validateSvcExpirationInUTC`: from 15
        # minutes to 365 days.
        least_expiry_s=15 * 60 + 10,
        most_expiry_s=365 * _DAY_S - 10,
        policy_bytes=20_480,
        # It carries the key always, empty where no version is named, and also has that
        # of a copy's source in it (seen): an old version must be left to be restored.
        version_named={
            "StringNotEquals": {"s3:versionid": [""]},
            "Null": {"s3:x-amz-copy-source": "true"},
        },
        # It refuses such keys, but not in the body of DeleteObjects: `out/../in/a`
        # there removes `in/a`, and further up an object of another bucket (seen).
        unsafe_keys=("../*", "..", "./*", "."),
    ),
}


def of(engine: str, version: str) -> Capabilities:
    """What `engine` of `version` can do.

    Raises:
        InvalidValue: no such engine is known. The two known ones differ by
            version in nothing that the service uses yet.
    """
    try:
        return _TABLE[engine]
    except KeyError:
        raise errors.InvalidValue(
            "engine", f"must be one of {', '.join(ENGINES)}"
        ) from None
