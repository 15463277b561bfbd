"""What the service before this one got wrong, by its number in the contract page."""

import json
import uuid

import pytest

from exordos_paas_storage.domain import errors, policy
from exordos_paas_storage.models import version
from tests.service import made

EVERY_TABLE = """
    SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'
"""


def everything_stored(db):
    """All rows of all tables, as text."""
    tables = [row["table_name"] for row in db.execute(EVERY_TABLE).fetchall()]
    assert "s3aas_nodes" in tables and "s3aas_access_keys" in tables
    return json.dumps(
        {table: db.execute(f"SELECT * FROM {table}").fetchall() for table in tables},
        default=str,
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"bucket_name": "data-bucket"},
        {"encryption": "aes256"},
        {"versioning": True},
        {"bucket_name": "b-1", "encryption": "none", "versioning": False},
    ],
)
def test_d1_the_promised_fields_are_taken(api, fields):
    assert api.make("/instances", name="d1", **fields).items() >= fields.items()


def test_d2_a_version_is_named_by_name_id_or_uri_and_answered_as_its_name(api):
    (offered,) = [v for v in api.show("/versions") if v["name"] == "0.0.1"]
    asked = [
        "0.0.1",
        offered["id"],
        f"/v1/types/s3/versions/{offered['id']}",
        f"/v1/types/s3/versions/{offered['id']}/",
        "/v1/types/s3/versions/0.0.1",
        f"http://metapaas-cp:8080/v1/types/s3/versions/{offered['id']}",
        None,
    ]

    for number, one in enumerate(asked):
        answer = api.make("/instances", name=f"d2-{number}", version=one)
        assert answer["version"] == "0.0.1", one
    for wrong in ("9.9.9", "versions/9", "/v1/types/s3/versions/", "00" * 16):
        answer = api.post("/instances", {"name": "d2", "version": wrong})
        made.refused(answer, 400, "InvalidValue", "version")


def test_d2_an_instance_keeps_the_engine_of_its_version(api):
    before = api.make("/instances", name="keeps")
    assert (before["engine"], before["engine_version"]) == ("rustfs", "1.0.1")
    try:
        version.offer("0.0.1", "minio", "2099")
        after = api.make("/instances", name="newer")
        assert api.show("/instances/keeps")["engine"] == "rustfs"
        assert (after["engine"], after["engine_version"]) == ("minio", "2099")
    finally:
        version.offer("0.0.1", "rustfs", "1.0.1")


def test_d3_a_name_is_enough(api):
    instance = api.make("/instances", name="d3")

    sizes = {"cpu": 1, "ram": 1024, "disk_size": 10, "nodes_number": 1}
    assert instance.items() >= sizes.items()


def test_d4_patch_works(api, tree):
    assert api.patch(tree.at, {"encryption": "aes256"}).status_code == 200


@pytest.mark.parametrize("kind", ["instance", "bucket", "user", "policy", "access_key"])
def test_d5_id_is_answered(api, tree, kind):
    shown = api.show(tree.path(kind))

    assert shown["id"] == shown["uuid"]


def test_d6_statuses_are_the_promised_ones(api, running):
    instance = api.make("/instances", name="d6")
    assert instance["status"] == "CREATING"
    assert api.make("/instances/d6/buckets", name="bucket")["status"] == "PENDING"
    api.wait("/instances/d6")
    api.wait("/instances/d6/buckets/bucket")


def test_d7_nodes_have_id_ip_and_port(api, active):
    (node,) = api.show(active)["nodes"]

    assert node["id"] and node["ip"] == "127.0.0.1" and node["port"] >= 9000
    assert node["state"] == "Ready"


@pytest.mark.parametrize("kind", ["instance", "bucket", "user", "policy"])
def test_d8_a_name_is_unique(api, tree, kind):
    body = made.BODIES[kind]() | {"name": tree.name(kind)}

    made.refused(api.post(tree.collection(kind), body), 409, "NameTaken", "name")


