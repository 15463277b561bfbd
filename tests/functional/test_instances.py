"""Instances: what may be asked, what a change does, and what stays."""

import pytest

from exordos_paas_storage.domain import status
from exordos_paas_storage.nodes import port
from tests import box, tenants
from tests.functional import conftest
from tests.service import made
from tests.tenants import DONE, NO


@pytest.fixture(scope="module")
def tenant(place):
    return tenants.Tenant(place)


def test_a_name_is_unique_in_its_project_and_free_in_another(api, stranger, example):
    body = {"name": example.shown["name"]}

    made.refused(api.post("/instances", body), 409, "NameTaken", "name")
    other = stranger.post("/instances", body)
    assert other.status_code == 201
    stranger.remove(f"/instances/{body['name']}")
    stranger.wait_gone(f"/instances/{body['name']}", conftest.INSTANCE_S)
    assert api.get(example.at).status_code == 200


@pytest.mark.parametrize(
    ("field", "value", "kind"),
    [
        ("encryption", "rot13", "InvalidValue"),
        ("versioning", "yes", "InvalidValue"),
        ("name", "a b", "InvalidValue"),
        ("disk_size", 0, "InvalidValue"),
        ("disk_size", True, "InvalidValue"),
        ("cpu", 100_000, "InvalidValue"),
        ("bucket_name", "Not_A_Bucket", "InvalidValue"),
        ("version", "99.99.99", "InvalidValue"),
        ("colour", "red", "UnknownField"),
        ("status", "ACTIVE", "ReadOnlyField"),
        ("id", "00000000-0000-0000-0000-000000000001", "ReadOnlyField"),
        ("nodes", [], "ReadOnlyField"),
        ("kind", "s3_instance", "ReadOnlyField"),
        ("created_at", "2026-01-01T00:00:00Z", "ReadOnlyField"),
    ],
)
def test_a_create_that_breaks_a_rule_is_refused(api, field, value, kind):
    body = {"name": made.unique("never"), field: value}

    made.refused(api.post("/instances", body), 400, kind, field)


def test_two_nodes_are_not_yet_supported(api):
    body = {"name": made.unique("never"), "nodes_number": 2}

    made.refused(api.post("/instances", body), 422, "NotYetSupported", "nodes_number")


def test_a_protected_instance_is_not_deleted(api, example):
    api.change(example.at, deletion_protection=True)

    made.refused(api.delete(example.at), 409, "DeletionProtected")
    assert api.change(example.at, deletion_protection=False)["status"] != "DELETING"


def test_its_default_bucket_is_not_deleted_alone(api, example):
    answer = api.delete(f"{example.at}/buckets/{example.body['bucket_name']}")

    assert answer.status_code == 409, answer.text


def test_what_a_get_told_can_be_sent_back(api, example):
    before = api.show(example.at)

    answer = api.put(example.at, before)

    assert answer.status_code == 200, answer.text
    assert answer.json()["generation"] == before["generation"]


@pytest.mark.parametrize(
    ("field", "other", "default"),
    [
        ("labels", {"team": "web"}, {}),
        ("description", "for the web", ""),
        ("encryption", "aes256", "none"),
    ],
)
def test_null_means_the_default(api, example, field, other, default):
    before = api.show(example.at)[field]
    try:
        assert api.change(example.at, **{field: other})[field] == other
        assert api.change(example.at, **{field: None})[field] == default
    finally:
        api.change(example.at, **{field: before})
        api.wait(example.at, deadline_s=conftest.INSTANCE_S)


def test_null_is_no_name(api, example):
    made.refused(api.patch(example.at, {"name": None}), 400, "InvalidValue", "name")


def test_an_update_at_another_generation_is_refused(api, example):
    generation = api.show(example.at)["generation"]

    answer = api.patch(
        example.at,
        {"description": "late"},
        headers={"If-Match": f'"{generation - 1}"'},
    )

    made.refused(answer, 412, "PreconditionFailed")


def test_a_repeated_create_is_done_once(api, place):
    headers = {"Idempotency-Key": made.unique("key")}
    body = {"name": made.unique("once")}

    answers = [api.post(f"{place.at}/buckets", body, headers=headers) for _ in range(2)]

    assert [one.status_code for one in answers] == [201, 201]
    assert answers[0].json()["id"] == answers[1].json()["id"]
    assert answers[1].headers["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize("what", ["suspend", "read_only"])
def test_the_whole_instance_stops_and_goes_on(api, example, tenant, what):
    if what == "suspend":
        stop = lambda: api.post(f"{example.at}/actions/suspend/invoke")  # noqa: E731
        go_on = lambda: api.post(f"{example.at}/actions/resume/invoke")  # noqa: E731
    else:
        stop = lambda: api.patch(example.at, {"read_only": True})  # noqa: E731
        go_on = lambda: api.patch(example.at, {"read_only": False})  # noqa: E731
    assert stop().status_code == 200
    try:
        made.until(lambda: tenant.key.puts() == NO, 30)
        assert tenant.key.gets() == (NO if what == "suspend" else DONE)
    finally:
        assert go_on().status_code == 200
    made.until(lambda: tenant.key.puts() == DONE, 30)
    api.wait(example.at, deadline_s=60)


def test_a_grown_disk_is_the_nodes(api, client, live, new_instance):
    """The node set of Core has the new size, and the data is where it was."""
    found = new_instance(bucket_name="growing", disk_size=10)
    at, node = f"/instances/{found['name']}", found["nodes"][0]["id"]
    s3 = box.s3(found["endpoint"], *box.user_with_key(client, found["name"], "anna"))
    s3.put_object(Bucket="growing", Key="kept", Body=b"kept")
    assert live.disk_sizes(node)[-1] == 10

    api.change(at, disk_size=15)

    made.until(lambda: live.disk_sizes(node)[-1] == 15, 60, "Core's set has 15 GiB")
    shown = api.wait(at, deadline_s=conftest.INSTANCE_S)
    assert shown["disk_size"] == 15
    said = made.condition(shown, status.SIZES_ENFORCED)
    # Core does not tell when a disk has grown.
    assert (said["status"], said["reason"]) == (status.UNKNOWN, port.GROWTH_NOT_TOLD)
    box.wait_until(
        lambda: s3.get_object(Bucket="growing", Key="kept")["Body"].read() == b"kept"
    )
    answer = api.patch(at, {"disk_size": 12})
    assert answer.status_code in (400, 422), answer.text
    assert live.disk_sizes(node)[-1] == 15
