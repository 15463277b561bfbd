"""Turns of objects: ACTIVE, ERROR and gone, each for itself."""

import threading

import pytest

from exordos_paas_storage.domain import errors, policy, state
from exordos_paas_storage.domain.policy import GUARD_NAME
from exordos_paas_storage.models import rights
from tests.service import made

REFUSED = errors.EngineRefused("create bucket", 400, "InvalidArgument")


def fails(error, when=lambda *args: True, times=10**9):
    """A hook that raises `error` while it is `when`, `times` times."""
    left = [times]

    def hook(*args):
        if left[0] > 0 and when(*args):
            left[0] -= 1
            raise error

    return hook


def named(name):
    return lambda *args: args[0] == name


@pytest.fixture
def engine(active, world):
    return world.only


def test_a_post_is_active_by_notify_long_before_the_tick(api, active, engine):
    api.make(f"{active}/buckets", name="quick", versioning=True, encryption="aes256")

    shown = api.wait(f"{active}/buckets/quick")

    assert engine.bucket("quick") == state.Bucket("quick", True, "aes256")
    assert shown["status_message"] == ""
    assert made.condition(shown, "EncryptionEffective")["status"] == "True"


def test_a_lost_notify_is_caught_by_the_tick(api, db, reconcile):
    reconcile(tick_s=0.3)
    api.make("/instances", name="tick")
    api.wait("/instances/tick")
    db.execute("ALTER TABLE s3aas_buckets DISABLE TRIGGER s3aas_buckets_changed")
    try:
        api.make("/instances/tick/buckets", name="silent")
        api.wait("/instances/tick/buckets/silent")
    finally:
        db.execute("ALTER TABLE s3aas_buckets ENABLE TRIGGER s3aas_buckets_changed")


def test_one_object_fails_with_a_sentence_and_its_neighbour_goes_on(
    api, active, engine
):
    engine.on["create_bucket"] = fails(REFUSED, named("broken"))
    for name in ("broken", "neighbour"):
        api.make(f"{active}/buckets", name=name)

    api.wait(f"{active}/buckets/neighbour")
    shown = api.wait(f"{active}/buckets/broken", "ERROR")

    assert (
        shown["status_message"]
        == "create bucket: the engine answered 400 InvalidArgument"
    )
    assert api.show(active)["status"] == "ACTIVE"


def test_the_next_try_is_the_retry(api, active, engine):
    engine.on["create_bucket"] = fails(REFUSED, named("second-try"), times=1)
    api.make(f"{active}/buckets", name="second-try")

    api.wait(f"{active}/buckets/second-try", "ERROR")
    shown = api.wait(f"{active}/buckets/second-try")

    assert shown["status_message"] == ""


def test_a_fault_of_ours_names_a_reference_and_nothing_else(api, active, engine):
    engine.on["create_bucket"] = fails(KeyError("psycopg secret"), named("faulty"))
    api.make(f"{active}/buckets", name="faulty")

    said = api.wait(f"{active}/buckets/faulty", "ERROR")["status_message"]

    assert said.startswith("a fault of the service; its log has the reason under ")
    assert "psycopg" not in said


def test_what_the_engine_took_and_does_not_show_is_an_error(api, active, engine):
    engine.on["set_versioning"] = lambda *args: False
    original = type(engine).bucket
    engine.on["bucket"] = lambda name: (
        state.Bucket(name) if name == "liar" and engine._buckets.get(name) else None
    )
    assert original
    api.make(f"{active}/buckets", name="liar", versioning=True)

    said = api.wait(f"{active}/buckets/liar", "ERROR")["status_message"]

    assert said == "the engine took the settings and does not show them"


def test_a_change_during_a_turn_is_not_lost(api, active, engine):
    entered, go = threading.Event(), threading.Event()

    def block(name):
        if name == "busy":
            entered.set()
            assert go.wait(made.HELD_S)

    engine.on["create_bucket"] = block
    api.make(f"{active}/buckets", name="busy")
    assert entered.wait(made.PATIENCE_S)
    api.change(f"{active}/buckets/busy", versioning=True)
    assert api.show(f"{active}/buckets/busy")["status"] == "PENDING"
    go.set()

    shown = api.wait(f"{active}/buckets/busy")

    assert shown["generation"] == 2
    assert engine.bucket("busy").versioning is True


