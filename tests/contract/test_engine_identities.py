"""The port's promises about policies, users and access keys."""

import secrets

import pytest

from exordos_paas_storage.domain import errors, policy, state
from tests.contract.made import SECRET, guard, key_id, made_key, made_user, unique

OFFICE_ONLY = {
    "Version": policy.VERSION,
    "Statement": [
        {
            "Sid": "office",
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:PutObject"],
            "Resource": ["arn:aws:s3:::docs/*"],
            "Condition": {
                "IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "127.0.0.1/32"]}
            },
        },
        {
            "Effect": "Deny",
            "Action": ["s3:DeleteObject"],
            "Resource": ["arn:aws:s3:::docs/kept/*"],
        },
    ],
}


def test_a_policy_is_read_back_with_its_condition(engine):
    name = unique("policy")

    engine.put_policy(state.Policy(name, OFFICE_ONLY))

    seen = engine.policy(name)
    assert seen.name == name
    assert policy.same(seen.document, OFFICE_ONLY)
    without = {**OFFICE_ONLY, "Statement": [dict(OFFICE_ONLY["Statement"][0])]}
    without["Statement"][0].pop("Condition")
    assert not policy.same(seen.document, without)


def test_a_policy_is_replaced(engine):
    name = unique("policy")
    engine.put_policy(state.Policy(name, OFFICE_ONLY))
    reading = policy.from_template("read-only", "docs")

    engine.put_policy(state.Policy(name, reading))
    engine.put_policy(state.Policy(name, reading))

    assert policy.same(engine.policy(name).document, reading)


def test_an_unknown_policy_is_none_and_dropping_it_is_done(engine):
    name = unique("policy")

    assert engine.policy(name) is None
    engine.drop_policy(name)


def test_a_dropped_policy_is_gone(engine):
    name = unique("policy")
    engine.put_policy(state.Policy(name, OFFICE_ONLY))

    engine.drop_policy(name)

    assert engine.policy(name) is None


def test_a_mapped_policy_is_not_dropped(engine):
    user = made_user(engine, OFFICE_ONLY)
    (name,) = engine.user(user).policies

    with pytest.raises(errors.EngineRefused):
        engine.drop_policy(name)
    assert engine.policy(name)

    engine.map_policies(user, frozenset())
    engine.drop_policy(name)
    assert engine.policy(name) is None


def test_a_policy_of_a_dropped_user_can_be_dropped(engine):
    user = made_user(engine, OFFICE_ONLY)
    (name,) = engine.user(user).policies
    engine.drop_user(user)

    engine.drop_policy(name)

    assert engine.policy(name) is None


def test_the_guard_is_taken_and_read_back(engine):
    name = unique("guard")

    engine.put_policy(state.Policy(name, guard(engine)))

    assert policy.same(engine.policy(name).document, guard(engine))


@pytest.mark.parametrize("where", [(), ("docs",), ("docs", "in/"), ("", "in/")])
@pytest.mark.parametrize("template", policy.TEMPLATES)
def test_every_template_is_taken_and_read_back(engine, template, where):
    name, document = unique("policy"), policy.from_template(template, *where)

    engine.put_policy(state.Policy(name, document))

    assert policy.same(engine.policy(name).document, document)


def test_an_unknown_user_is_none_and_dropping_it_is_done(engine):
    name = unique("user")

    assert engine.user(name) is None
    engine.drop_user(name)


def test_an_added_user_is_enabled_and_has_no_policies(engine):
    user = made_user(engine)

    assert engine.user(user) == state.User(user, frozenset(), enabled=True)


def test_policies_are_mapped_replaced_and_cleared(engine):
    user = made_user(engine)
    one, two, three = names = [unique("policy") for _ in range(3)]
    for name in names:
        engine.put_policy(state.Policy(name, OFFICE_ONLY))

    for wanted in ({one, two}, {one, two}, {two, three}, {three}, set(), set()):
        engine.map_policies(user, frozenset(wanted))
        assert engine.user(user).policies == wanted


def test_mapping_an_unknown_policy_is_refused_and_changes_nothing(engine):
    user = made_user(engine, OFFICE_ONLY)
    before = engine.user(user)

    with pytest.raises(errors.EngineRefused):
        engine.map_policies(user, before.policies | {unique("policy")})

    assert engine.user(user) == before


def test_mapping_to_an_unknown_user_is_refused(engine):
    name = unique("policy")
    engine.put_policy(state.Policy(name, OFFICE_ONLY))

    with pytest.raises(errors.EngineRefused):
        engine.map_policies(unique("user"), frozenset([name]))


