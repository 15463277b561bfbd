"""What changes on an engine by another hand is found, and made as it was asked for."""

import datetime
import uuid

import pytest

from exordos_paas_storage.domain import errors, policy, state
from exordos_paas_storage.domain.policy import GUARD_NAME
from exordos_paas_storage.reconcile import audit, queue
from tests.service import fakes, made

NOW = datetime.datetime(2031, 1, 1, tzinfo=datetime.timezone.utc)


@pytest.fixture
def key(api, active):
    api.make(f"{active}/users", name="anna", policies=["backup", "read-only"])
    found = api.make(f"{active}/users/anna/access-keys")
    api.wait(f"{active}/users/anna/access-keys/{found['access_key']}")
    api.wait(f"{active}/users/anna")
    return found["access_key"]


@pytest.fixture
def look(api, active, world):
    instance = uuid.UUID(api.show(active)["id"])
    return lambda: audit.look(world.only, instance, NOW)


def test_nothing_is_queued_where_nothing_differs(look, key):
    assert look() == 0


def test_a_lost_key_comes_back_with_its_secret(api, active, world, look, key):
    """A key on MinIO may remove itself and others of its user."""
    world.only.drop_access_key(key)

    assert look() == 1

    path = f"{active}/users/anna/access-keys/{key}"
    made.until(lambda: world.only.access_key(key))
    assert api.wait(path)["generation"] == 1
    assert look() == 0


@pytest.mark.parametrize(
    "harm",
    [
        lambda engine: engine.map_policies("anna", frozenset()),
        lambda engine: engine.map_policies("anna", frozenset({GUARD_NAME})),
        lambda engine: engine.set_user_enabled("anna", False),
    ],
)
def test_a_users_rights_come_back(api, active, world, look, key, harm):
    before = world.only.user("anna")
    harm(world.only)

    assert look() == 1

    api.wait(f"{active}/users/anna")
    assert world.only.user("anna") == before


def test_a_disabled_key_that_came_back_is_removed_again(api, active, world, look, key):
    path = f"{active}/users/anna/access-keys/{key}"
    api.change(path, enabled=False)
    api.wait(path)
    world.only.add_access_key(state.AccessKey(key, "anna"), "s" * 40)

    assert look() == 1

    made.until(lambda: world.only.access_key(key) is None)
    assert made.condition(api.wait(path), "OnEngine")["reason"] == "Disabled"


def test_what_is_under_way_is_left_to_its_turn(api, active, world, look, key, db):
    db.execute("UPDATE s3aas_access_keys SET status = 'ERROR'")
    world.only.drop_access_key(key)

    assert look() == 0


def test_what_the_service_did_not_make_is_left_alone(world, look, key):
    world.only.add_user("stranger", "s" * 40)
    world.only.add_access_key(state.AccessKey("FOREIGNKEY", "stranger"), "s" * 40)

    assert look() == 0
    assert world.only.user("stranger") and world.only.access_key("FOREIGNKEY")


def test_an_engine_that_refuses_to_list_does_not_fail_its_instance(
    api, active, world, look, key
):
    def refuse():
        raise errors.EngineRefused("list-users", 500, "InternalError")

    world.only.on["users"] = refuse

    assert look() == 0
    api.change(active, read_only=True)
    api.wait(active)


def test_an_instance_has_its_next_audit_ahead(api, active, db):
    """The same turn puts a lost guard back."""
    row = db.execute("SELECT wake_at FROM s3aas_instances").fetchone()

    now = datetime.datetime.now(datetime.timezone.utc)
    ahead_s = (row["wake_at"] - now).total_seconds()
    assert 0 < ahead_s <= 1.2 * audit.EVERY_S


def test_an_audit_puts_a_lost_guard_back(api, active, world, db, key):
    world.only.map_policies("anna", frozenset())
    world.only.drop_policy(GUARD_NAME)

    db.execute("UPDATE s3aas_instances SET wake_at = now()")
    db.execute("NOTIFY s3aas_changes")

    made.until(lambda: world.only.policy(GUARD_NAME))
    made.until(lambda: GUARD_NAME in (world.only.policies_of("anna") or ()))


def test_a_policy_changed_by_another_hand_is_put_back_when_its_engine_starts_anew(
    api, active, world
):
    shown = api.make(f"{active}/policies", name="mine", template="read-only")
    api.wait(f"{active}/policies/mine")
    name = policy.engine_name(uuid.UUID(shown["id"]))
    right = world.only.policy(name)
    world.only.put_policy(state.Policy(name, policy.from_template("bucket-owner")))

    queue.look_again(uuid.UUID(api.show(active)["id"]))

    made.until(lambda: world.only.policy(name) == right)
    assert api.show(f"{active}/policies/mine")["generation"] == 1


