"""Each way in which an engine differs from a document, shown on the engine itself.

The corpus of `test_agreement.py` may differ only for one of these reasons. If one of
these tests fails, an engine has got better: the entry goes, and what the compiler does
about it with it.
"""

import dataclasses

import pytest

from exordos_paas_storage.domain import policy
from exordos_paas_storage.domain.language import document
from tests import engines
from tests.contract.agreement import calls, corpus, deviations, phrases, wire, world

USER = phrases.USERS[0]
IN_FIRST = f"arn:aws:s3:::{phrases.FIRST}"
OBJECTS = f"{IN_FIRST}/*"
BASE = {
    "aws:SourceIp": (phrases.ADDRESS,),
    "aws:CurrentTime": ("2026-01-01T00:00:00Z",),
    "aws:userid": (USER,),
}
VERSION = {"s3:versionid": ("00000000-0000-0000-0000-000000000000",)}
RED = {"s3:RequestObjectTagKeys": ("team",), "s3:RequestObjectTag/team": ("red",)}


def allow(actions, resources=OBJECTS, condition=None):
    found = {"Effect": "Allow", "Action": actions, "Resource": resources}
    return {**found, "Condition": condition} if condition else found


def deny(actions, resources=OBJECTS, condition=None):
    return {**allow(actions, resources, condition), "Effect": "Deny"}


ALL = allow("s3:*", "*")


def call(operation, key="in/a", carried=None, **named):
    """A call on the first bucket by the first user."""
    bucket = {"list_buckets": phrases.OTHER, "retain": phrases.LOCKED}
    bucket["hold"] = phrases.LOCKED
    context = {**BASE, **(carried or {})}
    at = bucket.get(operation, phrases.FIRST)
    return calls.Call(USER, operation, at, key, context=context, **named)


class Asked:
    """One engine, asked with documents of the one user."""

    def __init__(self, engine, place):
        self.engine, self.place = engine, place
        self.key = place.user_key(USER)

    def hold(self, *policies):
        """Make the user have one policy of each list of statements."""
        self._written = [
            {"Version": policy.VERSION, "Statement": list(statements)}
            for statements in policies
        ]
        most = 1_000_000
        self.place.hold(
            USER, [corpus.compiled(self.engine, one, most) for one in self._written]
        )

    def differs(self, asked, laxer):
        """Whether the engine decides a call otherwise, in that direction, and why."""
        documents = [document.parse(one) for one in self._written]
        says = calls.allowed(asked, documents)
        does = self.place.allows(asked, self.key)
        if (says, does) != (not laxer, laxer):
            return ""
        return deviations.found(self.engine, asked, documents, laxer).name


@pytest.fixture
def asked(request, started):
    return Asked(request.param, world.of(started(request.param)))


def _on(names):
    return [one for one in engines.available() if one in names]


def _entry(name):
    return next(one for one in deviations.LIST if one.name == name)


def the_buckets_of_a_key(asked):
    asked.hold([allow("s3:ListBucket", f"arn:aws:s3:::{phrases.OTHER}")])
    yield call("list_buckets", key="")


def one_right_to_list(asked):
    asked.hold([allow("s3:ListBucket", IN_FIRST)])
    yield call("list_versions", key="")


def one_deny_to_list(asked):
    asked.hold([ALL, deny("s3:ListBucketVersions", IN_FIRST)])
    yield call("list", key="")
    yield call("head_bucket", key="")


def versions_deleted_by_the_list(asked):
    many = call("delete_many", carried=VERSION, versioned=True)
    asked.hold([allow("s3:DeleteObjectVersion")])
    yield many
    asked.hold([allow("s3:DeleteObject")], [allow("s3:DeleteObjectVersion")])
    yield many


def tags_in_a_body(asked):
    red = {"StringEquals": {"s3:RequestObjectTag/team": "red"}}
    blue = {"StringEquals": {"s3:RequestObjectTag/team": "blue"}}
    asked.hold([allow("s3:PutObjectTagging", condition=red)])
    yield call("put_tags", carried=RED)
    asked.hold([ALL, deny("s3:PutObjectTagging", condition=blue)])
    yield call("put_tags", carried=RED)


