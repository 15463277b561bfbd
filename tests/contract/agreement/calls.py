"""S3 calls as a client makes them, and what AWS asks for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from exordos_paas_storage.domain.language import (
    actions,
    condition_keys,
    document,
    simulator,
)

# For calls on a version, AWS asks another right.
OF_VERSION = {
    "s3:GetObject": "s3:GetObjectVersion",
    "s3:GetObjectAttributes": "s3:GetObjectVersionAttributes",
    "s3:GetObjectTagging": "s3:GetObjectVersionTagging",
    "s3:PutObjectTagging": "s3:PutObjectVersionTagging",
    "s3:DeleteObject": "s3:DeleteObjectVersion",
    "s3:DeleteObjectTagging": "s3:DeleteObjectVersionTagging",
}

# The rights that AWS wants for an operation, all of them.
RIGHTS = {
    "get": ("s3:GetObject",),
    "head": ("s3:GetObject",),
    "attributes": ("s3:GetObjectAttributes", "s3:GetObject"),
    "get_tags": ("s3:GetObjectTagging",),
    "put_tags": ("s3:PutObjectTagging",),
    "delete_tags": ("s3:DeleteObjectTagging",),
    "put": ("s3:PutObject",),
    "put_retained": ("s3:PutObject", "s3:PutObjectRetention"),
    "put_held": ("s3:PutObject", "s3:PutObjectLegalHold"),
    "retain": ("s3:PutObjectRetention",),
    "hold": ("s3:PutObjectLegalHold",),
    "delete": ("s3:DeleteObject",),
    "delete_many": ("s3:DeleteObject",),
    "create_upload": ("s3:PutObject",),
    "list_parts": ("s3:ListMultipartUploadParts",),
    "abort_upload": ("s3:AbortMultipartUpload",),
    "copy": ("s3:GetObject", "s3:PutObject"),
    "list": ("s3:ListBucket",),
    "list_v1": ("s3:ListBucket",),
    "list_versions": ("s3:ListBucketVersions",),
    "list_uploads": ("s3:ListBucketMultipartUploads",),
    "head_bucket": ("s3:ListBucket",),
    "location": ("s3:GetBucketLocation",),
    "versioning": ("s3:GetBucketVersioning",),
    "bucket_tags": ("s3:GetBucketTagging",),
    "list_buckets": ("s3:ListAllMyBuckets",),
}
MUTATING = frozenset(
    (
        "copy",
        "delete",
        "delete_many",
        "delete_tags",
        "put",
        "put_held",
        "put_retained",
        "put_tags",
    )
)


@dataclass(frozen=True)
class Call:
    """One S3 call of a user.

    Attributes:
        user: the name of the user whose key signs it.
        operation: a key of `RIGHTS`.
        bucket: empty for the list of buckets.
        key: the object's; empty for calls on a bucket.
        versioned: whether it names a version.
        source: the key, in the same bucket, that a copy is made from.
        context: what it carries by condition key in AWS's spelling, without what its
            action does not carry there.
    """

    user: str
    operation: str
    bucket: str = ""
    key: str = ""
    versioned: bool = False
    source: str = ""
    context: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def value(self, key: str) -> str | None:
        """The one value of a condition key; None where the call has none."""
        given = self.context.get(key, ())
        return given[0] if given else None

    def tags(self, key: str) -> dict[str, str]:
        """Tags by their key, of `s3:RequestObjectTag` or `s3:ExistingObjectTag`."""
        return {
            name.partition("/")[2]: given[0]
            for name, given in self.context.items()
            if name.startswith(f"{key}/")
        }


def requests(call: Call) -> list[simulator.Request]:
    """What AWS asks for a call: one request for each right."""
    rights = list(RIGHTS[call.operation])
    if call.versioned:
        rights = [OF_VERSION.get(right, right) for right in rights]
    if call.operation != "put_tags" and call.tags("s3:RequestObjectTag"):
        rights.append("s3:PutObjectTagging")
    return [_request(call, right) for right in rights]


def _request(call: Call, right: str) -> simulator.Request:
    key = call.source if call.source and right.startswith("s3:Get") else call.key
    about = actions.level(right)
    return simulator.Request(
        simulator.Principal(call.user),
        right,
        simulator.resource(
            "" if about == actions.ACCOUNT else call.bucket,
            key if about == actions.OBJECT else "",
        ),
        {
            name: given
            for name, given in call.context.items()
            if condition_keys.carried(name, right)
        },
    )


def shows(
    call: Call,
    documents: Sequence[document.Document],
    scope: document.Document | None = None,
) -> bool:
    """Whether a list of buckets has that of the call without the right to lists.

    Both engines then list the buckets that the key may list or locate. Their answer
    tells of the right only where it has another one.
    """
    context = {**call.context, "s3:prefix": ("",), "s3:delimiter": ("/",)}
    return any(
        allowed(replace(call, operation=one, context=context), documents, scope)
        for one in ("head_bucket", "list", "location")
    )


def allowed(
    call: Call,
    documents: Sequence[document.Document],
    scope: document.Document | None = None,
) -> bool:
    """Whether documents, as their author wrote them, allow a call."""
    policies = [
        simulator.Policy(str(index), one) for index, one in enumerate(documents)
    ]
    return all(
        simulator.decide(policies, request, scope).allowed for request in requests(call)
    )
