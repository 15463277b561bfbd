"""Where an engine decides a call otherwise than the document says: the whole list.

`docs/reference/policies.md` shows it to users, and each entry has a test of its own in
`test_agreement_deviations.py`. An engine that is laxer somewhere is so whatever it is
given; the compiler warns of it. What a forged request can do stands in `forgeries.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from exordos_paas_storage.domain import capabilities
from exordos_paas_storage.domain.language import actions, document, simulator
from tests.contract.agreement import calls
from tests.contract.agreement.calls import Call

MINIO, RUSTFS = (capabilities.MINIO,), (capabilities.RUSTFS,)

Documents = Sequence[document.Document]


@dataclass(frozen=True)
class Pair:
    """A call with all that decides it, as it was written.

    Attributes:
        engine: a name of `capabilities.ENGINES`.
        call: the call.
        policies: those of the user.
        scope: the key's; None for a key without.
    """

    engine: str
    call: Call
    policies: Documents
    scope: document.Document | None = None

    def allowed(self, **changed: object) -> bool:
        """Whether the documents allow the call, or one that differs by those fields."""
        return calls.allowed(replace(self.call, **changed), self.policies, self.scope)

    def statements(self) -> Iterator[document.Statement]:
        """Every statement of policies and scope."""
        for one in (*self.policies, *([self.scope] if self.scope else [])):
            yield from one.statements


@dataclass(frozen=True)
class Deviation:
    """One way in which an engine differs.

    Attributes:
        name: a short one, as the reference has it.
        engines: which engines do.
        laxer: whether they allow what the document does not; otherwise they deny what
            it allows.
        why: why it can't be compiled away.
        explains: whether a pair may be decided otherwise for this reason, and only so.
    """

    name: str
    engines: tuple[str, ...]
    laxer: bool
    why: str
    explains: Callable[[Pair], bool]


def _lists_objects(pair: Pair) -> bool:
    return pair.call.operation == "list_versions" and pair.allowed(operation="list")


def _denies_versions(pair: Pair) -> bool:
    if pair.call.operation not in ("list", "list_v1", "head_bucket"):
        return False
    (asked,) = calls.requests(replace(pair.call, operation="list_versions"))
    return any(
        statement.effect == document.DENY and _applies(statement, asked)
        for statement in pair.statements()
    )


def _applies(statement: document.Statement, asked: simulator.Request) -> bool:
    kind = {"aws:PrincipalType": ("User",), "aws:username": (asked.principal.username,)}
    return simulator.applies(statement, asked, {**kind, **asked.context})


def _needs_both_deletions(pair: Pair) -> bool:
    """Whether the right to objects is missing, or stands without that to versions."""
    if (pair.call.operation, pair.call.versioned) != ("delete_many", True):
        return False
    plain, _ = _plain_and_named(pair.call)
    if not calls.allowed(plain, pair.policies, pair.scope):
        return True
    return any(_gives_objects_alone(one, pair.call) for one in pair.statements())


def _plain_and_named(call: Call) -> tuple[Call, Call]:
    """A call on a version, as one on the object and as it is."""
    context = {key: one for key, one in call.context.items() if key != "s3:versionid"}
    return replace(call, versioned=False, context=context), call


def _gives_objects_alone(statement: document.Statement, call: Call) -> bool:
    plain, named = (
        all(_applies(statement, asked) for asked in calls.requests(one))
        for one in _plain_and_named(call)
    )
    return statement.effect == document.ALLOW and plain and not named


def _compares(pair: Pair, keys: tuple[str, ...], rights: Sequence[str]) -> bool:
    """Whether a statement about one of the rights compares one of the keys."""
    return any(
        condition.key.startswith(keys)
        for statement in pair.statements()
        if any(_names(statement, right) for right in rights)
        for condition in statement.conditions
    )


def _names(statement: document.Statement, action: str) -> bool:
    return (action in actions.matching(statement.actions)) != statement.not_action


def _tags_in_body(pair: Pair) -> bool:
    rights = [asked.action for asked in calls.requests(pair.call)]
    return pair.call.operation == "put_tags" and _compares(
        pair, ("s3:RequestObjectTag",), rights
    )


def _lock_in_body(pair: Pair) -> bool:
    unseen = ("hold", "retain") if pair.engine in RUSTFS else ("hold",)
    rights = calls.RIGHTS[pair.call.operation]
    return pair.call.operation in unseen and _compares(
        pair, ("s3:object-lock-",), rights
    )


def _folder_differs(pair: Pair) -> bool:
    """Whether a slash at the end of the key makes a statement apply, or not apply.

    To a key without one, RustFS applies more only of what takes rights away.
    """
    folder = pair.call.key.endswith("/") or pair.call.source.endswith("/")
    return any(
        _applies(statement, asked) != _applies(statement, other)
        for spelled in _other_spellings(pair.call)
        for asked, other in zip(
            calls.requests(pair.call),
            calls.requests(replace(pair.call, **spelled)),
            strict=True,
        )
        for statement in pair.statements()
        if folder or _takes(statement)
    )


def _takes(statement: document.Statement) -> bool:
    return (statement.effect == document.ALLOW) == statement.not_resource


def _object_differs(pair: Pair) -> bool:
    """Whether the documents allow the key without the slash at its end."""
    folder = pair.call.key.endswith("/") or pair.call.source.endswith("/")
    return folder and any(
        pair.allowed(**other) for other in _other_spellings(pair.call)
    )


def _other_spellings(call: Call) -> Iterator[dict[str, str]]:
    """The key, or a copy's source, with a slash at its end or without its own."""
    for name in ("key", "source"):
        key = getattr(call, name)
        if key:
            yield {name: key.removesuffix("/") if key.endswith("/") else f"{key}/"}


