"""Access keys: on and off, cut down to a scope, given, limited in life."""

import dataclasses
import datetime
import json

import pytest

from exordos_paas_storage.domain import policy
from tests.service import made
from tests.service.effects import asks
from tests.service.effects.asks import ARN, allow, deny, document

OBJECTS = f"{ARN}<bucket>/*"
IN = f"{ARN}<bucket>/in/*"


def test_a_key_is_disabled_and_enabled_with_what_it_had(here):
    user = here.user("read-write")
    scope = document(allow(["s3:GetObject", "s3:PutObject"], IN))
    key, other = here.key(user, scope=scope), here.key(user)
    table = [asks.get("in/x"), asks.put("in/y"), asks.get("x"), asks.listing()]
    before = here.rights(key, table)
    assert list(before.values()) == [True, True, False, False]

    for _ in range(2):
        here.api.change(key.path, enabled=False)
        here.soon("key disabled", key, asks.get("in/x"), False)
        shown = here.api.wait(key.path)
        assert made.condition(shown, "OnEngine")["reason"] == "Disabled"
        assert here.may(other, asks.get("x"))
        here.api.change(key.path, enabled=True)
        here.soon("key enabled", key, asks.get("in/x"), True)
        assert here.rights(key, table) == before
        shown = here.api.wait(key.path)
        assert made.condition(shown, "OnEngine")["status"] == "True"


def test_a_deleted_key_is_refused_before_it_is_unknown(here):
    user = here.user("read-write")
    key, other = here.key(user), here.key(user)
    assert here.may(key, asks.get("x"))

    here.api.remove(key.path)
    here.soon("key deleted", key, asks.get("x"), False)
    here.api.wait_gone(key.path)

    assert here.engine.refuses_key(key.pair.access_key)
    assert here.may(other, asks.get("x"))


# A scope, and what it leaves of the rights of a user with `read-write`.
SCOPES = {
    "a document": (
        document(allow("s3:GetObject", IN)),
        {"get in": True, "get": False, "put in": False, "list": False},
    ),
    "a document with a denial": (
        document(allow(), deny("s3:PutObject", IN)),
        {"get in": True, "get": True, "put in": False, "list": True},
    ),
    "a preset": (
        {"preset": "read-only"},
        {"get in": True, "get": True, "put in": False, "list": True},
    ),
    "a preset on a bucket": (
        {"preset": "write-only", "bucket": "<bucket>"},
        {"get in": False, "get": False, "put in": True, "list": False},
    ),
    "a preset under a prefix": (
        {"preset": "read-write", "bucket": "<bucket>", "prefix": "in/"},
        {"get in": True, "get": False, "put in": True, "list": False},
    ),
    "a preset on another bucket": (
        {"preset": "read-write", "bucket": "elsewhere"},
        {"get in": False, "get": False, "put in": False, "list": False},
    ),
    "a home": (
        document(allow("s3:*", f"{ARN}<bucket>/${{aws:username}}/*")),
        {"get in": False, "get": False, "put in": False, "list": False},
    ),
}
ASKED = {
    "get in": asks.get("in/x"),
    "get": asks.get("x"),
    "put in": asks.put("in/y"),
    "list": asks.listing(),
}


def seen(here, key):
    return {name: here.may(key, ask) for name, ask in ASKED.items()}


def test_a_scope_cuts_a_key_down_until_it_is_changed_or_cleared(here):
    user = here.user("read-write")
    key, whole = here.key(user), dict.fromkeys(ASKED, True)

    for name, (scope, left) in SCOPES.items():
        asked = json.loads(json.dumps(scope).replace("<bucket>", here.bucket))
        lost = next(ask for ask, allowed in left.items() if not allowed)
        assert (name, seen(here, key)) == (name, whole)
        shown = here.api.change(key.path, scope=asked)
        assert shown["scope"] == asked
        here.soon("scope set", key, ASKED[lost], False)
        assert (name, seen(here, key)) == (name, left)
        here.api.change(key.path, scope=None)
        here.soon("scope cleared", key, ASKED[lost], True)


@pytest.mark.parametrize("scope", ["a document with a denial", "a preset on a bucket"])
def test_a_key_is_made_with_a_scope(here, scope):
    asked, left = SCOPES[scope]

    key = here.key(here.user("read-write"), scope=asked)

    assert seen(here, key) == left


def test_a_scope_is_changed_and_never_gives_more_than_its_user_has(here):
    user = here.user("read-only")
    key = here.key(user, scope=document(allow("s3:GetObject", IN)))
    assert not here.may(key, asks.get("x"))

    here.api.change(key.path, scope=document(allow()))
    here.soon("scope set", key, asks.get("x"), True)
    assert not here.may(key, asks.put("y")) and not here.may(key, asks.delete("z"))

    here.api.change(user, policies=[])
    here.soon("policy detached", key, asks.get("x"), False)


def on_engine(here, key):
    """The key as the engine holds it; the order in its scope means nothing."""
    found = here.engine.access_key(key.pair.access_key)
    return dataclasses.replace(found, scope=policy.canonical(found.scope))


def test_a_description_and_labels_leave_scope_and_expiry(here):
    until = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=2)
    until = f"{until:%Y-%m-%dT%H:%M:%SZ}"
    scope = {"preset": "read-only", "bucket": here.bucket, "prefix": "in/"}
    key = here.key(here.user("read-write"), scope=scope, expires_at=until)
    before = seen(here, key)
    held = on_engine(here, key)

    for change in ({"description": "the laptop"}, {"labels": {"a": "b"}}):
        since = len(here.engine.calls)
        shown = here.api.change(key.path, **change)
        assert (shown["scope"], shown["expires_at"]) == (scope, until)
        assert shown["status"] == "ACTIVE" and here.writes(since) == []

    assert seen(here, key) == before == {**dict.fromkeys(ASKED, False), "get in": True}
    assert on_engine(here, key) == held


def test_a_given_pair_is_taken_and_is_taken_then(here):
    user, other = here.user("read-write"), here.user("read-write")
    given = {"access_key": made.unique("").strip("-") + "Ab", "secret_key": "8charact"}
    key = here.key(user, **given)
    assert (key.pair.access_key, key.pair.secret_key) == tuple(given.values())
    assert here.may(key, asks.get("x"))

    for path in (user, other):
        answer = here.api.post(f"{path}/access-keys", given)
        made.refused(answer, 409, "AccessKeyTaken", "access_key")
    for short in ({"access_key": "ab"}, {"secret_key": "7charac"}):
        (field,) = short
        answer = here.api.post(f"{user}/access-keys", {**given, **short})
        made.refused(answer, 400, "InvalidValue", field)
    assert len(here.api.show(f"{user}/access-keys")) == 1
