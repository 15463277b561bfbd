"""C1 to C11 of the contract, on a live platform."""

import re
import uuid

import httpx
import pytest

from exordos_paas_storage.domain import access, capabilities
from tests import box, tenants
from tests.functional import conftest, engines, platform
from tests.service import made

C2 = {"id", "name", "status", "bucket_name", "encryption", "versioning", "nodes"}
COMMON = {
    "id", "uuid", "kind", "project_id", "status", "status_message", "conditions",
    "generation", "created_at", "updated_at", "labels",
}  # fmt: skip
OBJECT_S = 60.0


@pytest.mark.smoke
def test_c1_the_create_example_answers_as_promised(example):
    found = example.answer.json()

    assert example.answer.status_code == 201
    where = f"{made.BASE}/instances/{example.body['name']}"
    assert made.location(example.answer) == where
    assert found["status"] in ("PENDING", "CREATING")
    assert {key: found[key] for key in example.body} == example.body


@pytest.mark.smoke
def test_c2_the_answer_has_the_promised_fields_and_a_node_once_active(example):
    assert set(example.answer.json()) >= C2 | COMMON
    (node,) = example.shown["nodes"]
    assert uuid.UUID(node["id"])
    assert node["port"] == 9000
    assert example.shown["endpoint"] == f"http://{node['ip']}:{node['port']}"
    assert example.shown["kind"] == "s3_instance"
    assert example.shown["region"] == "us-east-1"


@pytest.mark.smoke
def test_the_readmes_object_goes_into_the_default_bucket(place):
    key = place.key(place.user())

    put = key.s3.put_object(Bucket="data-bucket", Key="a/hello.txt", Body=b"hello")

    found = key.s3.get_object(Bucket="data-bucket", Key="a/hello.txt")
    assert found["Body"].read() == b"hello"
    assert found["ServerSideEncryption"] == "AES256"
    assert found["VersionId"] == put["VersionId"] not in ("", "null")


@pytest.mark.parametrize("slash", ["", "/"])
def test_c3_instances_are_listed(api, example, slash):
    listed = api.show(f"/instances{slash}")

    assert example.shown["id"] in [found["id"] for found in listed]


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("key", ["id", "name"])
def test_c4_an_instance_is_told_by_id_and_by_name(api, example, key, slash):
    shown = api.show(f"/instances/{example.shown[key]}{slash}")

    assert set(shown) == set(example.shown)
    assert shown["nodes"] == example.shown["nodes"]


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_c5_an_update_reaches_the_engine(api, place, example, method):
    key = place.key(place.user())
    before = api.show(example.at)

    answer = api.call(method, example.at, json={"versioning": False})

    assert answer.status_code == 200
    after = answer.json()
    allowed = {"versioning", "generation", "updated_at", "status", "conditions"}
    assert {name for name in after if after[name] != before[name]} <= allowed
    api.wait(example.at, deadline_s=OBJECT_S)
    versioning = key.s3.get_bucket_versioning
    made.until(
        lambda: versioning(Bucket="data-bucket").get("Status") == "Suspended",
        OBJECT_S,
    )
    api.change(example.at, versioning=True)
    made.until(
        lambda: versioning(Bucket="data-bucket").get("Status") == "Enabled", OBJECT_S
    )
    api.wait(example.at, deadline_s=OBJECT_S)


def test_c6_a_deleted_instance_takes_its_data_and_its_machine_with_it(
    api, client, live, new_instance
):
    found = new_instance(bucket_name="doomed")
    at, node = f"/instances/{found['name']}", found["nodes"][0]["id"]
    key = box.user_with_key(client, found["name"], "owner-of-data")
    s3 = box.s3(found["endpoint"], *key)
    s3.put_object(Bucket="doomed", Key="full", Body=b"full")
    assert live.node_set(node) is not None

    assert api.delete(at).status_code == 204

    assert api.get(at).json().get("status") in ("DELETING", None)
    api.wait_gone(at, conftest.INSTANCE_S)
    made.until(lambda: live.node_set(node) is None, OBJECT_S, "the node set is gone")
    made.until(lambda: not engines.answers(s3), OBJECT_S, "its machine is gone")
    assert api.delete(at).status_code == 404


@pytest.mark.smoke
def test_c7_buckets_are_made_listed_and_deleted_by_name(api, place):
    at, name = f"{place.at}/buckets", made.unique("reports")
    answer = api.post(at, {"name": name})

    assert answer.status_code == 201
    assert made.location(answer) == f"{made.BASE}{at}/{name}"
    api.wait(f"{at}/{name}", deadline_s=OBJECT_S)
    key = place.key(place.user())
    assert name in [one["Name"] for one in key.s3.list_buckets()["Buckets"]]
    assert name in [one["name"] for one in api.show(at)]
    assert api.delete(f"{at}/{name}").status_code == 204
    api.wait_gone(f"{at}/{name}", OBJECT_S)
    assert name not in [one["Name"] for one in key.s3.list_buckets()["Buckets"]]