def locks_in_a_body(asked):
    lock = {"s3:object-lock-legal-hold": ("OFF",)}
    off = {"StringEquals": {"s3:object-lock-legal-hold": "OFF"}}
    on = {"StringEquals": {"s3:object-lock-legal-hold": "ON"}}
    asked.hold([allow("s3:PutObjectLegalHold", "*", off)])
    yield call("hold", carried=lock)
    asked.hold([ALL, deny("s3:PutObjectLegalHold", "*", on)])
    yield call("hold", carried=lock)


def uploads_with_tags(asked):
    asked.hold([allow("s3:PutObject"), allow("s3:PutObjectTagging", IN_FIRST + "/in*")])
    yield call("put", carried=RED)
    yield call("create_upload", carried=RED)


def folders(asked):
    asked.hold([allow("s3:PutObject", f"{IN_FIRST}/in/*")])
    yield call("put", "in/")
    asked.hold([ALL, deny("s3:PutObject", f"{IN_FIRST}/top/*")])
    yield call("put", "top")


def folders_of_an_objects_name(asked):
    asked.hold([allow("s3:PutObject", f"{IN_FIRST}/in/new")])
    yield call("put", "in/new/")


def letters_beyond_ascii(asked):
    asked.hold([allow("s3:PutObject", f"{IN_FIRST}/??")])
    yield call("put", "é")


def a_letter_beyond_ascii(asked):
    asked.hold([allow("s3:PutObject", f"{IN_FIRST}/?")])
    yield call("put", "é")


SHOWN = {
    one.__name__.replace("_", " "): one
    for one in (
        the_buckets_of_a_key,
        one_right_to_list,
        one_deny_to_list,
        versions_deleted_by_the_list,
        tags_in_a_body,
        locks_in_a_body,
        uploads_with_tags,
        folders,
        folders_of_an_objects_name,
        letters_beyond_ascii,
        a_letter_beyond_ascii,
    )
}


def test_every_deviation_of_the_list_is_shown():
    assert {_plain(one.name) for one in deviations.LIST} == set(SHOWN)


def _plain(name):
    return name.replace("'", "").lower()


@pytest.mark.parametrize(
    ("asked", "one"),
    [
        pytest.param(engine, one, id=f"{_plain(one.name)}-{engine}")
        for one in deviations.LIST
        for engine in _on(one.engines)
    ],
    indirect=["asked"],
)
def test_an_engine_differs_so_and_for_this_reason(asked, one):
    for made in SHOWN[_plain(one.name)](asked):
        assert asked.differs(made, one.laxer) == one.name


# `PutObjectRetention` is as blind on RustFS alone; on MinIO it is exact.


@pytest.mark.parametrize("asked", engines.available(), indirect=True)
def test_retention_in_a_body_is_compared_by_minio_alone(asked):
    governance = {"StringEquals": {"s3:object-lock-mode": "GOVERNANCE"}}
    lock = {
        "s3:object-lock-mode": ("GOVERNANCE",),
        "s3:object-lock-retain-until-date": ("2080-01-01T00:00:00Z",),
    }
    asked.hold([allow("s3:PutObjectRetention", "*", governance)])

    retained = asked.place.allows(call("retain", carried=lock), asked.key)

    assert retained == (asked.engine == "minio")


# What a request can do that is made to deceive an engine.


def _forged(asked, made, unsigned=None, parameters=None):
    """The engine's answer to a call with more in it than the call says."""
    sent = asked.place.request(made)
    more = {**sent.parameters, **(parameters or {})}
    sent = dataclasses.replace(sent, parameters=more)
    return asked.place.send(asked.key, sent, unsigned or {})


