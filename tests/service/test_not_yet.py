"""What is promised and has not come yet is a 422, never accepted and ignored."""

import pytest

from exordos_paas_storage.domain import access
from tests.service import made

RESOURCES = {one.name: one for one in access.RESOURCES}
LATER = [
    (kind, name)
    for kind, resource in RESOURCES.items()
    for name, field in resource.fields.items()
    if field.later
]
OTHER = {
    "public_access": "allowed", "s3_bucket_api": "allowed",
    "object_lock": {"enabled": True}, "public": True, "lifecycle": [{"id": "a"}],
    "cors": [], "tags": {"a": "b"}, "policy": {}, "quota_bytes": 1,
}  # fmt: skip


def test_every_later_field_is_covered():
    promised = {"public_access", "s3_bucket_api", "lifecycle", "quota_bytes"}
    assert promised <= {name for _, name in LATER} == set(OTHER)


@pytest.mark.parametrize(("kind", "name"), LATER)
def test_a_later_field_is_422_unless_it_is_its_default(api, tree, kind, name):
    default = RESOURCES[kind].fields[name].default
    body = made.BODIES[kind]() | {name: OTHER[name]}

    answer = api.post(tree.collection(kind), body)
    made.refused(answer, 422, "NotYetSupported", name)
    for method in ("PATCH", "PUT"):
        answer = api.call(method, tree.path(kind), json={name: OTHER[name]})
        made.refused(answer, 422, "NotYetSupported", name)
    for value in (default, None):
        answer = api.post(tree.collection(kind), made.BODIES[kind]() | {name: value})
        assert answer.status_code == 201, answer.text
        assert answer.json()[name] == default
        before = api.show(tree.path(kind))
        answer = api.patch(tree.path(kind), {name: value})
        assert (answer.status_code, answer.json()) == (200, before)


@pytest.mark.parametrize("action", ["cancel_delete", "cancel-delete"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_an_action_that_comes_later_is_422(api, tree, action, slash):
    path = f"{tree.path('bucket')}/actions/{action}/invoke{slash}"

    made.refused(api.post(path, {}), 422, "NotYetSupported", "actions")


@pytest.mark.parametrize("asked", ["wait", "empty", "retain"])
def test_other_ways_to_delete_a_bucket_are_422(api, tree, asked):
    answer = api.delete(f"{tree.path('bucket')}?on_nonempty={asked}")

    made.refused(answer, 422, "NotYetSupported", "on_nonempty")
    assert api.show(tree.path("bucket"))["status"] == "PENDING"


@pytest.mark.parametrize("asked", ["", "FAIL", "nonsense", "%00"])
def test_no_such_way_to_delete_a_bucket(api, tree, asked):
    answer = api.delete(f"{tree.path('bucket')}?on_nonempty={asked}")

    made.refused(answer, 400, "InvalidQuery", "on_nonempty")


def test_fail_is_the_way_to_delete_a_bucket(api, tree):
    assert api.delete(f"{tree.path('bucket')}?on_nonempty=fail").status_code == 204


def test_more_than_one_node_is_422(api, tree):
    for number in (2, 16):
        answer = api.post("/instances", {"name": "many", "nodes_number": number})
        made.refused(answer, 422, "NotYetSupported", "nodes_number")
    for number in (0, 17):
        answer = api.post("/instances", {"name": "many", "nodes_number": number})
        made.refused(answer, 400, "InvalidValue", "nodes_number")


@pytest.mark.parametrize(
    ("version", "kind"),
    [("0.0.1", "NotYetSupported"), ("minio-version", "UnsupportedByEngine")],
)
def test_mfa_delete_is_422(api, version, kind):
    body = {"name": "mfa", "version": version}

    answer = api.post("/instances", body | {"mfa_delete": True})
    made.refused(answer, 422, kind, "mfa_delete")
    for value in (False, None):
        made_one = api.make("/instances", **body, mfa_delete=value)
        assert made_one["mfa_delete"] is False
        answer = api.patch("/instances/mfa", {"mfa_delete": True})
        made.refused(answer, 422, kind, "mfa_delete")
        body["name"] = "mfa2"
