"""Calls as clients make them, drawn by chance."""

from __future__ import annotations

import datetime
import random

from tests.contract.agreement.calls import OF_VERSION, RIGHTS, Call
from tests.contract.agreement.phrases import (
    ADDRESS,
    AGENTS,
    FIRST,
    KEYS,
    LOCKED,
    OTHER,
    REFERER,
    TAGS,
    USERS,
)


def call(chance: random.Random, user: str) -> Call:
    """A call as a client makes it, with all that it carries."""
    operation = chance.choice(tuple(RIGHTS))
    context = _base(chance, user)
    if operation == "list_buckets":
        return Call(user, operation, OTHER, context=context)
    if operation in _LOCKING:
        return _locked(chance, user, operation, context)
    if operation in _LISTS:
        context |= _listed(chance)
    if operation in _OF_BUCKET:
        return Call(user, operation, FIRST, context=context)
    key = chance.choice(KEYS)
    versioned = operation in _VERSIONED and chance.random() < 0.35
    if versioned:
        # A placeholder until the call is made: engines draw the ids.
        context["s3:versionid"] = ("00000000-0000-0000-0000-000000000000",)
    context |= _carried(chance, operation)
    source = chance.choice(KEYS) if operation == "copy" else ""
    if source:
        context["s3:x-amz-copy-source"] = (f"{FIRST}/{source}",)
    for tag, value in TAGS.get(source or key, {}).items():
        context[f"s3:ExistingObjectTag/{tag}"] = (value,)
    return Call(user, operation, FIRST, key, versioned, source, context)


_LISTS = frozenset(("list", "list_v1", "list_versions"))
_OF_BUCKET = _LISTS | {
    "list_uploads",
    "head_bucket",
    "location",
    "versioning",
    "bucket_tags",
}
_VERSIONED = frozenset(
    operation for operation, rights in RIGHTS.items() if rights[0] in OF_VERSION
)
_LOCKING = ("put_retained", "put_held", "retain", "hold")
_UPLOADS = ("put", "create_upload", "copy")


def _base(chance: random.Random, user: str) -> dict[str, tuple[str, ...]]:
    """What every call carries; both engines take the name of a user for its id."""
    now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    found = {
        "aws:CurrentTime": (now.strftime("%Y-%m-%dT%H:%M:%SZ"),),
        "aws:EpochTime": (str(int(now.timestamp())),),
        "aws:SecureTransport": ("false",),
        "aws:SourceIp": (ADDRESS,),
        "aws:UserAgent": (chance.choice(AGENTS),),
        "aws:userid": (user,),
        "aws:ViaAWSService": ("false",),
        "s3:authType": ("REST-HEADER",),
        "s3:signatureversion": ("AWS4-HMAC-SHA256",),
    }
    if chance.random() < 0.4:
        found["aws:referer"] = (REFERER,)
    return found


def _listed(chance: random.Random) -> dict[str, tuple[str, ...]]:
    found = {}
    if chance.random() < 0.7:
        prefixes = ("", "in/", "in/t", "out/", f"home/{USERS[0]}/", "home/")
        found["s3:prefix"] = (chance.choice(prefixes),)
    if chance.random() < 0.4:
        found["s3:delimiter"] = ("/",)
    if chance.random() < 0.4:
        found["s3:max-keys"] = (chance.choice(("1", "10", "11", "100")),)
    return found


def _carried(chance: random.Random, operation: str) -> dict[str, tuple[str, ...]]:
    """Headers and tags that an operation on an object carries."""
    found: dict[str, tuple[str, ...]] = {}
    if operation in _UPLOADS:
        if chance.random() < 0.3:
            found["s3:x-amz-server-side-encryption"] = ("AES256",)
        if chance.random() < 0.2:
            found["s3:x-amz-storage-class"] = ("STANDARD",)
    if operation == "copy":
        # Only a copy that replaces metadata may be of an object on itself.
        found["s3:x-amz-metadata-directive"] = ("REPLACE",)
    tagged = operation == "put_tags" or (
        operation in ("put", "create_upload") and chance.random() < 0.35
    )
    if tagged:
        both = {"team": "red", "owner": "me"}
        sent = chance.choice((both, {"team": "red"}, {"owner": "me"}, {"team": "blue"}))
        found["s3:RequestObjectTagKeys"] = tuple(sent)
        found |= {f"s3:RequestObjectTag/{tag}": (one,) for tag, one in sent.items()}
    return found


def _locked(
    chance: random.Random,
    user: str,
    operation: str,
    context: dict[str, tuple[str, ...]],
) -> Call:
    if operation in ("put_held", "hold"):
        context["s3:object-lock-legal-hold"] = ("OFF",)
    else:
        later = datetime.datetime.now(datetime.timezone.utc)
        later += datetime.timedelta(days=chance.choice((1, 30)))
        context["s3:object-lock-mode"] = ("GOVERNANCE",)
        context["s3:object-lock-retain-until-date"] = (
            later.strftime("%Y-%m-%dT%H:%M:%SZ"),
        )
    return Call(user, operation, LOCKED, chance.choice(KEYS), context=context)