def test_c8_users_are_made_listed_and_deleted_by_name(api, place):
    at, name = f"{place.at}/users", made.unique("guest")

    answer = api.post(at, {"name": name})

    assert answer.status_code == 201
    assert made.location(answer) == f"{made.BASE}{at}/{name}"
    key = place.key(f"{at}/{name}")
    assert key.puts() == tenants.DONE
    assert name in [one["name"] for one in api.show(at)]
    assert api.delete(f"{at}/{name}").status_code == 204
    api.wait_gone(f"{at}/{name}", OBJECT_S)
    assert engines.refusal(key.s3.list_buckets) == "InvalidAccessKeyId"


def test_c9_keys_are_made_listed_and_deleted_by_their_id(api, place):
    keys = f"{place.user()}/access-keys"

    answer = api.post(keys, {"description": "laptop"})

    assert answer.status_code == 201
    shown = answer.json()
    assert re.fullmatch("[A-Z0-9]{20}", shown["access_key"])
    assert len(shown["secret_key"]) == 40
    path = f"{keys}/{shown['access_key']}"
    assert made.location(answer) == made.BASE + path
    key = place.known(keys.removesuffix("/access-keys"), shown)
    assert key.puts() == tenants.DONE
    listed = api.get(keys)
    assert shown["access_key"] in [one["access_key"] for one in listed.json()]
    for again in (listed.text, api.get(path).text):
        assert shown["secret_key"] not in again
    assert api.delete(path).status_code == 204
    api.wait_gone(path, OBJECT_S)
    assert engines.refusal(key.s3.list_buckets) == "InvalidAccessKeyId"


def test_c10_the_node_answers_its_health_without_credentials(example):
    shown = example.shown
    able = capabilities.of(shown["engine"], shown["engine_version"])
    node = shown["nodes"][0]

    answer = httpx.get(f"http://{node['ip']}:9000{able.health_path}")

    assert answer.status_code == 200
    # The contract's own path, which RustFS has and MinIO takes for a bucket.
    plain = httpx.get(f"http://{node['ip']}:9000/health").status_code
    assert plain == (200 if shown["engine"] == capabilities.RUSTFS else 403)


@pytest.mark.parametrize("role", access.ROLES)
def test_c11_the_platform_tells_what_each_role_may(live, role):
    """By Core's query of a role; the promised path by project is none of Core's."""
    permissions = live.core.ask(
        f"/v1/iam/roles/{live.role(role)}/actions/get_permissions"
    )

    assert permissions.status_code == 200, permissions.text
    held = {one["name"] for one in permissions.json()}
    ours = {name for name in held if name.startswith(f"{access.SERVICE}.")}
    assert ours == set(access.permissions(role))


def test_c11_the_platform_lists_the_roles_of_metapaas_project(live):
    """What the guide names in the place of the promised path, filtered by Core."""
    of = platform.METAPAAS_PROJECT

    answer = live.core.ask(f"/v1/iam/roles/?project_id={of}")

    assert answer.status_code == 200, answer.text
    listed = {one["name"]: one for one in answer.json()}
    assert {one["project_id"] for one in listed.values()} == {of}
    for role in (access.OPERATOR, access.VIEWER):
        assert listed[role]["uuid"] == live.role(role)


def test_c11_the_projects_own_path_is_answered_by_core(live):
    project = f"iam/projects/{platform.METAPAAS_PROJECT}"

    assert live.core.find(project) is not None
    answer = live.core.ask(f"/v1/{project}/roles")
    # Once it is there, the answer for C11 is to be taken from it.
    assert answer.status_code == 404, answer.text


@pytest.mark.smoke
def test_versions_are_listed_and_one_is_the_default(api, example):
    listed = api.show("/versions")

    assert len([one["name"] for one in listed if one["default"]]) == 1
    found = api.show(f"/versions/{example.body['version']}")
    assert found["engine"] == example.shown["engine"]
    assert found["status"] == "ACTIVE"


@pytest.mark.parametrize("role", access.ROLES)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/versions"),
        ("PATCH", "/versions/0.0.1"),
        ("PUT", "/versions/0.0.1"),
        ("DELETE", "/versions/0.0.1"),
    ],
)
def test_versions_are_read_only_for_every_tenant(callers, role, method, path):
    body = {} if method == "DELETE" else {"json": {"name": "9.9.9"}}

    answer = callers["one", role].call(method, path, **body)

    assert answer.status_code in (403, 405), answer.text
    assert "9.9.9" not in [
        one["name"] for one in callers["one", role].show("/versions")
    ]