@pytest.mark.parametrize("asked", engines.available(), indirect=True)
def test_a_header_named_prefix_counts_for_the_condition_and_not_for_the_list(asked):
    asked.hold(
        [allow("s3:ListBucket", IN_FIRST, {"StringLike": {"s3:prefix": "in/*"}})]
    )
    everything = call("list", key="")

    assert _forged(asked, everything).status_code == 403
    forged = _forged(asked, everything, {"prefix": "in/"})

    assert forged.status_code == 200
    assert "<Key>out/a</Key>" in forged.text


@pytest.mark.parametrize("asked", ["minio"], indirect=True)
def test_a_header_named_versionid_makes_versions_of_objects(asked):
    asked.hold([allow("s3:GetObject")])
    version = call("get", carried=VERSION, versioned=True)

    assert _forged(asked, version).status_code == 403
    assert _forged(asked, version, {"versionid": ""}).status_code == 200


@pytest.mark.parametrize("asked", ["minio"], indirect=True)
def test_a_forced_deletion_takes_the_versions_along(asked):
    asked.place.restore("forced/a")
    asked.place.restore("forced/a")
    asked.hold([allow("s3:DeleteObject")])

    _forged(asked, call("delete", "forced/a"), {"x-minio-force-delete": "true"})

    listed = {"versions": "", "prefix": "forced/"}
    everything = wire.Sent("GET", phrases.FIRST, listed)
    left = asked.place.send(asked.place.root, everything)
    assert "<VersionId>" not in left.text


@pytest.mark.parametrize("asked", ["minio"], indirect=True)
def test_a_parameter_counts_for_a_header_that_is_not_sent(asked):
    encrypted = {"StringEquals": {"s3:x-amz-server-side-encryption": "AES256"}}
    asked.hold([allow("s3:PutObject", condition=encrypted)])
    put = call("put")

    assert _forged(asked, put).status_code == 403
    forged = _forged(asked, put, None, {"x-amz-server-side-encryption": "AES256"})

    assert forged.status_code == 200


FORGED = {
    "parameters of a list": ("minio", "rustfs"),
    "versions": ("minio",),
    "forced deletion": ("minio",),
    "what uploads say of themselves": ("minio",),
}


def test_every_forgery_of_the_list_is_shown():
    """The tests above, by what they are about and the engines that they ask."""
    found = {one.name: tuple(sorted(one.engines)) for one in deviations.FORGERIES}

    assert found == FORGED


@pytest.mark.parametrize("asked", engines.available(), indirect=True)
@pytest.mark.parametrize(
    ("condition", "name", "value"),
    [
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, "SourceIp", "10.1.1.1"),
        ({"StringEquals": {"aws:username": "nobody"}}, "username", "nobody"),
        ({"StringEquals": {"aws:userid": "nobody"}}, "userid", "nobody"),
        (
            {"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}},
            "CurrentTime",
            "2019-01-01T00:00:00Z",
        ),
        ({"NumericLessThan": {"aws:EpochTime": "1000"}}, "EpochTime", "10"),
        (
            {"StringEquals": {"s3:authType": "REST-QUERY-STRING"}},
            "authType",
            "REST-QUERY-STRING",
        ),
    ],
)
def test_who_when_and_whence_can_not_be_forged(asked, condition, name, value):
    get = call("get")
    asked.hold([allow("s3:GetObject", condition=condition)])
    assert _forged(asked, get).status_code == 403
    assert _forged(asked, get, {name: value}).status_code == 403
    assert _forged(asked, get, None, {name: value}).status_code == 403

    (operator,) = condition
    opposite = {
        "IpAddress": "NotIpAddress",
        "StringEquals": "StringNotEquals",
        "DateLessThan": "DateGreaterThanEquals",
        "NumericLessThan": "NumericGreaterThanEquals",
    }[operator]
    asked.hold([ALL, deny("s3:GetObject", condition={opposite: condition[operator]})])
    assert _forged(asked, get).status_code == 403
    assert _forged(asked, get, {name: value}).status_code == 403
    assert _forged(asked, get, None, {name: value}).status_code == 403
