"""Suspended and read-only instances: one write stops every key, one undoes it."""

import time

import pytest

from exordos_paas_storage.domain import policy
from tests import figures
from tests.service import made
from tests.service.effects import asks
from tests.service.effects.asks import ARN, allow, document

# Users, and keys of each. A key costs MinIO a fifth of a second.
SIZES = {"memory": (200, 5), "minio": (20, 3), "rustfs": (20, 3)}


def invoke(here, action):
    answer = here.api.post(f"{here.at}/actions/{action}/invoke")
    assert answer.status_code == 200, answer.text
    return answer.json()


def held(here, *keys):
    """What the engine holds of users, policies and keys, but for the guard."""
    users = here.engine.users()
    named = sorted({one for user in users.values() for one in user.policies})
    documents = {
        name: policy.canonical(here.engine.policy(name).document)
        for name in named
        if name != policy.GUARD_NAME
    }
    shown = [here.engine.access_key(key.pair.access_key) for key in keys]
    scopes = [one and one.scope and policy.canonical(one.scope) for one in shown]
    return users, documents, here.engine.access_keys(), scopes


@pytest.fixture
def people(here):
    """Keys of users of every kind, and what may be asked with each."""
    writer, reader = here.user("read-write"), here.user("read-only")
    scope = document(allow(["s3:GetObject", "s3:PutObject"], f"{ARN}<bucket>/in/*"))
    found = {
        "writer": here.key(writer),
        "reader": here.key(reader),
        "scoped": here.key(writer, scope=scope),
        "disabled": here.key(writer),
        "of a disabled user": here.key(here.user("read-write")),
    }
    here.api.change(found["disabled"].path, enabled=False)
    here.api.wait(found["disabled"].path)
    user = found["of a disabled user"].path.partition("/access-keys")[0]
    here.api.change(user, enabled=False)
    here.api.wait(user)
    return found


ASKED = (*asks.EVERYTHING, asks.get("in/x"), asks.put("in/y"))


def rights(here, people):
    return {name: here.rights(key, ASKED) for name, key in people.items()}


def test_suspended_and_resumed_everything_is_as_before(here, people):
    before, engine_before = rights(here, people), held(here, *people.values())
    assert all(before["writer"].values())
    assert sum(before["reader"].values()) == 3 and sum(before["scoped"].values()) == 2
    assert not any(before["disabled"].values())
    assert not any(before["of a disabled user"].values())

    for _ in range(2):
        since = len(here.engine.calls)
        shown = invoke(here, "suspend")
        assert shown["suspended"] is True
        here.soon("suspended", people["writer"], asks.get("x"), False)
        assert not any(any(one.values()) for one in rights(here, people).values())
        here.api.wait(here.at)
        again = invoke(here, "suspend")
        assert again["generation"] == shown["generation"]
        assert here.writes(since) == ["put_policy"]

        since = len(here.engine.calls)
        assert invoke(here, "resume")["suspended"] is False
        here.soon("resumed", people["writer"], asks.get("x"), True)
        assert rights(here, people) == before
        here.api.wait(here.at)
        invoke(here, "resume")
        assert here.writes(since) == ["put_policy"]

    assert held(here, *people.values()) == engine_before


def test_what_is_changed_while_suspended_holds_from_the_resumption_on(here, people):
    invoke(here, "suspend")
    here.soon("suspended", people["writer"], asks.get("x"), False)

    reader = people["reader"].path.partition("/access-keys")[0]
    here.api.change(reader, policies=["write-only"])
    here.api.wait(reader)
    here.api.change(people["disabled"].path, enabled=True)
    here.api.wait(people["disabled"].path)
    people["new"] = here.key(here.user("read-write"))
    here.api.remove(people.pop("scoped").path)
    assert not any(any(one.values()) for one in rights(here, people).values())

    invoke(here, "resume")
    here.soon("resumed", people["writer"], asks.get("x"), True)
    after = rights(here, people)
    assert all(after["new"].values()) and all(after["disabled"].values())
    assert not after["reader"]["get_object x"] and after["reader"]["put_object y"]
    assert not any(after["of a disabled user"].values())


def test_read_only_and_back(here, people):
    before, engine_before = rights(here, people), held(here, *people.values())

    for _ in range(2):
        since = len(here.engine.calls)
        here.api.change(here.at, read_only=True)
        here.soon("made read-only", people["writer"], asks.put("y"), False)
        reading = rights(here, people)
        for name, allowed in reading.items():
            assert not allowed["put_object y"] and not allowed["put_object in/y"]
            assert not allowed["delete_object z"]
            for ask in ("get_object x", "get_object in/x", "list_objects_v2"):
                assert allowed[ask] == before[name][ask]
        here.api.wait(here.at)
        assert here.writes(since) == ["put_policy"]

        since = len(here.engine.calls)
        here.api.change(here.at, read_only=False)
        here.soon("made writable", people["writer"], asks.put("y"), True)
        assert rights(here, people) == before
        here.api.wait(here.at)
        assert here.writes(since) == ["put_policy"]

    assert held(here, *people.values()) == engine_before


def test_a_read_only_instance_is_read_only_again_when_it_is_resumed(here):
    key = here.key(here.user("read-write"))
    here.api.change(here.at, read_only=True)
    here.soon("made read-only", key, asks.put("y"), False)
    invoke(here, "suspend")
    here.soon("suspended", key, asks.get("x"), False)

    assert invoke(here, "resume")["read_only"] is True

    here.soon("resumed", key, asks.get("x"), True)
    assert not here.may(key, asks.put("y"))


def many(here):
    """As many users and keys as `SIZES` says, all of them on the engine."""
    users, each = SIZES[here.kind]
    names = [made.unique("user") for _ in range(users)]
    paths = [f"{here.at}/users/{name}" for name in names]
    for name in names:
        here.api.make(f"{here.at}/users", name=name)
    keys = [
        here.key_of(path, here.api.make(f"{path}/access-keys"))
        for path in paths
        for _ in range(each)
    ]
    for path in paths:
        here.api.wait(path, deadline_s=60)
    for key in keys:
        here.api.wait(key.path, deadline_s=60)
    return keys


def test_many_keys_stop_by_one_write(here):
    keys = many(here)
    assert all(here.may(key, asks.get("x")) for key in keys)
    since = len(here.engine.calls)

    invoke(here, "suspend")
    answered = time.monotonic()
    here.soon("suspended, many keys", keys[-1], asks.get("x"), False)

    # Of all keys none succeeds that is asked after the first was refused.
    assert not any(here.may(key, asks.get("x")) for key in keys)
    asked = f"suspended, all {len(keys)} keys asked"
    figures.took(here.kind, asked, time.monotonic() - answered)
    here.api.wait(here.at)
    assert here.writes(since) == ["put_policy"]
    invoke(here, "resume")
    here.soon("resumed, many keys", keys[0], asks.get("x"), True)
    assert all(here.may(key, asks.get("x")) for key in keys)
    here.api.wait(here.at)
    assert here.writes(since) == ["put_policy"] * 2