def test_d9_keys_are_under_access_keys_by_their_id(api, tree):
    path = f"{tree.at}/users/anna/access-keys/{tree.access_key['access_key']}"

    assert api.show(path)["user"] == "anna"
    made.refused(api.get(f"{tree.at}/users/anna/keys"), 404, "NotFound")


@pytest.mark.parametrize("kind", ["bucket", "user", "access_key", "policy"])
def test_d10_deletion_is_by_name(api, tree, kind):
    if kind == "policy":
        api.make(f"{tree.at}/policies", name="unused", template="backup")
        api.remove(f"{tree.at}/policies/unused")
    else:
        api.remove(tree.path(kind))


def test_d12_policies_are_listed_made_attached_and_detached(api, tree):
    names = {one["name"]: one for one in api.show(f"{tree.at}/policies")}

    templates = {"read-only", "read-write", "write-only", "backup", "bucket-owner"}
    assert templates | {"reading"} == set(names)
    assert {name for name, one in names.items() if one["reserved"]} == templates
    assert all(one["document"]["Version"] == "2012-10-17" for one in names.values())
    attached = api.show(f"{tree.at}/users/anna/policies")
    assert [(one["user"], one["policy"]) for one in attached] == [("anna", "reading")]
    api.remove(f"{tree.at}/users/anna/policies/reading")


def test_d16_secrets_are_shown_once_and_stored_sealed(api, tree, db, world, reconcile):
    given = "Given+Secret/0123456789abcdef=~!"
    keys = tree.collection("access_key")
    secrets = [
        tree.access_key["secret_key"],
        api.make(keys, secret_key=given)["secret_key"],
        api.make(keys)["secret_key"],
    ]
    assert secrets[1] == given and len(set(secrets)) == 3
    reconcile()
    api.wait(tree.at)
    for one in api.show(keys):
        api.wait(f"{keys}/{one['access_key']}")
    (spec,) = world.nodes.specs.values()
    secrets += [
        spec.secrets.secret_key,
        spec.secrets.sse_master_key,
        spec.secrets.iam_master_key,
    ]

    stored = everything_stored(db)

    for secret in secrets:
        assert len(secret) >= 32 and secret not in stored
    for path in (
        keys,
        f"{keys}/{tree.access_key['access_key']}",
        tree.at,
        "/instances",
    ):
        shown = api.get(path).text
        assert "secret" not in shown and not any(one in shown for one in secrets)


def test_d16_the_sealed_secret_stays_until_the_tombstone_ends(api, tree, db, reconcile):
    path = tree.path("access_key")
    api.remove(path)
    assert db.execute("SELECT secret FROM s3aas_access_keys").fetchone()["secret"]

    reconcile()
    api.wait_gone(path)

    assert db.execute("SELECT 1 FROM s3aas_access_keys").fetchone() is None


READ = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::*"}
OFFICE = {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}


