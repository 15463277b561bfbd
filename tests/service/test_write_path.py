"""The write path: what a write moves, what it queues, and what it refuses."""

import threading
import uuid
from concurrent import futures

import pytest
from restalchemy.dm import filters

from exordos_paas_storage.domain import errors, policy
from exordos_paas_storage.models import access_key, base, bucket, instance, node, user
from exordos_paas_storage.models import policy as policy_model
from exordos_paas_storage.sealing import box
from tests.service import made

SETTLED = """
    UPDATE {} SET status = 'ACTIVE', seen_revision = revision,
        observed_generation = generation
"""
TABLES = ("instances", "buckets", "users", "policies", "attachments", "access_keys")


def settle(db):
    for table in TABLES:
        db.execute(SETTLED.format(f"s3aas_{table}"))


def row(db, table, **where):
    column, value = next(iter(where.items()))
    return db.execute(
        f"SELECT * FROM s3aas_{table} WHERE {column} = %s", (value,)
    ).fetchone()


def due(db):
    """The rows that a write left for the reconciler, as table and name."""
    found = set()
    for table in ("instances", "buckets", "users", "policies", "access_keys"):
        for one in db.execute(f"SELECT * FROM s3aas_{table}").fetchall():
            if one["revision"] != one["seen_revision"]:
                found.add((table, one.get("name") or one["access_key"]))
    return found


@pytest.fixture
def settled(api, tree, db):
    """A tree with everything seen on the engine, and heirs of the instance."""
    api.make(f"{tree.at}/buckets", name="own", versioning=False, encryption="none")
    api.make(f"{tree.at}/users", name="heir")
    settle(db)
    return tree


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("instance", {"labels": {"a": "b"}}),
        ("instance", {"description": "said"}),
        ("instance", {"name": "renamed"}),
        ("instance", {"deletion_protection": True}),
        ("bucket", {"labels": {"a": "b"}}),
        ("user", {"description": "said", "labels": {"a": "b"}}),
        ("policy", {"labels": {"a": "b"}}),
        ("access_key", {"description": "said"}),
    ],
)
def test_a_silent_write_moves_the_generation_alone(api, settled, db, kind, body):
    before = api.show(settled.path(kind))["generation"]

    answer = api.patch(settled.path(kind), body)

    assert answer.json()["status"] == "ACTIVE"
    assert answer.json()["generation"] == before + 1
    table = f"{kind}s" if kind != "policy" else "policies"
    found = row(db, table, uuid=uuid.UUID(answer.json()["id"]))
    assert found["observed_generation"] == found["generation"] == before + 1
    assert due(db) == set()


def test_a_silent_write_pretends_nothing_about_an_earlier_one(api, tree, db):
    api.change(tree.path("bucket"), labels={"a": "b"})

    found = row(db, "buckets", name="photos")
    assert (found["generation"], found["observed_generation"]) == (2, 0)
    assert found["status"] == "PENDING"


@pytest.mark.parametrize(
    ("kind", "body", "queued"),
    [
        ("bucket", {"versioning": True}, {("buckets", "photos")}),
        ("bucket", {"encryption": "aes256"}, {("buckets", "photos")}),
        ("user", {"policies": ["backup"]}, {("users", "anna")}),
        ("user", {"policies": None}, {("users", "anna")}),
        ("policy", {"template": "backup"}, {("policies", "reading")}),
    ],
)
def test_an_effective_write_is_pending_and_queues_its_row(
    api, settled, db, kind, body, queued
):
    before = api.show(settled.path(kind))["generation"]

    shown = api.change(settled.path(kind), **body)

    assert (shown["status"], shown["generation"]) == ("PENDING", before + 1)
    assert due(db) == queued


@pytest.mark.parametrize(
    ("body", "queued"),
    [
        ({"versioning": True}, {("buckets", "photos")}),
        ({"encryption": "aes256"}, {("buckets", "photos")}),
        ({"default_user_policies": ["backup"]}, {("users", "heir")}),
        ({"default_user_policies": []}, {("users", "heir")}),
        ({"cpu": 2}, set()),
    ],
)
def test_a_write_of_the_instance_queues_who_inherits(api, settled, db, body, queued):
    shown = api.change(settled.at, **body)

    assert shown["status"] == "PENDING"
    assert due(db) == queued | {("instances", settled.instance["name"])}
    for table, name in queued:
        found = row(db, table, name=name)
        assert (found["status"], found["generation"]) == ("PENDING", 1)