def test_a_deletion_during_a_turn_is_not_lost(api, active, engine):
    entered, go = threading.Event(), threading.Event()

    def block(name):
        entered.set()
        assert go.wait(made.HELD_S)

    engine.on["create_bucket"] = block
    api.make(f"{active}/buckets", name="shortlived")
    assert entered.wait(made.PATIENCE_S)
    api.remove(f"{active}/buckets/shortlived")
    go.set()

    api.wait_gone(f"{active}/buckets/shortlived")
    assert engine.bucket("shortlived") is None


def test_a_foreign_bucket_is_left_alone(api, active, engine):
    engine.create_bucket("theirs")
    engine.put_object("theirs")
    before = engine.bucket("theirs")
    api.make(f"{active}/buckets", name="theirs", versioning=True)

    shown = api.wait(f"{active}/buckets/theirs", "ERROR")
    assert shown["status_message"].startswith("ForeignBucketExists: ")
    api.remove(f"{active}/buckets/theirs")
    api.wait_gone(f"{active}/buckets/theirs")

    assert engine.bucket("theirs") == before
    assert engine.count_objects("theirs", 10) == 1


def test_a_foreign_bucket_that_goes_away_makes_room(api, active, engine):
    engine.create_bucket("theirs")
    api.make(f"{active}/buckets", name="theirs")
    api.wait(f"{active}/buckets/theirs", "ERROR")

    engine.drop_bucket("theirs")

    api.wait(f"{active}/buckets/theirs")
    api.remove(f"{active}/buckets/theirs")
    api.wait_gone(f"{active}/buckets/theirs")
    assert engine.bucket("theirs") is None


def test_foreign_users_and_keys_are_left_alone(api, active, engine):
    engine.add_user("theirs", "x" * 40)
    engine.add_access_key(state.AccessKey("FOREIGNKEY", "theirs"), "x" * 40)
    api.make(f"{active}/users", name="theirs")
    api.make(f"{active}/users", name="ours")
    api.make(f"{active}/users/ours/access-keys", access_key="FOREIGNKEY")

    user = api.wait(f"{active}/users/theirs", "ERROR")
    key = api.wait(f"{active}/users/ours/access-keys/FOREIGNKEY", "ERROR")
    assert user["status_message"].startswith("ForeignUserExists: ")
    assert key["status_message"].startswith("ForeignAccessKeyExists: ")
    for path in ("users/ours/access-keys/FOREIGNKEY", "users/theirs"):
        api.remove(f"{active}/{path}")
        api.wait_gone(f"{active}/{path}")

    assert engine.user("theirs").policies == frozenset()
    assert engine.access_key("FOREIGNKEY").user == "theirs"


def test_a_bucket_that_holds_objects_comes_back_and_says_so(api, active, engine):
    path = f"{active}/buckets/full"
    api.make(f"{active}/buckets", name="full")
    api.wait(path)
    for _ in range(3):
        engine.put_object("full")

    api.remove(path)
    shown = api.wait(path)

    refused = made.condition(shown, "DeleteRefused")
    assert (refused["status"], refused["reason"]) == ("True", "BucketNotEmpty")
    assert "holds 3 objects" in refused["message"]
    assert engine.bucket("full")
    engine._objects["full"] = 0
    api.remove(path)
    api.wait_gone(path)
    assert engine.bucket("full") is None


def test_a_refused_deletion_loses_no_change(api, active, engine):
    path = f"{active}/buckets/inherits"
    api.make(f"{active}/buckets", name="inherits")
    api.wait(path)
    engine.put_object("inherits")

    def change(name):
        del engine.on["drop_bucket"]
        api.change(active, encryption="aes256")

    engine.on["drop_bucket"] = change
    api.remove(path)

    made.until(lambda: made.condition(api.wait(path), "EncryptionEffective"))
    assert made.condition(api.show(path), "DeleteRefused")
    assert engine.bucket("inherits").encryption == "aes256"


def test_a_refused_deletion_is_forgotten_at_the_next_change(api, active, engine):
    path = f"{active}/buckets/kept"
    api.make(f"{active}/buckets", name="kept")
    api.wait(path)
    engine.put_object("kept")
    api.remove(path)
    made.until(lambda: made.condition(api.wait(path), "DeleteRefused"))

    api.change(path, versioning=True)

    assert made.condition(api.wait(path), "DeleteRefused") is None


