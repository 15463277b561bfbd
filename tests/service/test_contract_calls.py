"""C1 to C9 of the contract, in the form that was promised."""

import re

import pytest

from tests.service import made

C1 = {
    "name": "s3-data",
    "version": "0.0.1",
    "bucket_name": "data-bucket",
    "encryption": "aes256",
    "versioning": True,
}
COMMON = {
    "id", "uuid", "kind", "project_id", "status", "status_message", "conditions",
    "generation", "created_at", "updated_at", "labels",
}  # fmt: skip
KINDS = ["instance", "bucket", "user", "policy", "attachment", "access_key"]


def test_c1_the_promised_example_creates_an_instance(api):
    answer = api.post("/instances", C1)

    assert answer.status_code == 201
    made_one = answer.json()
    assert {key: made_one[key] for key in C1} == C1
    assert made_one["status"] == "CREATING"
    assert made_one["nodes"] == []
    assert made.location(answer) == "/v1/types/s3/instances/s3-data"


def test_c2_the_answer_has_the_promised_fields_and_a_node_once_active(api, running):
    api.make("/instances", **C1)

    shown = api.wait("/instances/s3-data")

    assert shown["id"] == shown["uuid"]
    (node,) = shown["nodes"]
    assert set(node) == {"id", "ip", "port", "state"}
    assert shown["endpoint"] == f"http://{node['ip']}:{node['port']}"
    assert shown["region"] == "us-east-1"


@pytest.mark.parametrize("kind", KINDS)
def test_c3_lists_are_bare_arrays_of_whole_objects(api, tree, kind):
    listed = api.show(tree.collection(kind))

    assert isinstance(listed, list)
    assert set(listed[0]) == set(api.show(tree.path(kind)))


