"""Policies of users end in the right mapping on the engine, the guard always in it."""

import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exordos_paas_storage.domain import errors, policy
from exordos_paas_storage.domain.policy import GUARD_NAME
from tests.service import fakes, made

TEMPLATES = sorted(policy.TEMPLATES)


@pytest.fixture
def mapped(api, active, world):
    """Names of the policies that the engine maps to a user, without the guard."""
    instance = uuid.UUID(api.show(active)["id"])
    known = {
        policy.engine_name(policy.template_id(instance, one)): one for one in TEMPLATES
    }

    def of(user):
        found = world.only.policies_of(user)
        assert GUARD_NAME in found
        return {known[name] for name in found - {GUARD_NAME}}

    return of


def settled(api, path):
    api.wait(path)
    return made.until(
        lambda: all(o["status"] == "ACTIVE" for o in api.show(path + "/policies"))
    )


def test_a_user_without_a_list_has_the_defaults(api, active, mapped):
    for name, body in [("omitted", {}), ("null", {"policies": None})]:
        shown = api.make(f"{active}/users", name=name, **body)
        assert shown["policies"] is None
        settled(api, f"{active}/users/{name}")
        assert mapped(name) == {"read-write"}
        assert api.show(f"{active}/users/{name}/policies") == []


def test_an_empty_list_is_none(api, active, mapped):
    api.make(f"{active}/users", name="bare", policies=[])
    settled(api, f"{active}/users/bare")

    assert mapped("bare") == set()


def test_a_list_is_what_it_says(api, active, mapped):
    shown = api.make(f"{active}/users", name="two", policies=["backup", "write-only"])
    assert shown["policies"] == ["backup", "write-only"]

    settled(api, f"{active}/users/two")

    assert mapped("two") == {"backup", "write-only"}


def test_a_change_of_the_defaults_reaches_who_inherits_them(api, active, mapped):
    api.make(f"{active}/users", name="heir")
    api.make(f"{active}/users", name="other", policies=["backup"])
    for name in ("heir", "other"):
        settled(api, f"{active}/users/{name}")

    api.change(active, default_user_policies=["read-only", "write-only"])

    assert api.show(f"{active}/users/other")["status"] == "ACTIVE"
    settled(api, f"{active}/users/heir")
    assert mapped("heir") == {"read-only", "write-only"}
    api.change(active, default_user_policies=[])
    settled(api, f"{active}/users/heir")
    assert mapped("heir") == set()
    assert mapped("other") == {"backup"}


def test_attaching_to_an_heir_makes_a_list_of_that_one(api, active, mapped):
    path = f"{active}/users/heir"
    api.make(f"{active}/users", name="heir")
    settled(api, path)

    api.make(f"{path}/policies", policy="backup")

    assert api.show(path)["policies"] == ["backup"]
    settled(api, path)
    assert mapped("heir") == {"backup"}
    api.remove(f"{path}/policies/backup")
    api.wait_gone(f"{path}/policies/backup")
    assert api.show(path)["policies"] == []
    settled(api, path)
    assert mapped("heir") == set()
    api.change(path, policies=None)
    settled(api, path)
    assert mapped("heir") == {"read-write"}


def test_a_patch_replaces_the_set(api, active, mapped):
    path = f"{active}/users/anna"
    api.make(f"{active}/users", name="anna", policies=["backup", "read-only"])
    settled(api, path)

    shown = api.change(path, policies=["read-only", "write-only"])

    assert shown["status"] == "PENDING"
    assert shown["policies"] == ["read-only", "write-only"]
    settled(api, path)
    assert mapped("anna") == {"read-only", "write-only"}
    api.wait_gone(f"{path}/policies/backup")


def test_a_policy_comes_back_while_it_is_on_its_way_out(api, tree):
    path = f"{tree.at}/users/anna"
    api.remove(f"{path}/policies/reading")
    assert api.show(path)["policies"] == []

    api.make(f"{path}/policies", policy="reading")

    assert api.show(path)["policies"] == ["reading"]
    made.refused(api.post(f"{path}/policies", {"policy": "reading"}), 409)


def test_the_same_set_in_another_order_is_no_change(api, tree):
    path = f"{tree.at}/users/anna"
    before = api.change(path, policies=["backup", "read-only"])

    after = api.change(path, policies=["read-only", "backup"])

    assert after["generation"] == before["generation"]


STEPS = st.one_of(
    st.tuples(st.just("attach"), st.sampled_from(TEMPLATES)),
    st.tuples(st.just("detach"), st.sampled_from(TEMPLATES)),
    st.tuples(st.just("patch"), st.none() | st.sets(st.sampled_from(TEMPLATES))),
    st.tuples(st.just("defaults"), st.sets(st.sampled_from(TEMPLATES), max_size=2)),
    st.tuples(st.just("wait"), st.none()),
)


def test_an_attachment_shows_why_its_user_can_not_be_changed(api, active, world):
    user = f"{active}/users/anna"
    api.make(f"{active}/users", name="anna", policies=[])
    settled(api, user)

    def refuse(*args):
        raise errors.EngineRefused("map policies", 400, "Broken")

    world.only.on["map_policies"] = refuse
    api.make(f"{user}/policies", policy="backup")
    attached = f"{user}/policies/backup"

    shown = api.wait(attached, "ERROR")

    assert "Broken" in shown["status_message"]
    del world.only.on["map_policies"]
    assert api.wait(attached)["status_message"] == ""