def test_an_engine_that_does_not_answer_leaves_statuses(api, active, engine):
    api.make(f"{active}/buckets", name="steady")
    api.wait(f"{active}/buckets/steady")
    calls = []

    def silent(name):
        if name == "steady":
            calls.append(name)
            raise errors.EngineUnavailable("bucket")

    engine.on["bucket"] = silent
    api.change(f"{active}/buckets/steady", versioning=True)
    made.until(lambda: len(calls) >= 2)

    shown = api.show(f"{active}/buckets/steady")
    assert (shown["status"], shown["status_message"]) == ("PENDING", "")
    engine.on.clear()
    api.wait(f"{active}/buckets/steady")
    assert engine.bucket("steady").versioning is True


def test_a_user_waits_for_its_policies_and_a_key_for_its_user(api, active, engine):
    gate = threading.Event()
    engine.on["put_policy"] = lambda one: gate.wait(made.HELD_S) and None
    api.make(f"{active}/policies", name="late", template="read-only")
    api.make(f"{active}/users", name="waiting", policies=["late"])
    key = api.make(f"{active}/users/waiting/access-keys")["access_key"]
    api.make(f"{active}/buckets", name="meanwhile")

    api.wait(f"{active}/buckets/meanwhile")
    assert engine.user("waiting") is None and engine.access_key(key) is None
    gate.set()
    api.wait(f"{active}/users/waiting")
    api.wait(f"{active}/users/waiting/access-keys/{key}")
    api.wait(f"{active}/users/waiting/policies/late")

    late = policy.engine_name(api.show(f"{active}/policies/late")["id"])
    assert engine.policies_of("waiting") == {GUARD_NAME, late}
    assert engine.access_key(key).user == "waiting"


def test_a_key_is_gone_only_when_the_engine_refuses_it(api, active, engine):
    keys = f"{active}/users/anna/access-keys"
    api.make(f"{active}/users", name="anna")
    key = api.make(keys)["access_key"]
    api.wait(f"{keys}/{key}")
    engine.on["refuses_key"] = lambda name: False

    api.remove(f"{keys}/{key}")

    shown = made.until(
        lambda: (one := api.show(f"{keys}/{key}"))["status_message"] and one
    )
    assert shown["status"] == "DELETING"
    assert shown["status_message"] == "the engine still accepts the key"
    assert engine.access_key(key) is None
    del engine.on["refuses_key"]
    api.wait_gone(f"{keys}/{key}")


def test_a_user_goes_with_its_keys(api, active, engine):
    api.make(f"{active}/users", name="anna", policies=["backup"])
    keys = [api.make(f"{active}/users/anna/access-keys") for _ in range(3)]
    for key in keys:
        api.wait(f"{active}/users/anna/access-keys/{key['access_key']}")

    api.remove(f"{active}/users/anna")
    api.wait_gone(f"{active}/users/anna")

    assert engine.user("anna") is None
    assert all(engine.access_key(key["access_key"]) is None for key in keys)
    assert all(engine.refuses_key(key["access_key"]) for key in keys)


def test_a_policy_follows_its_parameters_under_the_same_name(api, active, engine):
    def held():
        return engine.policy(name).document

    def compiled(shown):
        return rights.compiled_policy("rustfs", shown["document"], "document").document

    path = f"{active}/policies/limited"
    made_one = api.make(
        f"{active}/policies",
        name="limited",
        template="read-only",
        parameters={"bucket": "default"},
    )
    api.wait(path)
    name = policy.engine_name(made_one["id"])
    assert held() == compiled(made_one)

    changed = api.change(path, parameters={"bucket": "default", "prefix": "a/"})
    api.wait(path)

    assert changed["document"] != made_one["document"]
    assert held() == compiled(changed)
    api.remove(path)
    api.wait_gone(path)
    assert engine.policy(name) is None


def test_encryption_that_does_not_hold_is_an_error(api, active, engine):
    engine.on["encryption_effective"] = lambda name: False
    path = f"{active}/buckets/sealed"
    api.make(f"{active}/buckets", name="sealed", encryption="aes256")

    shown = api.wait(path, "ERROR")

    assert made.condition(shown, "EncryptionEffective")["status"] == "False"
    assert "does not encrypt" in shown["status_message"]
    api.change(path, encryption="none")
    assert made.condition(api.wait(path), "EncryptionEffective") is None