def test_what_depends_is_queued_in_the_same_transaction(settled, db):
    found = instance.Instance.objects.get_one()
    found.versioning = True

    with pytest.raises(ZeroDivisionError):
        with base.transaction() as session:
            found.update(session=session)
            assert session.execute(
                "SELECT 1 FROM s3aas_buckets WHERE status = 'PENDING'"
            ).fetchone()
            raise ZeroDivisionError

    assert due(db) == set()
    assert row(db, "instances", versioning=False)


def test_attaching_and_detaching_queue_the_user(api, settled, db):
    api.make(settled.collection("attachment"), policy="backup")
    assert due(db) == {("users", "anna")}
    settle(db)

    api.remove(settled.path("attachment"))

    assert due(db) == {("users", "anna")}
    assert row(db, "attachments", status="DELETING")


def test_deleting_a_user_makes_tombstones_of_what_is_its_own(api, settled, db):
    api.remove(settled.path("user"))

    for table in ("users", "attachments", "access_keys"):
        assert row(db, table, status="DELETING"), table
    assert row(db, "users", name="heir")["status"] == "ACTIVE"


def test_the_same_value_again_is_no_write(api, settled, db):
    before = api.show(settled.at)

    answer = api.patch(settled.at, {"versioning": False, "cpu": 1, "labels": {}})

    assert answer.json() == before
    assert due(db) == set()


def test_two_writers_of_different_fields_lose_nothing(settled, db):
    first = bucket.Bucket.objects.get_one(filters=_named("photos"))
    second = bucket.Bucket.objects.get_one(filters=_named("photos"))
    first.versioning = True
    second.labels = {"a": "b"}

    first.update()
    second.update()

    found = row(db, "buckets", name="photos")
    assert (found["versioning"], found["labels"]) == (True, {"a": "b"})
    assert found["generation"] == 3


def _named(name):
    return {"name": filters.EQ(name)}


def test_many_writers_at_once_lose_nothing(api, settled, db):
    def write(number):
        body = {"labels": {"n": str(number)}} if number % 2 else {"cpu": number + 2}
        return api.patch(settled.at, body).status_code

    with futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(write, range(16)))

    assert answers == [200] * 16
    assert api.show(settled.at)["generation"] == 17


RACED = {
    "instance": {"name": "raced"},
    "bucket": {"name": "raced"},
    "user": {"name": "raced"},
    "policy": {"name": "raced", "template": "backup"},
    "access_key": {"access_key": "RACED"},
    "attachment": {"policy": "backup"},
}


@pytest.mark.parametrize("kind", RACED)
def test_of_many_at_once_one_gets_the_name(api, tree, kind):
    body = RACED[kind]

    with futures.ThreadPoolExecutor(6) as pool:
        asked = [pool.submit(api.post, tree.collection(kind), body) for _ in range(6)]
        answers = sorted(one.result().status_code for one in asked)

    assert answers == [201] + [409] * 5


def test_of_a_user_and_a_key_at_once_one_gets_the_name(api, tree):
    for number in range(5):
        name = f"RACE{number}"
        with futures.ThreadPoolExecutor(2) as pool:
            one = pool.submit(api.post, f"{tree.at}/users", {"name": name})
            keys = tree.collection("access_key")
            two = pool.submit(api.post, keys, {"access_key": name})
            answers = sorted([one.result().status_code, two.result().status_code])
        assert answers == [201, 409]


RIVALS = {
    "user": ("POST", "{at}/users", {"name": "rival", "policies": ["going"]}),
    "patch": ("PATCH", "{at}/users/anna", {"policies": ["going"]}),
    "attach": ("POST", "{at}/users/anna/policies", {"policy": "going"}),
    "default": ("PATCH", "{at}", {"default_user_policies": ["going"]}),
}


