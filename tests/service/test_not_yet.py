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
    "public_access": "allowed", "read_only": True, "max_key_ttl_s": 60,
    "s3_bucket_api": "allowed", "object_lock": {"enabled": True}, "public": True,
    "lifecycle": [{"id": "a"}], "cors": [], "tags": {"a": "b"}, "policy": {},
    "quota_bytes": 1, "enabled": False, "expires_at": "2030-01-01T00:00:00Z",
    "scope": {"preset": "read"}, "document": {"Version": "2012-10-17"},
}  # fmt: skip


def test_every_later_field_is_covered():
    promised = {"public_access", "read_only", "max_key_ttl_s", "enabled", "scope"}
    assert promised <= {name for _, name in LATER} == set(OTHER)


@pytest.mark.parametrize(("kind", "name"), LATER)
def test_a_later_field_is_422_unless_it_is_its_default(api, tree, kind, name):
    default = RESOURCES[kind].fields[name].default
    body = made.BODIES[kind]() | {name: OTHER[name]}
    if kind == "policy":
        default = None

    answer = api.post(tree.collection(kind), body)
    made.refused(answer, 422, "NotYetSupported", name)
    for method in ("PATCH", "PUT"):
        answer = api.call(method, tree.path(kind), json={name: OTHER[name]})
        made.refused(answer, 422, "NotYetSupported", name)
    for value in (default, None):
        answer = api.post(tree.collection(kind), made.BODIES[kind]() | {name: value})
        assert answer.status_code == 201, answer.text
        assert (answer.json()[name] == default) or kind == "policy"
        before = api.show(tree.path(kind))
        answer = api.patch(tree.path(kind), {name: value})
        assert (answer.status_code, answer.json()) == (200, before)


ACTIONS = [
    ("instance", "suspend"), ("instance", "resume"),
    ("bucket", "cancel_delete"), ("access_key", "rotate"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "action"), ACTIONS)
@pytest.mark.parametrize("slash", ["", "/"])
def test_actions_are_422(api, tree, kind, action, slash):
    answer = api.post(f"{tree.path(kind)}/actions/{action}/invoke{slash}", {})

    made.refused(answer, 422, "NotYetSupported", "actions")


@pytest.mark.parametrize(
    "path",
    [
        "/actions/explode/invoke",
        "/actions/suspend",
        "/actions/suspend/poke",
        "/actions",
    ],
)
def test_other_actions_are_not_there(api, tree, path):
    answer = api.post(tree.at + path, {})

    assert answer.status_code in (404, 405)


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


@pytest.mark.parametrize("header", ["If-Match", "Idempotency-Key"])
def test_headers_that_come_later_are_not_taken_silently(api, tree, header):
    """A client that asks for a precondition must not believe that it was kept."""
    if header == "If-Match":
        answer = api.patch(tree.at, {"cpu": 2}, headers={header: '"999"'})
    else:
        answer = api.post("/instances", {"name": "once"}, headers={header: "k1"})

    made.refused(answer, 422, "NotYetSupported", header)