def test_adding_a_user_again_keeps_its_policies_and_keys(engine):
    user = made_user(engine, OFFICE_ONLY)
    before, keys = engine.user(user), made_key(engine, user)

    engine.add_user(user, "t" * 40)

    assert engine.user(user) == before
    assert engine.access_key(keys.access_key).user == user


def test_a_dropped_user_takes_its_keys_along(engine):
    user, other = made_user(engine), made_user(engine)
    mine, others = made_key(engine, user), made_key(engine, other)

    engine.drop_user(user)

    assert engine.user(user) is None
    assert engine.access_key(mine.access_key) is None
    assert engine.refuses_key(mine.access_key)
    assert engine.access_key(others.access_key)


def test_a_user_made_anew_has_nothing_of_the_old_one(engine):
    user = made_user(engine, OFFICE_ONLY)
    keys = made_key(engine, user)
    engine.drop_user(user)

    engine.add_user(user, SECRET)

    assert engine.user(user) == state.User(user)
    assert engine.access_key(keys.access_key) is None


def test_an_unknown_key_is_none_refused_and_dropping_it_is_done(engine):
    access_key = key_id()

    assert engine.access_key(access_key) is None
    assert engine.refuses_key(access_key)
    engine.drop_access_key(access_key)


@pytest.mark.parametrize("description", ["", "the printer", "ü" * 128])
def test_a_key_is_read_back_with_its_description(engine, description):
    key = state.AccessKey(key_id(), made_user(engine), description)

    engine.add_access_key(key, secrets.token_hex(20))

    assert engine.access_key(key.access_key) == key
    assert not engine.refuses_key(key.access_key)


def test_a_description_over_256_bytes_is_refused(engine):
    key = state.AccessKey(key_id(), made_user(engine), "ü" * 128 + "x")

    with pytest.raises(errors.EngineRefused):
        engine.add_access_key(key, secrets.token_hex(20))

    assert engine.access_key(key.access_key) is None


@pytest.mark.parametrize("change", [("new", True), ("", True), ("new", False)])
def test_adding_a_key_again_replaces_its_description_and_state(engine, change):
    user, access_key = made_user(engine), key_id()
    engine.add_access_key(state.AccessKey(access_key, user, "old"), "a" * 40)
    wanted = state.AccessKey(access_key, user, *change)

    engine.add_access_key(wanted, "b" * 40)
    engine.add_access_key(wanted, "b" * 40)

    assert engine.access_key(access_key) == wanted


def test_a_key_can_be_born_disabled_and_enabled_later(engine):
    user, access_key = made_user(engine), key_id()

    engine.add_access_key(state.AccessKey(access_key, user, enabled=False), SECRET)
    assert not engine.access_key(access_key).enabled

    engine.add_access_key(state.AccessKey(access_key, user, enabled=True), SECRET)
    assert engine.access_key(access_key).enabled


def test_a_key_of_an_unknown_user_is_refused(engine):
    access_key = key_id()

    with pytest.raises(errors.EngineRefused):
        engine.add_access_key(state.AccessKey(access_key, unique("user")), SECRET)

    assert engine.access_key(access_key) is None


def test_a_key_of_another_user_is_not_taken_over(engine):
    keys = made_key(engine, owner := made_user(engine))
    taker = state.AccessKey(keys.access_key, made_user(engine))

    with pytest.raises(errors.EngineRefused):
        engine.add_access_key(taker, SECRET)

    assert engine.access_key(keys.access_key).user == owner


def test_a_dropped_key_is_gone_and_refused_while_another_lives(engine):
    user = made_user(engine)
    dropped, kept = made_key(engine, user), made_key(engine, user)

    engine.drop_access_key(dropped.access_key)

    assert engine.access_key(dropped.access_key) is None
    assert engine.refuses_key(dropped.access_key)
    assert engine.access_key(kept.access_key)
    assert not engine.refuses_key(kept.access_key)


@pytest.mark.parametrize("effect", ["Allow", "Deny"])
@pytest.mark.parametrize("sid", [None, "spare"])
def test_not_action_is_read_back_as_it_was(engine, effect, sid):
    statement = {
        "Effect": effect,
        "NotAction": ["s3:GetObject", "s3:PutObject"],
        "Resource": [policy.EVERYTHING],
        "Condition": {"StringEquals": {"aws:username": ["someone"]}},
    } | ({"Sid": sid} if sid else {})
    document = {"Version": policy.VERSION, "Statement": [statement]}
    name = unique("policy")

    engine.put_policy(state.Policy(name, document))

    assert policy.same(engine.policy(name).document, document)