@pytest.mark.parametrize("rival", RIVALS)
def test_a_policy_is_deleted_or_used_and_nobody_waits_for_both(api, tree, db, rival):
    method, path, body = RIVALS[rival]
    for number in range(6):
        api.make(f"{tree.at}/policies", name="going", template="backup")
        name = {"name": f"rival{number}"} if rival == "user" else {}
        with futures.ThreadPoolExecutor(2) as pool:
            where = path.replace("{at}", tree.at)
            one = pool.submit(api.call, method, where, json=body | name)
            two = pool.submit(api.delete, f"{tree.at}/policies/going")
            used, gone = one.result().status_code, two.result().status_code
        assert (used in (200, 201), gone == 204) in ((True, False), (False, True))
        assert {used, gone} <= {200, 201, 204, 400, 409}
        db.execute("UPDATE s3aas_instances SET default_user_policies = '{}'")
        db.execute("DELETE FROM s3aas_attachments")
        db.execute("DELETE FROM s3aas_policies WHERE name = 'going'")


def test_deleting_a_policy_and_using_it_lock_in_one_order(api, tree, db, monkeypatch):
    """Each waits for the other's lock only if the two take them crosswise."""
    api.make(f"{tree.at}/policies", name="going", template="backup")
    inside, go = threading.Event(), threading.Event()
    before = policy_model.Policy._before_delete

    def slow(self, session):
        inside.set()
        assert go.wait(made.HELD_S)
        before(self, session)

    monkeypatch.setattr(policy_model.Policy, "_before_delete", slow)
    with futures.ThreadPoolExecutor(2) as pool:
        one = pool.submit(api.delete, f"{tree.at}/policies/going")
        assert inside.wait(made.PATIENCE_S)
        body = {"name": "rival", "policies": ["going"]}
        two = pool.submit(api.post, f"{tree.at}/users", body)
        made.until(lambda: made.waits_for_lock(db))
        go.set()
        answers = (one.result().status_code, two.result().status_code)

    assert answers in ((204, 400), (409, 201))


def test_user_names_and_key_ids_share_one_namespace(api, tree, db):
    keys = tree.collection("access_key")
    key = tree.access_key["access_key"]
    answer = api.post(f"{tree.at}/users", {"name": key})
    made.refused(answer, 409, "NameTaken", "name")
    answer = api.post(keys, {"access_key": "anna"})
    made.refused(answer, 409, "AccessKeyTaken", "access_key")
    root = db.execute("SELECT root_access_key FROM s3aas_nodes").fetchone()
    root = root["root_access_key"]
    answer = api.post(f"{tree.at}/users", {"name": root})
    made.refused(answer, 409, "NameTaken", "name")
    answer = api.post(keys, {"access_key": root})
    made.refused(answer, 409, "AccessKeyTaken", "access_key")
    api.make("/instances", name="other")
    api.make("/instances/other/users", name=key)


def test_a_key_id_is_one_keys_in_the_whole_instance(api, tree):
    api.make(f"{tree.at}/users", name="bert")
    body = {"access_key": tree.access_key["access_key"]}

    answer = api.post(f"{tree.at}/users/bert/access-keys", body)

    made.refused(answer, 409, "AccessKeyTaken", "access_key")


def test_a_policy_in_use_stays(api, tree, db):
    made.refused(api.delete(tree.path("policy")), 409, "PolicyInUse", "name")
    api.make(f"{tree.at}/policies", name="standard", template="backup")
    api.change(tree.at, default_user_policies=["standard"])

    answer = api.delete(f"{tree.at}/policies/standard")

    made.refused(answer, 409, "PolicyInUse", "name")
    api.change(tree.at, default_user_policies=[])
    api.remove(f"{tree.at}/policies/standard")
    made.refused(
        api.patch(tree.at, {"default_user_policies": ["standard"]}), 400, "InvalidValue"
    )
    made.refused(api.post(tree.collection("attachment"), {"policy": "standard"}), 400)


