"""Each way in which an engine differs from a document, shown on the engine itself.

The corpus of `test_agreement.py` may differ only for one of these reasons. If one of
these tests fails, an engine has got better: the entry goes, and what the compiler does
about it with it.
"""

import pytest

from tests import engines
from tests.contract.agreement import deviations, world
from tests.contract.agreement.asked import (
    ALL,
    IN_FIRST,
    RED,
    VERSION,
    Asked,
    allow,
    call,
    deny,
)


@pytest.fixture
def asked(request, started):
    return Asked(request.param, world.of(started(request.param)))


def _on(names):
    return [one for one in engines.available() if one in names]


def _entry(name):
    return next(one for one in deviations.LIST if one.name == name)


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


def a_letter_beyond_ascii(asked):
    asked.hold([allow("s3:PutObject", f"{IN_FIRST}/?")])
    yield call("put", "é")
    asked.hold([ALL, deny("s3:PutObject", f"{IN_FIRST}/??*.jpg")])
    yield call("put", "é.jpg")


SHOWN = {
    one.__name__.replace("_", " "): one
    for one in (
        one_right_to_list,
        one_deny_to_list,
        versions_deleted_by_the_list,
        tags_in_a_body,
        locks_in_a_body,
        uploads_with_tags,
        folders,
        folders_of_an_objects_name,
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
