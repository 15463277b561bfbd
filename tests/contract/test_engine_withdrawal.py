"""Stopping users and whole instances at once: what it takes, and that it holds."""

import collections
import dataclasses
import datetime
import time

import pytest

from exordos_paas_storage.domain import errors, plan, policy, state
from tests import figures
from tests.contract import bulk
from tests.contract.made import (
    SECRET,
    guard,
    key_id,
    made_bucket,
    made_key,
    made_user,
    refusal,
    unique,
)

OWNER = policy.from_template("bucket-owner")
USERS, KEYS = 200, 1000


def test_a_user_is_disabled_and_enabled(engine):
    user = made_user(engine, OWNER)
    before = engine.user(user)

    for enabled in (False, False, True, True):
        engine.set_user_enabled(user, enabled)
        assert engine.user(user) == state.User(user, before.policies, enabled)
        assert engine.users()[user] == engine.user(user)


def test_a_disabled_user_keeps_keys_and_takes_policies(engine):
    user = made_user(engine, OWNER)
    keys, name = made_key(engine, user), unique("policy")
    engine.put_policy(state.Policy(name, OWNER))
    engine.set_user_enabled(user, False)

    engine.map_policies(user, frozenset([name]))

    assert engine.user(user) == state.User(user, frozenset([name]), enabled=False)
    assert engine.access_key(keys.access_key) == state.AccessKey(keys.access_key, user)


def test_a_disabled_users_keys_are_made_changed_and_dropped(engine):
    """MinIO takes a disabled user for an unknown one."""
    user = made_user(engine, OWNER)
    engine.set_user_enabled(user, False)
    end = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    end += datetime.timedelta(hours=1)
    key = state.AccessKey(key_id(), user, "born", scope=OWNER, expires_at=end)

    for wanted in (
        key,
        dataclasses.replace(key, description="changed", scope=None),
        dataclasses.replace(key, enabled=False, expires_at=None),
    ):
        engine.add_access_key(wanted, SECRET)
        seen = engine.access_key(key.access_key)
        assert plan.access_key(wanted, seen, ours=True) == []
    assert not engine.user(user).enabled

    engine.drop_access_key(key.access_key)
    assert engine.access_key(key.access_key) is None
    assert engine.refuses_key(key.access_key)
    off = state.AccessKey(key_id(), user, enabled=False)
    engine.add_access_key(off, SECRET)
    assert engine.access_key(off.access_key) == off

    engine.drop_user(user)
    assert engine.user(user) is None
    assert engine.access_key(off.access_key) is None


def test_an_unknown_policy_is_not_mapped_to_a_disabled_user(engine):
    user = made_user(engine, OWNER)
    engine.set_user_enabled(user, False)
    before = engine.user(user)

    with pytest.raises(errors.EngineRefused):
        engine.map_policies(user, before.policies | {unique("policy")})
    assert engine.user(user) == before

    engine.map_policies(user, frozenset())
    assert engine.user(user) == state.User(user, enabled=False)


def test_a_disabled_users_policy_is_in_use(engine):
    user = made_user(engine, OWNER)
    (name,) = engine.user(user).policies
    engine.set_user_enabled(user, False)

    with pytest.raises(errors.EngineRefused):
        engine.drop_policy(name)

    assert engine.policy(name)


def test_disabling_an_unknown_user_is_refused(engine):
    with pytest.raises(errors.EngineRefused):
        engine.set_user_enabled(unique("user"), False)


def test_every_user_is_listed(engine):
    one, other = made_user(engine, OWNER), made_user(engine)
    seen = engine.users()

    assert (seen[one], seen[other]) == (engine.user(one), engine.user(other))

    engine.drop_user(one)
    assert one not in engine.users()


def test_a_disabled_users_keys_are_of_no_use_until_it_is_enabled(real):
    bucket, other = made_bucket(real.engine), made_user(real.engine, OWNER)
    user = made_user(real.engine, OWNER)
    plain, scoped = made_key(real.engine, user), state.Credentials(key_id(), SECRET)
    real.engine.add_access_key(
        state.AccessKey(scoped.access_key, user, scope=OWNER), SECRET
    )
    clients = [real.s3(plain), real.s3(scoped)]
    spared = real.s3(made_key(real.engine, other))

    def refusals():
        return [refusal(client.list_objects_v2, Bucket=bucket) for client in clients]

    assert refusals() == ["", ""]
    real.engine.set_user_enabled(user, False)
    assert refusals() == ["AccessDenied"] * 2
    assert not refusal(spared.list_objects_v2, Bucket=bucket)
    born = real.s3(made_key(real.engine, user))
    assert refusal(born.list_objects_v2, Bucket=bucket) == "AccessDenied"

    real.engine.set_user_enabled(user, True)
    assert refusals() == ["", ""]
    assert not refusal(born.list_objects_v2, Bucket=bucket)