@pytest.mark.parametrize("template", sorted(policy.TEMPLATES))
def test_a_templates_policy_is_reserved(api, tree, template):
    path = f"{tree.at}/policies/{template}"
    wanted = policy.template_id(uuid.UUID(tree.instance["id"]), template)
    assert api.show(path)["id"] == str(wanted)

    made.refused(api.delete(path), 409, "PolicyReserved", "name")
    body = {"parameters": {"bucket": "photos"}}
    made.refused(api.patch(path, body), 409, "PolicyReserved", "name")
    assert api.change(path, labels={"a": "b"})["labels"] == {"a": "b"}


def test_the_default_bucket_goes_with_its_instance(api, db):
    api.make("/instances", name="with", bucket_name="data")
    answer = api.delete("/instances/with/buckets/data")
    made.refused(answer, 409, "DeletionProtected", "name")


def test_a_protected_instance_is_not_deleted(api, tree):
    api.change(tree.at, deletion_protection=True)

    answer = api.delete(tree.at)

    made.refused(answer, 409, "DeletionProtected", "deletion_protection")


def test_a_column_of_the_service_is_no_ones_to_write(settled):
    found = bucket.Bucket.objects.get_one(filters=_named("photos"))
    found.status = "ACTIVE"
    found.properties["status"].set_value_force("ERROR")

    with pytest.raises(errors.ReadOnlyField):
        found.update()


def test_a_moved_sealed_value_is_refused(api, tree, db):
    api.make(tree.collection("access_key"), access_key="OTHER")
    db.execute(
        "UPDATE s3aas_access_keys a SET secret = b.secret FROM s3aas_access_keys b "
        "WHERE a.access_key = 'OTHER' AND b.access_key <> 'OTHER'"
    )
    keys = {one.access_key: one for one in access_key.AccessKey.objects.get_all()}

    with pytest.raises(box.SealBroken):
        keys.pop("OTHER").opened()
    assert next(iter(keys.values())).opened() == tree.access_key["secret_key"]


def test_a_repr_is_class_and_id(settled):
    for model in (
        instance.Instance, bucket.Bucket, user.User, policy_model.Policy,
        access_key.AccessKey, node.Node,
    ):  # fmt: skip
        found = model.objects.get_all()[0]
        assert repr(found) == str(found) == f"<{model.__name__} {found.uuid}>"


@pytest.mark.parametrize(
    "parameters", [{"bogus": 1}, {"bucket": 1}, {"prefix": "a"}, {"bucket": "a b"}]
)
def test_a_template_with_wrong_parameters_in_place_of_a_document(api, tree, parameters):
    path = f"{tree.at}/policies/written"
    written = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::a/*"
        },
    }  # fmt: skip
    api.make(f"{tree.at}/policies", name="written", document=written)
    body = {"document": None, "template": "read-only", "parameters": parameters}

    message = made.refused(api.patch(path, body), 400, "InvalidValue")

    assert message.startswith("parameters")
    assert api.show(path)["document"] == written


def test_rules_across_fields_hold_of_the_row_and_not_of_what_was_read(api, tree):
    """Two writers read the policy; each change is right for what it read."""
    shown = api.make(f"{tree.at}/policies", name="both", template="read-only")
    one, other = (
        policy_model.Policy.objects.get_one(filters={"uuid": filters.EQ(shown["id"])})
        for _ in range(2)
    )
    one.template, one.document = None, policy_document("s3:GetObject")
    one.update()

    other.template = "backup"
    with pytest.raises(errors.InvalidValue, match="exclude each other"):
        other.update()

    assert api.show(f"{tree.at}/policies/both")["template"] is None


def policy_document(action):
    statement = {"Effect": "Allow", "Action": action, "Resource": "arn:aws:s3:::*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def test_a_number_is_not_taken_for_a_boolean_inside_an_object(api, tree):
    path = f"{tree.at}/policies/null"
    document = policy_document("s3:GetObject")
    document["Statement"][0]["Condition"] = {"Null": {"aws:Referer": True}}
    api.make(f"{tree.at}/policies", name="null", document=document)

    document["Statement"][0]["Condition"] = {"Null": {"aws:Referer": 1}}

    made.refused(api.patch(path, {"document": document}), 400, "InvalidPolicy")