def _has_single(pair: Pair) -> bool:
    """Whether a letter beyond ASCII may meet a `?`."""
    foreign = [pair.call.key, pair.call.source]
    foreign += [value for given in pair.call.context.values() for value in given]
    return not all(one.isascii() for one in foreign) and any(
        "?" in text for one in pair.statements() for text in _texts(one)
    )


def _texts(statement: document.Statement) -> Iterator[str]:
    yield from statement.resources
    for one in statement.conditions:
        yield from one.values


def _tagged_upload(pair: Pair) -> bool:
    """Whether no one statement allows both the upload and its tags."""
    asked = calls.requests(pair.call)
    if pair.call.operation not in ("put", "create_upload") or len(asked) == 1:
        return False
    given = [pair.policies, *([[pair.scope]] if pair.scope else [])]
    return any(not _in_one(documents, asked) for documents in given)


def _in_one(documents: Documents, asked: Sequence[simulator.Request]) -> bool:
    return any(
        statement.effect == document.ALLOW
        and all(_applies(statement, one) for one in asked)
        for one in documents
        for statement in one.statements
    )


LIST = (
    Deviation(
        "one right to list",
        MINIO,
        True,
        "s3:ListBucket allows the list of versions too, even against a Deny",
        _lists_objects,
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
        _needs_both_deletions,
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
        _folder_differs,
    ),
    Deviation(
        "folders of an object's name",
        capabilities.ENGINES,
        True,
        "an Allow of one object, `in/a`, covers `in/a/` too",
        _object_differs,
    ),
    Deviation(
        "a letter beyond ASCII",
        capabilities.ENGINES,
        False,
        "`?` stands for one byte of UTF-8: an Allow of `?` covers no letter with an "
        "accent, and a Deny of `??*` covers one that stands alone",
        _has_single,
    ),
)


def found(
    engine: str,
    call: Call,
    policies: Documents,
    laxer: bool,
    scope: document.Document | None = None,
) -> Deviation | None:
    """The entry that explains why an engine decides a call otherwise."""
    pair = Pair(engine, call, policies, scope)
    for one in LIST:
        if engine in one.engines and one.laxer == laxer and one.explains(pair):
            return one
    return None