def empty(engine):
    """Take all that the engine holds, as with a disk that was made anew."""
    for held in (engine._keys, engine._users, engine._policies, engine._buckets):
        held.clear()


def audited(db):
    db.execute("UPDATE s3aas_instances SET wake_at = now()")
    db.execute("NOTIFY s3aas_changes")


@pytest.fixture
def second(api, active):
    """The path of a bucket beside the default one."""
    api.make(f"{active}/buckets", name="second")
    api.wait(f"{active}/buckets/second")
    return f"{active}/buckets/second"


@pytest.mark.parametrize("noticed", ["by an audit", "by another process", "at a start"])
def test_an_engine_that_lost_all_is_never_shown_as_if_it_were_whole(
    api, active, world, db, key, second, reconcile, noticed
):
    api.change(active, versioning=True)  # buckets have had turns since
    api.wait(active)
    empty(world.only)
    if noticed == "by an audit":
        audited(db)
    elif noticed == "by another process":
        world.nodes.set(api.show(active)["id"], fakes.ready(pid=101))
    else:
        reconcile()

    shown = api.wait(active, "ERROR")

    assert "came back without any bucket" in shown["status_message"]
    said = made.condition(shown, "DataPresent")
    assert (said["status"], said["reason"]) == ("False", "DataLost")
    assert said["message"].endswith(": default, second")
    for path in (f"{active}/buckets/default", second):
        assert "is gone from the engine" in api.wait(path, "ERROR")["status_message"]
    # Nothing that is asked meanwhile makes them as if they were there.
    api.change(second, versioning=True)
    api.change(active, read_only=True)
    api.wait(second, "ERROR")
    api.wait(active, "ERROR")
    assert world.only.buckets() == frozenset()


def test_what_was_lost_is_whole_again_once_its_data_are_restored(
    api, active, world, db, second
):
    held = dict(world.only._buckets)
    empty(world.only)
    audited(db)
    api.wait(active, "ERROR")
    api.wait(second, "ERROR")

    world.only._buckets.update(held)

    shown = api.wait(active)
    assert made.condition(shown, "DataPresent") is None
    api.wait(second)
    assert world.only.bucket("second")


def test_who_deletes_the_lost_buckets_starts_over(api, running, world, db):
    api.make("/instances", name="plain")
    path = "/instances/plain/buckets/first"
    api.make("/instances/plain/buckets", name="first")
    api.make("/instances/plain/users", name="anna")
    api.wait(path)
    api.wait("/instances/plain/users/anna")
    api.wait("/instances/plain")
    empty(world.only)
    audited(db)
    api.wait("/instances/plain", "ERROR")
    made.until(lambda: world.only.user("anna"))

    api.remove(path)
    api.wait_gone(path)

    shown = api.wait("/instances/plain")
    assert made.condition(shown, "DataPresent") is None
    api.make("/instances/plain/buckets", name="first")
    api.wait(path)
    assert world.only.buckets() == {"first"}


def test_one_bucket_that_is_gone_is_told_and_holds_up_nothing_else(
    api, active, world, db, second
):
    world.only.drop_bucket("second")
    audited(db)

    shown = made.until(
        lambda: made.condition(one := api.show(active), "DataPresent") and one
    )

    assert made.condition(shown, "DataPresent")["reason"] == "BucketsGone"
    assert "is gone from the engine" in api.wait(second, "ERROR")["status_message"]
    api.wait(active)
    assert api.show(f"{active}/buckets/default")["status"] == "ACTIVE"
    assert world.only.bucket("second") is None


def test_a_bucket_whose_deletion_began_meanwhile_is_not_lost(
    api, active, world, second
):
    def meanwhile():
        world.only.on.pop("buckets")
        api.remove(second)
        made.until(lambda: world.only.bucket("second") is None)

    world.only.on["buckets"] = meanwhile

    assert audit.lost_buckets(world.only, uuid.UUID(api.show(active)["id"])) == (
        [],
        True,
    )
    assert api.wait(active)["status_message"] == ""


def test_an_engine_that_refuses_to_list_its_buckets_has_lost_none(
    api, active, world, db
):
    def refuse():
        raise errors.EngineRefused("list buckets", 500, "InternalError")

    world.only.on["buckets"] = refuse
    api.change(active, read_only=True)

    shown = api.wait(active)

    assert made.condition(shown, "DataPresent") is None