@pytest.mark.parametrize("scope", [None, OWNER], ids=["plain", "scoped"])
def test_the_guards_forms_let_all_read_alone_and_nothing_through(real, scope):
    engine, bucket, name = real.engine, made_bucket(real.engine), unique("guard")
    user, keys = made_user(engine, OWNER), state.Credentials(key_id(), SECRET)
    forms = {
        "all": (guard(engine), {"put", "get", "list", "buckets", "delete"}),
        "read": (
            policy.guard(
                engine.capabilities.read_actions,
                engine.capabilities.unsafe_keys,
                engine.capabilities.version_named,
            ),
            {"get", "list", "buckets"},
        ),
        "suspended": (policy.SUSPENDED, set()),
    }
    engine.put_policy(state.Policy(name, guard(engine)))
    engine.map_policies(user, engine.user(user).policies | {name})
    engine.add_access_key(state.AccessKey(keys.access_key, user, scope=scope), SECRET)
    client = real.s3(keys)
    # Another object than the one that is deleted: what is left to read stays.
    calls = {
        "put": (client.put_object, {"Bucket": bucket, "Key": "x"}),
        "get": (client.get_object, {"Bucket": bucket, "Key": "x"}),
        "list": (client.list_objects_v2, {"Bucket": bucket}),
        "buckets": (client.list_buckets, {}),
        "delete": (client.delete_object, {"Bucket": bucket, "Key": "y"}),
        "create": (client.create_bucket, {"Bucket": f"{bucket}-own"}),
        "configure": (
            client.put_bucket_versioning,
            {"Bucket": bucket, "VersioningConfiguration": {"Status": "Enabled"}},
        ),
    }

    for form in ("all", "read", "suspended", "read", "all", "suspended", "all"):
        document, allowed = forms[form]
        engine.put_policy(state.Policy(name, document))

        assert policy.same(engine.policy(name).document, document)
        found = {what: refusal(call, **named) for what, (call, named) in calls.items()}
        assert {what for what, code in found.items() if not code} == allowed, form
        assert set(found.values()) <= {"", "AccessDenied"}


def test_a_suspended_key_is_told_nothing_by_the_admin_api(real):
    guarding = unique("guard")
    real.engine.put_policy(state.Policy(guarding, guard(real.engine)))
    user = made_user(real.engine, OWNER)
    real.engine.map_policies(user, real.engine.user(user).policies | {guarding})
    keys = made_key(real.engine, user)

    real.engine.put_policy(state.Policy(guarding, policy.SUSPENDED))

    for route in ("list-users", "list-canned-policies", "export-iam", "info"):
        answer = real.signed("GET", real.admin_path(route), keys)
        assert answer.status_code == 403, route


def test_one_write_of_the_guard_stops_1000_keys_of_200_users(real, monkeypatch):
    engine, name, bucket = real.engine, unique("guard"), made_bucket(real.engine)
    users = _crowd(real, name)
    keys = [bulk.pair(key) for ids in users.values() for key in ids]
    assert (len(users), len(keys)) == (USERS, KEYS)
    path = f"/{bucket}?list-type=2&max-keys=1"
    assert _answers(real, path, keys[:: KEYS // 100])[200] == 100
    writes = _counted(engine, monkeypatch)

    engine.put_policy(state.Policy(name, policy.SUSPENDED))
    start = time.monotonic()
    codes = [real.signed("GET", path, pair).status_code for pair in keys]
    took = time.monotonic() - start

    assert writes == ["add-canned-policy"]
    passed = codes.index(403)
    assert set(codes[:passed]) <= {200} and set(codes[passed:]) == {403}
    figures.keep(
        f"{engine.capabilities.engine}: one write stopped {KEYS} keys of {USERS} users;"
        f" {passed} requests passed after it, all were asked in {took:.1f} s"
    )
    engine.put_policy(state.Policy(name, guard(engine)))
    assert _answers(real, path, keys[:: KEYS // 100])[200] == 100


def _crowd(real, guarding):
    """Users with their keys, all under one guard."""
    owner = unique("policy")
    real.engine.put_policy(state.Policy(guarding, guard(real.engine)))
    real.engine.put_policy(state.Policy(owner, OWNER))
    each = KEYS // USERS
    users = {unique("user"): [key_id() for _ in range(each)] for _ in range(USERS)}
    bulk.import_users(real, users, [guarding, owner])
    return users


def _answers(real, path, keys):
    return collections.Counter(
        real.signed("GET", path, pair).status_code for pair in keys
    )


def _counted(engine, monkeypatch):
    """The routes of the engine's admin API that are written to from now on."""
    told, tell = [], engine._admin.tell

    def counted(method, route, *args, **named):
        told.append(route)
        return tell(method, route, *args, **named)

    monkeypatch.setattr(engine._admin, "tell", counted)
    return told
