"""Where an engine decides a call otherwise than the document says: the whole list.

`docs/reference/policies.md` shows it to users, and each entry has a test of its own in
`test_agreement_deviations.py`. An engine that is laxer somewhere is so whatever it is
given; the compiler warns of it. What a forged request can do stands in that test too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from exordos_paas_storage.domain import capabilities
from exordos_paas_storage.domain.language import actions, document
from tests.contract.agreement.calls import Call

MINIO, RUSTFS = (capabilities.MINIO,), (capabilities.RUSTFS,)

Documents = Sequence[document.Document]


@dataclass(frozen=True)
class Deviation:
    """One way in which an engine differs.

    Attributes:
        name: a short one, as the reference has it.
        engines: which engines do.
        laxer: whether they allow what the document does not; otherwise they deny what
            it allows.
        why: why it can't be compiled away.
        concerns: whether a call, with documents as they were written, may be decided
            otherwise for this reason.
    """

    name: str
    engines: tuple[str, ...]
    laxer: bool
    why: str
    concerns: Callable[[Call, Documents], bool]


def _denies_versions(call: Call, documents: Documents) -> bool:
    listing = call.operation in ("list", "list_v1", "list_versions", "head_bucket")
    return listing and any(
        statement.effect == document.DENY
        and _names(statement, "s3:ListBucketVersions")
        and not _names(statement, "s3:ListBucket")
        for one in documents
        for statement in one.statements
    )


def _allows_objects_alone(call: Call, documents: Documents) -> bool:
    return (call.operation, call.versioned) == ("delete_many", True) and (
        _some_names("s3:DeleteObject", "s3:DeleteObjectVersion", documents)
        or _some_names("s3:DeleteObjectVersion", "s3:DeleteObject", documents)
    )


def _some_names(named: str, missing: str, documents: Documents) -> bool:
    """Whether a statement names one action and not the other."""
    return any(
        _names(statement, named) and not _names(statement, missing)
        for one in documents
        for statement in one.statements
    )


def _names(statement: document.Statement, action: str) -> bool:
    return (action in actions.matching(statement.actions)) != statement.not_action


def _compares(keys: tuple[str, ...], documents: Documents) -> bool:
    return any(
        condition.key.startswith(keys)
        for one in documents
        for statement in one.statements
        for condition in statement.conditions
    )


def _tags_in_body(call: Call, documents: Documents) -> bool:
    return call.operation == "put_tags" and _compares(
        ("s3:RequestObjectTag",), documents
    )


def _lock_in_body(call: Call, documents: Documents) -> bool:
    return call.operation in ("retain", "hold") and _compares(
        ("s3:object-lock-",), documents
    )


def _is_folder(call: Call, documents: Documents) -> bool:
    """Whether the key ends with a slash, or a document names one that does so."""
    if call.key.endswith("/"):
        return True
    folder = f"/{call.key}/"
    return bool(call.key) and any(
        arn.endswith((folder, f"{folder}*"))
        for one in documents
        for statement in one.statements
        for arn in statement.resources
    )


def _is_foreign(call: Call, documents: Documents) -> bool:
    return not call.key.isascii()


def _tagged_upload(call: Call, documents: Documents) -> bool:
    return call.operation in ("put", "create_upload") and bool(
        call.tags("s3:RequestObjectTag")
    )


LIST = (
    Deviation(
        "the buckets of a key",
        capabilities.ENGINES,
        True,
        "the list of buckets shows, without s3:ListAllMyBuckets, those that the key "
        "may list or locate",
        lambda call, documents: call.operation == "list_buckets",
    ),
    Deviation(
        "one right to list",
        MINIO,
        True,
        "s3:ListBucket allows the list of versions too, even against a Deny",
        lambda call, documents: call.operation == "list_versions",
    ),
    Deviation(
        "one Deny to list",
        MINIO,
        False,
        "a Deny of s3:ListBucketVersions can't be held without one of s3:ListBucket, "
        "which it therefore becomes too",
        _denies_versions,
    ),
    Deviation(
        "versions deleted by the list",
        MINIO,
        False,
        "versions in DeleteObjects take both rights to delete in one statement, and no "
        "statement of the user that allows s3:DeleteObject alone",
        _allows_objects_alone,
    ),
    Deviation(
        "tags in a body",
        RUSTFS,
        False,
        "the tags that PutObjectTagging sends are not compared: an Allow by them "
        "allows no such call, a Deny by them denies all",
        _tags_in_body,
    ),
    Deviation(
        "locks in a body",
        capabilities.ENGINES,
        False,
        "RustFS does not compare the retention that PutObjectRetention sends, and "
        "neither engine the hold of PutObjectLegalHold: as with tags in a body",
        _lock_in_body,
    ),
    Deviation(
        "uploads with tags",
        capabilities.ENGINES,
        False,
        "an upload with tags needs s3:PutObject and s3:PutObjectTagging in one "
        "statement, as an engine asks for both as one",
        _tagged_upload,
    ),
    Deviation(
        "folders",
        RUSTFS,
        False,
        "a key that ends with a slash is compared without it: an Allow of `in/*` does "
        "not cover `in/`, and a Deny of it covers `in` too",
        _is_folder,
    ),
    Deviation(
        "folders of an object's name",
        capabilities.ENGINES,
        True,
        "an Allow of one object, `in/a`, covers `in/a/` too",
        _is_folder,
    ),
    Deviation(
        "letters beyond ASCII",
        capabilities.ENGINES,
        True,
        "`?` stands for one byte of UTF-8, so that `??` covers a letter with an accent",
        _is_foreign,
    ),
    Deviation(
        "a letter beyond ASCII",
        capabilities.ENGINES,
        False,
        "`?` stands for one byte of UTF-8, so that it covers no letter with an accent",
        _is_foreign,
    ),
)


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


FORGERIES = (
    Forgery(
        "parameters of a list",
        capabilities.ENGINES,
        "a header `prefix`, `delimiter` or `max-keys` counts for the condition key of "
        "its name, and not what is listed: the names of other objects can be read",
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
        "a deletion with the header `x-minio-force-delete` removes all versions with "
        "s3:DeleteObject alone, where the bucket has no object lock",
    ),
    Forgery(
        "what uploads say of themselves",
        MINIO,
        "a parameter named like a header, such as `x-amz-server-side-encryption`, "
        "counts where the header is not sent",
    ),
)


def found(
    engine: str, call: Call, documents: Documents, laxer: bool
) -> Deviation | None:
    """The entry that explains why an engine decides a call otherwise."""
    for one in LIST:
        fits = engine in one.engines and one.laxer == laxer
        if fits and one.concerns(call, documents):
            return one
    return None