@pytest.mark.parametrize("kind", KINDS)
def test_every_object_has_the_common_fields(api, tree, kind):
    shown = api.show(tree.path(kind))

    assert set(shown) >= COMMON
    assert shown["id"] == shown["uuid"]
    assert shown["kind"] == {"attachment": "s3_policy_attachment"}.get(
        kind, f"s3_{kind}"
    )
    for name in ("created_at", "updated_at"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", shown[name])
    assert shown["generation"] >= 1 and shown["labels"] == {}


@pytest.mark.parametrize("kind", KINDS)
def test_c4_a_path_takes_name_or_id_with_or_without_a_slash(api, tree, kind):
    by_name = api.show(tree.path(kind))

    same = [
        f"{tree.path(kind)}/",
        f"{tree.collection(kind)}/{by_name['id']}",
        f"{tree.collection(kind)}/{by_name['id']}/",
        f"{tree.collection(kind)}/{by_name['id'].upper()}",
    ]

    assert all(api.show(path) == by_name for path in same)
    listed = api.show(tree.collection(kind))
    assert listed == api.show(tree.collection(kind) + "/")


def test_c4_ids_lead_through_every_parent(api, tree):
    at = f"/instances/{tree.instance['id']}/users/{tree.user['id']}"
    key = f"/access-keys/{tree.access_key['id']}"

    assert api.show(at + key)["access_key"] == tree.access_key["access_key"]
    assert api.show(f"{at}/policies/{tree.policy['id']}")["policy"] == "reading"


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_c5_an_update_is_partial(api, tree, method, slash):
    before = api.show(tree.at)

    answer = api.call(
        method, tree.at + slash, json={"versioning": True, "labels": {"a": "b"}}
    )

    assert answer.status_code == 200
    after = answer.json()
    moved = {"versioning", "labels", "generation", "updated_at"}
    assert {key for key in after if after[key] != before[key]} == moved
    assert after == api.show(tree.at)


def test_c5_a_disk_only_grows(api, tree):
    has_gib = api.show(tree.at)["disk_size"]

    answer = api.patch(tree.at, {"disk_size": has_gib - 1})

    made.refused(answer, 400, "InvalidValue", "disk_size")
    assert api.change(tree.at, disk_size=has_gib + 1)["disk_size"] == has_gib + 1
    back = api.patch(tree.at, {"disk_size": has_gib})
    made.refused(back, 400, "InvalidValue", "disk_size")
    assert f"{has_gib + 1} GiB were asked for" in back.text


@pytest.mark.parametrize("kind", ["instance", "bucket", "user", "policy", "access_key"])
@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_what_get_answered_can_be_sent_back(api, tree, kind, method):
    before = api.show(tree.path(kind))

    answer = api.call(method, tree.path(kind), json=before)

    assert answer.status_code == 200, answer.text
    assert answer.json() == before
    assert api.show(tree.path(kind)) == before


def test_null_in_an_update_means_the_default(api, tree):
    api.change(tree.at, encryption="aes256", cpu=4, labels={"a": "b"})

    after = api.change(tree.at, encryption=None, cpu=None, labels=None)

    assert (after["encryption"], after["cpu"], after["labels"]) == ("none", 1, {})


@pytest.mark.parametrize(
    ("kind", "name"),
    [("bucket", "pictures"), ("user", "bert@home+1"), ("policy", "Some_policy.1")],
)
@pytest.mark.parametrize("slash", ["", "/"])
def test_c7_c8_location_is_by_name(api, tree, kind, name, slash):
    body = made.BODIES[kind]() | {"name": name}

    answer = api.post(tree.collection(kind) + slash, body)

    assert answer.status_code == 201, answer.text
    where = made.location(answer)
    assert where == made.BASE + tree.collection(kind) + "/" + name
    assert api.show(where) == answer.json()


def test_c9_location_of_a_key_and_of_an_attachment(api, tree):
    key = api.post(tree.collection("access_key") + "/", {})
    policy = api.post(tree.collection("attachment"), {"policy": "backup"})

    at = made.BASE + tree.at + "/users/anna"
    key_id = key.json()["access_key"]
    assert made.location(key) == f"{at}/access-keys/{key_id}"
    assert made.location(policy) == f"{at}/policies/backup"
    assert policy.json()["user"] == "anna"


def test_location_is_by_name_when_the_path_was_by_id(api, tree):
    answer = api.post(f"/instances/{tree.instance['id']}/buckets", {"name": "byname"})

    assert made.location(answer) == f"{made.BASE}{tree.at}/buckets/byname"


def test_c9_a_key_has_an_id_and_a_secret_that_is_shown_once(api, tree):
    created = api.make(tree.collection("access_key"), description="laptop")

    assert re.fullmatch("[A-Z0-9]{20}", created["access_key"])
    assert re.fullmatch("[A-Za-z0-9]{40}", created["secret_key"])
    path = f"{tree.collection('access_key')}/{created['access_key']}"
    del created["secret_key"]
    assert api.show(path) == created
    assert created in api.show(tree.collection("access_key"))
    changed = api.change(path, description="phone")
    assert "secret_key" not in changed and changed["description"] == "phone"


def test_c9_given_keys_are_taken(api, tree):
    given = {"access_key": "Abc", "secret_key": "8charact"}

    assert api.make(tree.collection("access_key"), **given).items() >= given.items()


@pytest.mark.parametrize("kind", ["attachment", "access_key", "user", "bucket"])
def test_deleting_is_204_then_deleting_then_404(api, tree, kind, reconcile):
    path = tree.path(kind)

    assert api.delete(path).status_code == 204
    assert api.show(path)["status"] == "DELETING"
    again = api.delete(path)
    assert (again.status_code, again.content) == (204, b"")
    assert api.show(path)["status"] == "DELETING"
    reconcile()
    api.wait_gone(path)
    made.refused(api.delete(path), 404, "NotFound")


def test_c6_an_instance_goes_with_everything_in_it(api, tree, reconcile, db):
    api.remove(tree.at + "/")
    assert api.show(tree.at)["status"] == "DELETING"
    assert api.delete(tree.at).status_code == 204

    reconcile()
    api.wait_gone(tree.at)

    for table in (
        "nodes",
        "buckets",
        "users",
        "policies",
        "attachments",
        "access_keys",
    ):
        assert db.execute(f"SELECT 1 FROM s3aas_{table}").fetchone() is None
    made.refused(api.get(tree.path("bucket")), 404, "NotFound")


@pytest.mark.parametrize("kind", ["instance", "bucket", "user", "policy"])
def test_a_name_is_taken_until_the_tombstone_is_gone(api, tree, kind, reconcile):
    if kind == "policy":
        api.remove(tree.path("attachment"))
        reconcile()
        api.wait_gone(tree.path("attachment"))
    body = made.BODIES[kind]() | {"name": tree.name(kind)}
    if kind != "policy":
        api.remove(tree.path(kind))
        made.refused(api.post(tree.collection(kind), body), 409, "NameTaken", "name")
        reconcile()
    else:
        api.remove(tree.path(kind))
    api.wait_gone(tree.path(kind))

    assert api.post(tree.collection(kind), body).status_code == 201


def test_what_is_being_deleted_takes_no_change(api, tree):
    api.remove(tree.at)

    made.refused(api.patch(tree.at, {"cpu": 2}), 409, "BeingDeleted")
    for kind in ("bucket", "user", "policy"):
        made.refused(
            api.post(tree.collection(kind), made.BODIES[kind]()), 409, "BeingDeleted"
        )


def test_the_same_name_serves_in_two_projects_and_two_instances(api, stranger):
    for caller in (api, stranger):
        caller.make("/instances", name="same")
    api.make("/instances", name="other")
    for name in ("same", "other"):
        api.make(f"/instances/{name}/buckets", name="bucket")


def test_collections_below_the_type_are_listed(api):
    assert api.show("/") == ["instances", "versions"]
    assert api.show("") == ["instances", "versions"]
