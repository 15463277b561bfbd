"""How each engine knows the condition keys of a request.

Source: RustFS 1.0.1, `auth.rs`, `storage/access.rs` and its crate `rustfs-policy`;
MinIO at 7aac2a2c5b7c, `cmd/bucket-policy.go` and github.com/minio/pkg v3.1.3,
`policy/condition`; and both engines, asked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from exordos_paas_storage.domain import capabilities
from exordos_paas_storage.domain.language import condition_keys
from exordos_paas_storage.domain.language.engine_actions import (
    BYPASS,
    PUT,
    TAG_KEYS,
    VERSION_ID,
)

SOURCE_IP = "aws:SourceIp"
USERNAME = "aws:username"
COPY_SOURCE = "s3:x-amz-copy-source"
ENCRYPTION = "s3:x-amz-server-side-encryption"
CUSTOMER_ALGORITHM = "s3:x-amz-server-side-encryption-customer-algorithm"
DIRECTIVE = "s3:x-amz-metadata-directive"
_KMS_KEY = "s3:x-amz-server-side-encryption-aws-kms-key-id"


@dataclass(frozen=True)
class Supply:
    """What one engine tells its policies of one key.

    Attributes:
        name: the key in the engine's spelling.
        always: whether every request carries it.
        empty: whether the engine shows an empty text where a request has none.
        checked: whether the engine takes a client's word for it, and yet knows the
            truth as a policy variable, so that the two can be compared.
        forged: how a client can make the engine see another value than the one that
            it acts upon, for uploads only where it is `BY_FORM`; empty where it can't.
        unseen: the engine's actions whose requests may carry it unseen by it.
    """

    name: str
    always: bool = False
    empty: bool = False
    checked: bool = False
    forged: str = ""
    unseen: frozenset[str] = frozenset()

    @property
    def forgeable(self) -> bool:
        """Whether a client can make the engine see another value."""
        return bool(self.forged)


_BY_NAME = "by a header or parameter of its name"
# Both look at the headers of a form upload, and act upon its fields; with headers that
# are signed too, RustFS takes it for a request that is signed by header.
BY_FORM = "by an upload as a form"
_BY_ADDRESS = "by the headers X-Real-IP and Forwarded"

_TAG_WRITES = frozenset(("s3:PutObjectTagging",))
_RETENTION = frozenset(("s3:PutObjectRetention",))
_LEGAL_HOLD = frozenset(("s3:PutObjectLegalHold",))

# The engine's actions for which one of them does not see all that a request carries,
# with that of uploads, which may come as forms.
BLIND = _TAG_WRITES | _RETENTION | _LEGAL_HOLD | {PUT}

_LISTED = ("s3:delimiter", "s3:max-keys", "s3:prefix")
_HEADERS = (
    COPY_SOURCE,
    CUSTOMER_ALGORITHM,
    DIRECTIVE,
    ENCRYPTION,
    "s3:x-amz-content-sha256",
    "s3:x-amz-storage-class",
)

# Neither compares the legal hold in the body of PutObjectLegalHold, only that of an
# upload's headers; RustFS is as blind to retention and tags in a body.
_RUSTFS = {
    "aws:CurrentTime": Supply("aws:CurrentTime", always=True),
    "aws:EpochTime": Supply("aws:EpochTime", always=True),
    "aws:referer": Supply("aws:Referer"),
    "aws:UserAgent": Supply("aws:UserAgent"),
    # To both engines, the id of a user is its name; keys ask as their user.
    "aws:userid": Supply(USERNAME, always=True),
    USERNAME: Supply(USERNAME, always=True),
    SOURCE_IP: Supply(SOURCE_IP, always=True),
    "s3:authType": Supply("s3:authType", always=True, forged=BY_FORM),
    "s3:ExistingObjectTag": Supply("s3:ExistingObjectTag"),
    "s3:object-lock-legal-hold": Supply(
        "s3:object-lock-legal-hold", forged=BY_FORM, unseen=_LEGAL_HOLD
    ),
    "s3:object-lock-mode": Supply(
        "s3:object-lock-mode", forged=BY_FORM, unseen=_RETENTION
    ),
    "s3:object-lock-retain-until-date": Supply(
        "s3:object-lock-retain-until-date", forged=BY_FORM, unseen=_RETENTION
    ),
    "s3:RequestObjectTag": Supply(
        "s3:RequestObjectTag", forged=BY_FORM, unseen=_TAG_WRITES
    ),
    TAG_KEYS: Supply(TAG_KEYS, forged=BY_FORM, unseen=_TAG_WRITES),
    "s3:signatureversion": Supply("s3:signatureversion", always=True, forged=BY_FORM),
    VERSION_ID: Supply(VERSION_ID),
    **{name: Supply(name, forged=_BY_NAME) for name in _LISTED},
    **{name: Supply(name, forged=BY_FORM) for name in _HEADERS},
    **{
        f"s3:x-amz-{name}": Supply(f"s3:x-amz-{name}", forged=BY_FORM)
        for name in (
            "acl",
            "grant-full-control",
            "grant-read",
            "grant-read-acp",
            "grant-write",
            "grant-write-acp",
        )
    },
}

_NOT_MINIO = ("s3:ExistingObjectTag", "s3:x-amz-acl", "s3:x-amz-grant-")
_EMPTY = ("aws:referer", "aws:UserAgent", VERSION_ID)


def _of_minio(name: str, supply: Supply) -> Supply:
    """MinIO makes every header and parameter of a request a value of that name."""
    by_name = name.startswith("s3:") and not supply.always
    forged = _BY_NAME if by_name else ""
    if name == SOURCE_IP:
        forged = _BY_ADDRESS
    changed = replace(
        supply, empty=name in _EMPTY, checked=supply.always, forged=forged
    )
    if name == "s3:object-lock-legal-hold":
        return changed
    return replace(changed, unseen=frozenset())


_MINIO = {
    name: _of_minio(name, supply)
    for name, supply in _RUSTFS.items()
    if not name.startswith(_NOT_MINIO)
}
_MINIO[_KMS_KEY] = Supply(_KMS_KEY, forged=_BY_NAME)

_TABLE = {capabilities.RUSTFS: _RUSTFS, capabilities.MINIO: _MINIO}

# What the service or an engine makes, or takes in known spellings only.
_ASCII = frozenset(
    (
        "aws:userid",
        USERNAME,
        "s3:authType",
        "s3:object-lock-legal-hold",
        "s3:object-lock-mode",
        "s3:signatureversion",
        VERSION_ID,
        "s3:x-amz-content-sha256",
    )
)

# What is the same for every request of a key, whatever an engine says: it calls keys
# assumed roles, and knows nothing of TLS that ends before it.
CONSTANTS = {
    "aws:PrincipalIsAWSService": "false",
    "aws:PrincipalType": "User",
    "aws:ViaAWSService": "false",
}
SECURE = "aws:SecureTransport"


def supply(engine: str, key: str) -> Supply | None:
    """How an engine knows a key; None where it does not.

    Args:
        engine: a name of `capabilities.ENGINES`.
        key: in AWS's spelling, with a tag's key where it has one; `name` has it too.
    """
    plain, slash, tag = key.partition("/")
    found = _TABLE[engine].get(plain)
    return replace(found, name=f"{found.name}{slash}{tag}") if found else None


def known(engine: str) -> dict[str, Supply]:
    """Every key that an engine knows, without the keys of tags."""
    return dict(_TABLE[engine])


def is_ascii(key: str) -> bool:
    """Whether no request has a letter beyond ASCII in a key; what it sends then fails.

    Args:
        key: in AWS's spelling, with a tag's key where it has one.
    """
    return key.partition("/")[0] in _ASCII


def constant(key: str, secure: bool) -> str | None:
    """The value that every request has; None where they differ.

    Args:
        key: in AWS's spelling.
        secure: whether the instance's endpoint is served by TLS.
    """
    if key == SECURE:
        return "true" if secure else "false"
    return CONSTANTS.get(key)


def carried(key: str, action: str) -> bool:
    """Whether a request of an action of AWS's may carry a key.

    As AWS's reference says, but that a deletion or change of a lock, for which
    BypassGovernanceRetention is asked, has no header of an upload.
    """
    upload = key.startswith("s3:RequestObjectTag") or (
        key.startswith("s3:x-amz-") and key != "s3:x-amz-content-sha256"
    )
    if action == BYPASS and upload:
        return False
    return condition_keys.carried(key, action)
