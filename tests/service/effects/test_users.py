"""Disabling, enabling and deleting users, seen by those who hold their keys."""

from exordos_paas_storage.domain import errors
from tests.service import made
from tests.service.effects import asks


def test_a_disabled_user_stops_with_all_keys_and_starts_again(here):
    user, other = here.user("read-write"), here.user("read-write")
    keys, bystander = [here.key(user) for _ in range(2)], here.key(other)
    before = here.rights(keys[0], asks.EVERYTHING)
    assert all(before.values())

    for _ in range(2):
        shown = here.api.change(user, enabled=False)
        assert shown["enabled"] is False
        here.soon("user disabled", keys[0], asks.get("x"), False)
        assert not any(here.rights(keys[1], asks.EVERYTHING).values())
        here.api.wait(user)
        here.api.change(user, enabled=True)
        here.soon("user enabled", keys[0], asks.get("x"), True)
        for key in keys:
            assert here.rights(key, asks.EVERYTHING) == before
        assert here.may(bystander, asks.get("x"))


def test_a_user_may_be_made_disabled(here):
    user = here.user("read-write", enabled=False)
    key = here.key(user)
    assert not any(here.rights(key, asks.EVERYTHING).values())

    here.api.change(user, enabled=True)

    here.soon("user enabled", key, asks.get("x"), True)


def test_a_change_of_a_disabled_user_does_not_enable_it(here):
    user = here.user("read-only")
    key = here.key(user)
    here.api.change(user, enabled=False)
    here.soon("user disabled", key, asks.get("x"), False)

    here.api.change(user, policies=["read-write"], description="on leave")
    here.api.wait(user)
    here.api.change(user, labels={"on": "leave"})
    here.api.wait(user)

    assert not any(here.rights(key, asks.EVERYTHING).values())
    assert here.engine.user(user.rpartition("/")[2]).enabled is False


def test_labels_and_a_description_change_nothing_on_the_engine(here):
    user = here.user("read-write")
    key, since = here.key(user), len(here.engine.calls)

    shown = here.api.change(user, labels={"team": "a"}, description="the backups")

    assert (shown["status"], shown["labels"]) == ("ACTIVE", {"team": "a"})
    assert here.may(key, asks.get("x"))
    assert here.writes(since) == []


def test_b3_a_deleted_user_is_gone_when_the_engine_refuses_every_key(here):
    user = here.user("read-write")
    keys = [here.key(user) for _ in range(3)]
    assert all(here.may(key, asks.get("x")) for key in keys)

    here.api.remove(user)
    here.soon("user deleted", keys[0], asks.get("x"), False)
    here.api.wait_gone(user)

    assert not any(here.may(key, asks.get("x")) for key in keys)
    for key in keys:
        assert here.engine.refuses_key(key.pair.access_key)
        assert here.api.get(key.path).status_code == 404


def test_b3_a_deletion_that_the_engine_refuses_is_told_and_not_done(here):
    user = here.user("read-write")
    key, kept = here.key(user), here.key(user)

    def refuse(*args):
        raise errors.EngineRefused("drop access key", 500, "Broken")

    here.engine.on["drop_access_key"] = refuse
    here.api.remove(key.path)
    made.until(lambda: "Broken" in here.api.show(key.path)["status_message"])
    assert here.api.show(key.path)["status"] == "DELETING"
    assert here.may(key, asks.get("x"))

    del here.engine.on["drop_access_key"]
    here.api.wait_gone(key.path)
    assert not here.may(key, asks.get("x")) and here.may(kept, asks.get("x"))


def test_a_user_comes_back_under_its_name_without_what_it_had(here):
    user = here.user("read-write")
    key, name = here.key(user), user.rpartition("/")[2]
    here.api.remove(user)
    here.api.wait_gone(user)

    again = here.user("read-only", name=name)

    new = here.key(again)
    assert not here.may(key, asks.get("x"))
    assert here.may(new, asks.get("x")) and not here.may(new, asks.put("y"))
    assert [one["access_key"] for one in here.api.show(f"{again}/access-keys")] == [
        new.pair.access_key
    ]
