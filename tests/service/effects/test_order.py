"""What is taken away goes first: the order of the calls to an engine."""

import threading

import pytest

from exordos_paas_storage.domain import policy, state
from tests.service import made
from tests.service.effects import asks
from tests.service.effects.asks import ARN, allow, document
from tests.service.effects.stand import READING


@pytest.fixture(params=["memory"])
def place(request):
    return request.param, None


def writes(here, since):
    return [call for call in here.engine.calls[since:] if call[0] not in READING]


def index(calls, name, *args):
    """Where the first such call stands; a failure if there is none."""
    return next(
        n
        for n, call in enumerate(calls)
        if call[0] == name and call[1 : 1 + len(args)] == args
    )


def test_the_guard_is_put_and_read_back_before_the_first_user(here):
    here.key(here.user("read-write"))

    calls = here.engine.calls

    put = next(
        n
        for n, call in enumerate(calls)
        if call[0] == "put_policy" and call[1].name == policy.GUARD_NAME
    )
    read = put + index(calls[put:], "policy", policy.GUARD_NAME)
    user, rights = index(calls, "add_user"), index(calls, "map_policies")
    assert put < read < user < rights < index(calls, "add_access_key")
    for call in calls:
        if call[0] == "map_policies":
            assert policy.GUARD_NAME in call[2]


def test_a_guard_that_the_engine_does_not_keep_gives_nobody_anything(
    api, world, running
):
    opened = state.Policy(policy.GUARD_NAME, document(allow()))

    def prepare(engine):
        engine.on["policy"] = lambda name: opened if name == opened.name else None

    world.prepare = prepare
    at = f"/instances/{made.unique('lost')}"
    api.make("/instances", name=at.rpartition("/")[2])
    api.make(f"{at}/users", name="anna")
    api.make(f"{at}/users/anna/access-keys")

    said = made.until(lambda: api.show(at)["status_message"])

    assert "shows another document" in said
    assert api.show(f"{at}/users/anna")["status"] == "PENDING"
    called = {call[0] for call in world.only.calls}
    assert not called & {"add_user", "map_policies", "add_access_key"}


def test_a_user_is_disabled_before_anything_else_of_it_changes(here):
    user = here.user("read-only")
    name, since = user.rpartition("/")[2], len(here.engine.calls)

    here.api.change(user, enabled=False, policies=["read-write"])
    here.api.wait(user)
    assert [call[:2] for call in writes(here, since)] == [
        ("set_user_enabled", name),
        ("map_policies", name),
    ]

    since = len(here.engine.calls)
    here.api.change(user, enabled=True, policies=["read-only"])
    here.api.wait(user)
    assert [call[:2] for call in writes(here, since)] == [
        ("map_policies", name),
        ("set_user_enabled", name),
    ]
    assert writes(here, since)[-1][2] is True


def test_a_right_goes_before_the_policy_comes_that_replaces_it(here):
    user = here.user("read-write")
    name, key = user.rpartition("/")[2], here.key(user)
    asked, going_on = threading.Event(), threading.Event()

    def wait(put):
        if put.name != policy.GUARD_NAME:
            asked.set()
            assert going_on.wait(made.HELD_S)

    here.engine.on["put_policy"] = wait
    late = made.unique("late")
    read = here.document(allow("s3:GetObject", f"{ARN}*"))
    since = len(here.engine.calls)
    try:
        here.api.make(f"{here.at}/policies", name=late, document=read)
        assert asked.wait(made.PATIENCE_S)
        here.api.change(user, policies=[late])
        made.until(lambda: not here.may(key, asks.get("x")))
    finally:
        going_on.set()
    here.api.wait(user)

    mapped = [call[2] for call in writes(here, since) if call[0] == "map_policies"]
    assert mapped[0] == {policy.GUARD_NAME} and len(mapped[-1]) == 2
    assert here.may(key, asks.get("x")) and not here.may(key, asks.put("y"))
    assert {call[1] for call in writes(here, since) if call[0] == "map_policies"} == {
        name
    }


@pytest.mark.parametrize("field", ["enabled", "deleted"])
def test_a_key_shows_that_it_is_off_only_when_it_was_seen_refused(here, field):
    key, since = here.key(here.user("read-write")), len(here.engine.calls)
    refused = threading.Event()
    here.engine.on["refuses_key"] = lambda name: None if refused.is_set() else False

    if field == "enabled":
        here.api.change(key.path, enabled=False)
    else:
        here.api.remove(key.path)
    calls = here.engine.calls
    made.until(lambda: [c[0] for c in calls[since:]].count("refuses_key") > 2)

    shown = here.api.show(key.path)
    assert shown["status"] == ("PENDING" if field == "enabled" else "DELETING")
    assert "still accepts" in shown["status_message"]
    assert index(calls[since:], "drop_access_key") < index(calls[since:], "refuses_key")
    refused.set()
    if field == "enabled":
        shown = here.api.wait(key.path)
        assert made.condition(shown, "OnEngine")["reason"] == "Disabled"
    else:
        here.api.wait_gone(key.path)


def test_a_key_is_never_on_the_engine_with_more_than_its_scope(here):
    user = here.user("read-write")
    narrow = document(allow("s3:GetObject", f"{ARN}<bucket>/in/*"))
    key = here.key(user, scope=narrow)
    here.api.change(key.path, scope={"preset": "read-only"})
    here.api.wait(key.path)
    here.api.change(key.path, enabled=False)
    here.api.wait(key.path)
    here.api.change(key.path, enabled=True)
    here.api.wait(key.path)

    added = [call[1] for call in here.engine.calls if call[0] == "add_access_key"]

    assert len(added) == 3 and all(one.scope is not None for one in added)


def test_a_user_made_in_a_suspended_instance_gets_its_rights_under_that_guard(here):
    here.api.post(f"{here.at}/actions/suspend/invoke")
    here.api.wait(here.at)
    since = len(here.engine.calls)

    key = here.key(here.user("read-write"))

    held = here.engine.policy(policy.GUARD_NAME).document
    assert policy.same(held, policy.SUSPENDED)
    assert not here.may(key, asks.get("x"))
    assert not [call for call in writes(here, since) if call[0] == "drop_policy"]
