"""What a manifest must not ask for: who hears of it, and that nothing comes of it."""

import uuid

import pytest

from tests.platform.shop import SECRET, installed, platform, rows, shop, tables
from tests.service import conftest

__all__ = ("platform", "tables")

REFUSED = {
    "unknown field": (
        "photos",
        {"colour": "red"},
        "ERROR UnknownField colour",
        "colour: is not a field of this resource",
    ),
    "broken rule": (
        "main",
        {"encryption": "rot13"},
        "ERROR InvalidValue encryption",
        "encryption: must be one of none, aes256",
    ),
    "read-only field": (
        "alice",
        {"status": "ACTIVE"},
        "ERROR ReadOnlyField status",
        "status: is set by the service",
    ),
    "method's name": (
        "photos",
        {"insert": 1},
        "ERROR UnknownField insert",
        "insert: is not a field of this resource",
    ),
    "what reports say": (
        "photos",
        {"asked_for": {"fields": ["name"]}},
        "ERROR UnknownField asked_for",
        "asked_for: is not a field of this resource",
    ),
    "another project": (
        "main",
        {"project_id": str(uuid.UUID(int=0xA1))},
        "ERROR InvalidValue project_id",
        "project_id: must be the element manager's own; leave it out",
    ),
    "no instance": (
        "photos",
        {"instance": None},
        "ERROR MissingField instance",
        "instance: is required",
    ),
    "no such user": (
        "looks",
        {"user": str(uuid.UUID(int=5))},
        "ERROR InvalidValue user",
        "user: must be a user of the instance",
    ),
    "key without a secret": (
        "key",
        {"secret_key": None},
        "ERROR MissingField secret_key",
        "secret_key: is required here: nobody would hear of a generated one",
    ),
    "short secret": (
        "key",
        {"secret_key": "short"},
        "ERROR InvalidValue secret_key",
        "secret_key: must be 8 to 40 printable ASCII characters, no space, or be null",
    ),
    "policy that is nowhere": (
        "alice",
        {"policies": ["nowhere"]},
        "ERROR InvalidValue policies",
        "policies: nowhere is not a policy of the instance",
    ),
    "policy that is none": (
        "looking",
        {"document": {"foo": 1}},
        "ERROR InvalidPolicy document.foo",
        None,
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refusal_is_shown_and_can_be_mended(platform, db, case):
    name, change, reported, message = REFUSED[case]
    manifest = platform.install("shop", shop(**{name: change}))

    found = platform.refused(name, reported)
    assert message in (None, found)
    refused = platform.one(name)["uuid"]
    for table in ("instances", "buckets", "users", "policies", "attachments"):
        assert refused not in {row["uuid"] for row in rows(db, table)}

    platform.change(manifest, shop())
    platform.wait(name)


@pytest.mark.parametrize(
    ("name", "change", "reported"),
    [
        ("photos", {"name": "other"}, "ERROR ReadOnlyField name"),
        ("photos", {"colour": "red"}, "ERROR UnknownField colour"),
        ("photos", {"versioning": "yes"}, "ERROR InvalidValue versioning"),
        ("photos", {"instance": str(uuid.UUID(int=3))}, "ERROR ReadOnlyField instance"),
        ("looks", {"policy": "read-only"}, "ERROR ReadOnlyField policy"),
        ("key", {"secret_key": SECRET[::-1]}, "ERROR ReadOnlyField secret_key"),
        ("alice", {"policies": ["nowhere"]}, "ERROR InvalidValue policies"),
        (
            "alice",
            {"project_id": str(uuid.UUID(int=0xA1))},
            "ERROR InvalidValue project_id",
        ),
    ],
)
def test_a_refused_change_is_shown_and_changes_nothing(
    platform, db, name, change, reported
):
    manifest = installed(platform)
    table = {"photos": "buckets", "looks": "attachments", "key": "access_keys"}
    before = rows(db, table.get(name, "users"))
    shown = platform.one(name)["value"]

    platform.change(manifest, shop(**{name: change}))
    platform.refused(name, reported)
    assert rows(db, table.get(name, "users")) == before
    by_now = platform.one(name)["value"]
    assert [by_now.get(field) for field in change] == [
        shown.get(field) for field in change
    ]

    platform.change(manifest, shop())
    platform.wait(name)


def test_a_tenants_instance_is_none_of_a_manifests(platform, db, api):
    theirs = api.make("/instances", name="theirs")["id"]
    platform.install("shop", shop(photos={"instance": theirs}))

    message = platform.refused("photos", "ERROR InvalidValue instance")
    assert message == "instance: must be an instance that a manifest declares"


@pytest.mark.parametrize("name", ["looks", "key"])
def test_a_user_of_another_instance_is_none_of_this_one(platform, db, api, name):
    api.make("/instances", name="theirs")
    theirs = api.make("/instances/theirs/users", name="victim")["id"]
    manifest = platform.install("shop", shop(**{name: {"user": theirs}}))

    message = platform.refused(name, "ERROR InvalidValue user")
    assert message == "user: must be a user of the instance"
    table = {"looks": "attachments", "key": "access_keys"}[name]
    assert theirs not in {str(row["user_uuid"]) for row in rows(db, table)}

    platform.change(manifest, shop())
    platform.wait(name)


def test_a_policy_of_another_instance_is_none_of_this_one(platform, db, api):
    """It has the name of one of this instance, which may allow more."""
    api.make("/instances", name="theirs")
    theirs = api.make("/instances/theirs/policies", name="look", template="read-only")[
        "id"
    ]
    manifest = platform.install("shop", shop(looks={"policy": theirs}))

    platform.wait("looking")
    message = platform.refused("looks", "ERROR InvalidValue policy")
    assert message == "policy: must be a policy of the instance"
    assert rows(db, "attachments") == []

    platform.change(manifest, shop())
    platform.wait("looks")


def test_a_tenants_object_is_not_taken_over(platform, db, api):
    theirs = api.make("/instances", name="theirs")["id"]
    platform.install("shop", {"instances": {"main": {"name": "x", "uuid": theirs}}})

    platform.refused("main", "ERROR NameTaken uuid")
    assert api.show("/instances/theirs")["project_id"] == str(conftest.PROJECTS["one"])
