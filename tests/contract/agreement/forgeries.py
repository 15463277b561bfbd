"""What requests can do that are made to deceive an engine: the whole list.

`docs/reference/policies.md` shows it to users, each entry has a test of its own in
`test_agreement_forgeries.py`, and the compiler warns of each.
"""

from __future__ import annotations

from dataclasses import dataclass

from exordos_paas_storage.domain import capabilities

MINIO, RUSTFS = (capabilities.MINIO,), (capabilities.RUSTFS,)


@dataclass(frozen=True)
class Forgery:
    """A way in which a client can make an engine allow more than a document says.

    Attributes:
        name: a short one, as the reference has it.
        engines: where it works.
        what: what a request that is made for it can do.
    """

    name: str
    engines: tuple[str, ...]
    what: str


LIST = (
    Forgery(
        "parameters of a list",
        capabilities.ENGINES,
        "a header `prefix`, `delimiter` or `max-keys` counts for the condition key of "
        "its name, and not what is listed: the names of other objects can be read",
    ),
    Forgery(
        "uploads as forms",
        capabilities.ENGINES,
        "of an upload as a form, conditions see the headers and not the fields, which "
        "may say otherwise, and its tags take no right",
    ),
    Forgery(
        "the kind of signature",
        RUSTFS,
        "an upload as a form that is signed by its headers too counts as one that is "
        "signed by headers alone",
    ),
    Forgery(
        "versions by multipart uploads",
        RUSTFS,
        "a multipart upload that begins with a `versionId` replaces what that version "
        "holds, with s3:PutObject alone",
    ),
    Forgery(
        "versions by archives",
        MINIO,
        "an archive that MinIO is told to unpack replaces what the versions hold that "
        "it names, with s3:PutObject alone and whatever locks them",
    ),
    Forgery(
        "versions",
        MINIO,
        "a header `versionid` counts for the version that is asked for, so that the "
        "right to an object and that to its versions become one",
    ),
    Forgery(
        "forced deletion",
        MINIO,
        "a deletion with the header `x-minio-force-delete` removes all versions, and "
        "everything below a folder of that name, with s3:DeleteObject on that name "
        "alone, where the bucket has no object lock",
    ),
    Forgery(
        "shorter locks",
        MINIO,
        "with the header `x-amz-bypass-governance-retention`, one of "
        "s3:PutObjectRetention and s3:BypassGovernanceRetention is enough to shorten a "
        "retention in governance mode",
    ),
    Forgery(
        "addresses",
        MINIO,
        "a header `X-Real-IP` or `Forwarded` counts for the address of the client, so "
        "that `aws:SourceIp` limits honest clients only",
    ),
    Forgery(
        "what uploads say of themselves",
        MINIO,
        "a parameter named like a header, such as `x-amz-server-side-encryption`, "
        "counts where the header is not sent; tags in a parameter take no right",
    ),
)
