"""What changes on an engine by another hand is found, and made as it was asked for."""

import datetime
import uuid

import pytest

from exordos_paas_storage.domain import errors, policy, state
from exordos_paas_storage.domain.policy import GUARD_NAME
from exordos_paas_storage.reconcile import audit, queue
from tests.service import made

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
