"""What the engines ask for a request, and which rights of AWS's it takes.

A request that needs one right in AWS may be asked as another one by an engine, which
then tells the two apart only by what the request carries: reading a version is asked as
`s3:GetObject` with a version named. A cell is one such part of an engine's action with
the rights that AWS wants for it.

Source: AWS, Service Authorization Reference for S3; RustFS 1.0.1, `storage/access.rs`
and `app/object/delete.rs`; MinIO at 7aac2a2c5b7c, `cmd/auth-handler.go` and the
handlers beside it; and both engines, asked (`tests/contract/test_agreement.py`).
"""

from __future__ import annotations

import functools
from typing import NamedTuple

from exordos_paas_storage.domain import capabilities
from exordos_paas_storage.domain.language import actions

VERSION_ID = "s3:versionid"
TAG_KEYS = "s3:RequestObjectTagKeys"

GET = "s3:GetObject"
GET_VERSION = "s3:GetObjectVersion"
PUT = "s3:PutObject"
DELETE = "s3:DeleteObject"
DELETE_VERSION = "s3:DeleteObjectVersion"
LIST = "s3:ListBucket"
LIST_VERSIONS = "s3:ListBucketVersions"
LIST_BUCKETS = "s3:ListAllMyBuckets"
LOCATE = "s3:GetBucketLocation"
RETENTION = "s3:PutObjectRetention"
BYPASS = "s3:BypassGovernanceRetention"


class Cell(NamedTuple):
    """A part of the requests that an engine asks as one action.

    Attributes:
        asked: the action, in the engine's spelling.
        needs: the rights that AWS wants for it, all of them.
        key: the condition key that tells the parts of `asked` apart; empty where it
            has only this part.
        present: whether the requests of this part carry `key`.
    """

    asked: str
    needs: tuple[str, ...]
    key: str = ""
    present: bool = False


# AWS's names where an engine has another.
_SPELLINGS = {
    capabilities.RUSTFS: {
        "s3:GetBucketCORS": "s3:GetBucketCors",
        "s3:GetEncryptionConfiguration": "s3:GetBucketEncryption",
        "s3:GetLifecycleConfiguration": "s3:GetBucketLifecycle",
    },
    capabilities.MINIO: {"s3:GetBucketCORS": "s3:GetBucketCors"},
}

# Both ask a call on the tags of a version as one on those of the object.
_BY_VERSION = {
    GET: GET_VERSION,
    "s3:DeleteObjectTagging": "s3:DeleteObjectVersionTagging",
    "s3:GetObjectTagging": "s3:GetObjectVersionTagging",
    "s3:PutObjectTagging": "s3:PutObjectVersionTagging",
}


def _both(asked: str, of_version: str) -> tuple[Cell, Cell]:
    return (
        Cell(asked, (asked,), VERSION_ID, present=False),
        Cell(asked, (of_version,), VERSION_ID, present=True),
    )


_SHARED = (
    *(cell for pair in _BY_VERSION.items() for cell in _both(*pair)),
    # RustFS asks it for GET of a version, MinIO for the attributes of one alone.
    Cell(GET_VERSION, (GET_VERSION,), VERSION_ID, present=True),
    Cell(PUT, (PUT,), TAG_KEYS, present=False),
    Cell(PUT, (PUT, "s3:PutObjectTagging"), TAG_KEYS, present=True),
)
_SPECIAL = {
    capabilities.RUSTFS: _SHARED,
    capabilities.MINIO: (*_SHARED, *_both(DELETE, DELETE_VERSION)),
}
# What an engine never asks, as a cell above stands for it.
_NEVER_ASKED = frozenset(_BY_VERSION.values()) - {GET_VERSION}

# MinIO lists the versions for whoever may list the objects, even against a Deny, so a
# Deny of the one takes the other along.
DENIED_ALONG = {
    capabilities.RUSTFS: {},
    capabilities.MINIO: {LIST_VERSIONS: LIST},
}

_SETTING = ("s3:Put", "s3:Delete", "s3:Create", "s3:Tag", "s3:Untag", "s3:Update")


@functools.cache
def granted(engine: str) -> frozenset[str]:
    """The actions, in AWS's spelling, that the guard lets a key do on an engine."""
    allowed = set(capabilities.of(engine, "").guard_actions)
    return frozenset(one for one in actions.NAMES if spelled(engine, one) in allowed)


def spelled(engine: str, action: str) -> str:
    """An action of AWS's in the spelling of an engine."""
    return _SPELLINGS[engine].get(action, action)


@functools.cache
def cells(engine: str) -> tuple[Cell, ...]:
    """Every cell of what the guard lets a key do on an engine."""
    special = _SPECIAL[engine]
    apart = {cell.asked for cell in special} | _NEVER_ASKED
    plain = (
        Cell(spelled(engine, one), (one,))
        for one in sorted(granted(engine))
        if spelled(engine, one) not in apart
    )
    return (*special, *plain)


def level(cell: Cell) -> str:
    """What a request of the cell is about, as `actions.level` says it."""
    return actions.level(cell.needs[0])


def withheld(engine: str, pattern: str) -> str:
    """Why nothing that an entry of `Action` names can come true; empty if some can."""
    named = actions.matching((pattern,))
    if named & granted(engine):
        return ""
    if all(one.startswith(_SETTING) for one in named):
        return "keys don't set anything up here; the API of the service does"
    return "no key may do this here"