def document(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def test_b1_a_condition_reaches_the_engine_and_no_edit_drops_it(api, active, world):
    path = f"{active}/policies/reading"
    first = api.make(f"{active}/policies", name="reading", document=document(READ))
    api.wait(path)
    name = policy.engine_name(uuid.UUID(first["id"]))
    assert "aws:SourceIp" not in json.dumps(world.only.policy(name).document)

    # An edit of the condition alone, then one of all but the condition.
    for change in (
        {**READ, "Condition": OFFICE},
        {**READ, "Condition": OFFICE, "Action": ["s3:GetObject", "s3:PutObject"]},
    ):
        api.change(path, document=document(change))
        api.wait(path)
        held = world.only.policy(name).document["Statement"]
        allowing = [one for one in held if one["Effect"] == "Allow"]
        assert allowing and all(
            "aws:SourceIp" in one["Condition"]["IpAddress"] for one in allowing
        )
        assert api.show(path)["document"] == document(change)

    put = [call for call in world.only.calls if call[0] == "put_policy"]
    api.change(path, document=document(READ))
    api.wait(path)
    held = world.only.policy(name).document["Statement"]
    assert not any("IpAddress" in one.get("Condition", {}) for one in held)
    api.change(path, labels={"a": "b"})
    again = [call for call in world.only.calls if call[0] == "put_policy"]
    assert len(again) == len(put) + 1


@pytest.mark.parametrize(
    ("kind", "method"), [("user", "drop_user"), ("access_key", "drop_access_key")]
)
def test_b3_what_the_engine_keeps_is_not_called_deleted(
    api, tree, world, reconcile, kind, method
):
    reconcile()
    for one in ("user", "access_key"):
        api.wait(tree.path(one))

    def refuse(*args):
        raise errors.EngineRefused("remove", 500, "Broken")

    world.only.on[method] = refuse
    # Even where it says yes, the key works on.
    world.only.on["refuses_key"] = lambda key: False
    api.remove(tree.path(kind))
    made.until(lambda: "Broken" in api.show(tree.path(kind))["status_message"])
    assert api.show(tree.path(kind))["status"] == "DELETING"
    del world.only.on[method]
    path = tree.path("access_key")
    made.until(lambda: "still accepts" in api.show(path)["status_message"])
    assert api.show(path)["status"] == "DELETING"
    assert api.show(tree.path(kind))["status"] == "DELETING"
    del world.only.on["refuses_key"]
    api.wait_gone(tree.path(kind))
    assert world.only.access_keys() == set()


def test_b6_a_document_that_is_no_policy_is_refused(api, tree):
    for method, path in (("POST", "policies"), ("PATCH", "policies/reading")):
        body = {"document": {"foo": 1}, "template": None}
        name = {"name": "evil"} if method == "POST" else {}

        answer = api.call(method, f"{tree.at}/{path}", json=body | name)

        made.refused(answer, 400, "InvalidPolicy", "document.foo")
    assert api.show(tree.path("policy")) == tree.policy
    made.refused(api.get(f"{tree.at}/policies/evil"), 404, "NotFound")


def test_b7_no_two_accounts_of_an_engine_share_a_name(api, tree, world, reconcile):
    keys = tree.collection("access_key")
    api.make(keys, access_key="BERTSKEY")
    for path, body, kind in [
        (f"{tree.at}/users", {"name": "anna"}, "NameTaken"),
        (f"{tree.at}/users", {"name": "BERTSKEY"}, "NameTaken"),
        (keys, {"access_key": "BERTSKEY"}, "AccessKeyTaken"),
        (keys, {"access_key": "anna"}, "AccessKeyTaken"),
    ]:
        made.refused(api.post(path, body), 409, kind)
    made.refused(api.patch(tree.path("user"), {"name": "bert"}), 400, "ReadOnlyField")
    api.make(f"{tree.at}/users", name="Anna", policies=[])

    reconcile()
    api.wait(f"{tree.at}/users/Anna")
    api.wait(tree.path("user"))

    users = world.only.users()
    assert set(users) == {"anna", "Anna"}
    assert len(users["anna"].policies) == 2
    assert users["Anna"].policies == {policy.GUARD_NAME}


def test_b8_a_key_acts_as_the_user_whose_name_the_engine_knows(
    api, tree, world, reconcile
):
    second = api.make(tree.collection("access_key"))
    reconcile()
    for key in (tree.access_key, second):
        api.wait(f"{tree.collection('access_key')}/{key['access_key']}")

    assert set(world.only.users()) == {"anna"}
    for key in (tree.access_key, second):
        assert world.only.access_key(key["access_key"]).user == "anna"
    # The rights are the user's: a policy that is taken from it is in no copy.
    api.change(tree.path("user"), policies=[])
    api.wait(tree.path("user"))
    assert world.only.policies_of("anna") == {policy.GUARD_NAME}


def test_b9_versions_are_read_only(callers, db):
    for caller in callers.values():
        for method, path in [
            ("POST", "/versions"), ("PUT", "/versions/0.0.1"),
            ("PATCH", "/versions/0.0.1"), ("DELETE", "/versions/0.0.1"),
            ("PUT", "/versions"), ("DELETE", "/versions"),
        ]:  # fmt: skip
            answer = caller.call(method, path, json={"name": "evil"})
            assert answer.status_code in (403, 405)
        shown = caller.show("/versions/0.0.1")
        assert shown["engine"] == "rustfs" and shown["default"] is True