def test_any_sequence_ends_in_the_right_mapping(api, active, world, mapped):
    @settings(
        max_examples=12,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
    )
    @given(st.lists(STEPS, min_size=2, max_size=8))
    def run(steps):
        name = made.unique("user")
        path = f"{active}/users/{name}"
        api.make(f"{active}/users", name=name)
        wanted, defaults = None, api.show(active)["default_user_policies"]
        for step, value in steps:
            if step == "attach":
                answer = api.post(f"{path}/policies", {"policy": value})
                assert (answer.status_code == 409) == (value in (wanted or ()))
                wanted = (wanted or set()) | {value}
            elif step == "detach":
                answer = api.delete(f"{path}/policies/{value}")
                assert answer.status_code in (204, 404)
                if answer.status_code == 204 and wanted is not None:
                    wanted = wanted - {value}
            elif step == "patch":
                names = None if value is None else sorted(value)
                answer = api.patch(path, {"policies": names})
                assert answer.status_code == 200, answer.text
                wanted = None if value is None else set(value)
            elif step == "defaults":
                api.change(active, default_user_policies=sorted(value))
                defaults = sorted(value)
            else:
                settled(api, path)
            guarded = world.only.policies_of(name)
            assert guarded is None or guarded == set() or GUARD_NAME in guarded
        right = set(defaults) if wanted is None else wanted
        settled(api, path)
        shown = api.show(path)["policies"]
        assert shown == (None if wanted is None else sorted(wanted))
        assert mapped(name) == right

    run()


def document(*actions, effect="Allow"):
    statement = {
        "Effect": effect,
        "Action": list(actions),
        "Resource": "arn:aws:s3:::*",
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


@pytest.fixture
def held_up(api, active, world):
    """A policy whose document the engine does not take, and what makes it take it."""
    shown = api.make(f"{active}/policies", name="late", template="write-only")
    api.wait(f"{active}/policies/late")
    name = policy.engine_name(uuid.UUID(shown["id"]))

    def put(found):
        if found.name == name:
            raise errors.EngineRefused("add-canned-policy", 500, "InternalError")

    world.only.on["put_policy"] = put
    api.change(f"{active}/policies/late", template="read-only")
    api.wait(f"{active}/policies/late", "ERROR")
    return lambda: world.only.on.pop("put_policy")


def test_what_is_lost_goes_while_what_is_gained_waits(api, active, world, held_up):
    path = f"{active}/users/anna"
    api.make(f"{active}/users", name="anna", policies=["read-write", "backup"])
    api.wait(path)
    before = world.only.policies_of("anna")

    api.change(path, policies=["backup", "late"])

    made.until(lambda: len(world.only.policies_of("anna")) == 2)
    assert world.only.policies_of("anna") < before
    assert api.show(path)["status"] == "PENDING"
    held_up()
    api.change(
        f"{active}/policies/late", labels={"a": "b"}, parameters={"bucket": "abc"}
    )
    api.wait(path)
    assert len(world.only.policies_of("anna")) == 3


def test_a_deny_that_is_lost_takes_all_else_with_it(api, active, world, held_up):
    """Alone, `wide` would allow what neither the rights before nor those after do."""
    path = f"{active}/users/anna"
    api.make(f"{active}/policies", name="wide", document=document("s3:*"))
    denied = document("s3:DeleteObject", effect="Deny")
    api.make(f"{active}/policies", name="but", document=denied)
    api.make(f"{active}/users", name="anna", policies=["wide", "but"])
    api.wait(path)

    api.change(path, policies=["wide", "late"])

    made.until(lambda: world.only.policies_of("anna") == {GUARD_NAME})


def test_a_policy_is_not_given_as_it_was_before_a_change_that_failed(
    api, active, world, held_up
):
    path = f"{active}/users/anna"
    api.make(f"{active}/users", name="anna", policies=[])
    api.wait(path)

    api.make(f"{path}/policies", policy="late")

    made.until(lambda: "policies" in api.show(path)["status_message"])
    assert world.only.policies_of("anna") == {GUARD_NAME}


def test_a_dead_engines_changes_hold_up_no_other_instance(api, active, world):
    """Keys that come before their users wait a second each."""
    api.make("/instances", name="dead")
    dead = api.wait("/instances/dead")
    api.make("/instances/dead/users", name="anna")
    key = api.make("/instances/dead/users/anna/access-keys")["access_key"]
    api.wait(f"/instances/dead/users/anna/access-keys/{key}")
    world.nodes.set(dead["id"], fakes.down("Stopped"))
    api.wait("/instances/dead", "ERROR")
    api.change(f"/instances/dead/users/anna/access-keys/{key}", enabled=False)
    names = [f"user-{number:02}" for number in range(60)]

    for name in names:
        api.make(f"{active}/users", name=name)
        api.make(f"{active}/users/{name}/access-keys")

    for name in names:
        api.wait(f"{active}/users/{name}")
        shown = api.show(f"{active}/users/{name}/access-keys")
        api.wait(f"{active}/users/{name}/access-keys/{shown[0]['access_key']}")
