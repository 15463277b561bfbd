"""Buckets: their settings on the engine, and how they go."""

import pytest

from tests import box
from tests.service import made

OBJECT_S = 60.0


@pytest.fixture(scope="module")
def key(place):
    return place.key(place.user())


@pytest.fixture
def new_bucket(api, place):
    """Make buckets that are ACTIVE."""

    def make(**fields):
        name = made.unique("bucket")
        api.make(f"{place.at}/buckets", name=name, **fields)
        return api.wait(f"{place.at}/buckets/{name}", deadline_s=OBJECT_S)["name"]

    return make


@pytest.mark.parametrize(
    ("fields", "versioned", "sealed"),
    [
        ({}, "Enabled", True),
        ({"versioning": False}, None, True),
        ({"encryption": "none"}, "Enabled", False),
    ],
)
def test_a_bucket_is_as_asked_or_as_its_instance(
    new_bucket, key, fields, versioned, sealed
):
    name = new_bucket(**fields)

    answer = key.s3.get_bucket_versioning(Bucket=name)
    # A bucket that was never versioned and one that is no more are alike here.
    wanted = {versioned} if versioned else {None, "Suspended"}
    assert answer.get("Status") in wanted
    put = key.s3.put_object(Bucket=name, Key="x", Body=b"x")
    assert (put.get("ServerSideEncryption") == "AES256") is sealed


def test_a_change_reaches_the_engine(api, place, new_bucket, key):
    name = new_bucket()

    api.change(f"{place.at}/buckets/{name}", versioning=False)

    box.wait_until(
        lambda: key.s3.get_bucket_versioning(Bucket=name).get("Status") == "Suspended"
    )
    shown = api.wait(f"{place.at}/buckets/{name}", deadline_s=OBJECT_S)
    assert shown["versioning"] is False


def test_a_bucket_with_objects_comes_back_and_wedges_nothing(
    api, place, new_bucket, key
):
    name = new_bucket(versioning=False)
    at = f"{place.at}/buckets/{name}"
    key.s3.put_object(Bucket=name, Key="x", Body=b"x")

    assert api.delete(at).status_code == 204

    box.wait_until(lambda: made.condition(api.show(at), "DeleteRefused"))
    assert api.wait(at)["status"] == "ACTIVE"
    assert key.s3.get_object(Bucket=name, Key="x")["Body"].read() == b"x"
    new_bucket()
    key.s3.delete_object(Bucket=name, Key="x")
    assert api.delete(at).status_code == 204
    api.wait_gone(at, OBJECT_S)


@pytest.mark.parametrize(
    "name", ["health", "rustfs", "xn--a", "UPPER", "a", "with space", "1.2.3.4"]
)
def test_a_name_that_no_bucket_may_have_is_refused(api, place, name):
    answer = api.post(f"{place.at}/buckets", {"name": name})

    made.refused(answer, 400, "InvalidValue", "name")


@pytest.mark.parametrize("kind", ["buckets", "users", "policies"])
def test_a_name_is_unique_in_its_instance(api, place, kind):
    body = {"name": made.unique("once")}
    if kind == "policies":
        body["template"] = "read-only"
    api.make(f"{place.at}/{kind}", **body)

    answer = api.post(f"{place.at}/{kind}", body)

    made.refused(answer, 409, "NameTaken", "name")
