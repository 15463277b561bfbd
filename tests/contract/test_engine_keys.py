"""The port's promises about access keys: scope, expiry, and what an update keeps."""

import dataclasses
import json

import pytest

from exordos_paas_storage.domain import errors, policy, state
from tests.contract.made import SECRET, ahead, holds, key_id, made_scoped, made_user

SCOPES = {
    "conditions and variables": {
        "Version": policy.VERSION,
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["s3:GetObject", "s3:PutObject"],
                "Resource": ["arn:aws:s3:::docs/${aws:username}/*"],
                "Condition": {
                    "IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "127.0.0.1"]},
                    "StringNotEquals": {"aws:UserAgent": ["old"]},
                },
            },
            {
                "Sid": "kept",
                "Effect": "Deny",
                "Action": ["s3:DeleteObject"],
                "Resource": ["arn:aws:s3:::docs/kept/*"],
            },
        ],
    },
    "a template": policy.from_template("read-write", "docs", "in/"),
    "NotAction": {
        "Version": policy.VERSION,
        "Statement": [
            {
                "Effect": "Deny",
                "NotAction": ["s3:GetObject"],
                "Resource": [policy.EVERYTHING],
            }
        ],
    },
}
READ = policy.from_template("read-only")
WRITE = policy.from_template("write-only")


def sized(size):
    """A scope of `size` bytes as compact JSON."""
    one = {
        "Effect": "Allow",
        "Action": ["s3:GetObject"],
        "Resource": ["arn:aws:s3:::"],
    }
    scope = {"Version": policy.VERSION, "Statement": [one]}
    missing = size - len(json.dumps(scope, separators=(",", ":")))
    one["Resource"] = [f"arn:aws:s3:::{'x' * missing}"]
    return scope


@pytest.mark.parametrize("name", SCOPES)
def test_a_scope_is_read_back(engine, name):
    key = made_scoped(engine, scope=SCOPES[name])

    assert holds(engine, key)
    assert policy.same(engine.access_key(key.access_key).scope, SCOPES[name])


def test_a_key_without_a_scope_shows_none(engine):
    assert engine.access_key(made_scoped(engine).access_key).scope is None


@pytest.mark.parametrize(
    ("before", "after"), [(None, READ), (READ, None), (READ, WRITE), (READ, READ)]
)
def test_a_scope_is_set_changed_and_cleared(engine, before, after):
    key = made_scoped(engine, scope=before)
    wanted = dataclasses.replace(key, scope=after)

    engine.add_access_key(wanted, SECRET)
    engine.add_access_key(wanted, SECRET)

    assert holds(engine, wanted)


CHANGES = {
    "description": {"description": "the printer"},
    "no description": {"description": ""},
    "disabled": {"enabled": False},
    "expiry": {"expires_at": ahead(hours=3)},
    "no expiry": {"expires_at": None},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_an_update_of_one_thing_keeps_the_others(engine, change):
    key = made_scoped(engine, description="old", scope=READ, expires_at=ahead(hours=2))
    wanted = dataclasses.replace(key, **change)

    engine.add_access_key(wanted, "t" * 40)
    assert holds(engine, wanted)

    engine.add_access_key(key, SECRET)
    assert holds(engine, key)


def test_a_key_is_born_disabled_with_its_scope_and_expiry(engine):
    key = made_scoped(engine, enabled=False, scope=READ, expires_at=ahead(hours=1))

    assert holds(engine, key)


@pytest.mark.parametrize("born", ["with", "without"])
def test_a_scope_over_4096_bytes_is_refused_and_changes_nothing(engine, born):
    scope = READ if born == "with" else None
    key = made_scoped(engine, scope=scope)

    with pytest.raises(errors.EngineRefused):
        engine.add_access_key(dataclasses.replace(key, scope=sized(4097)), SECRET)

    assert holds(engine, key)


def test_a_scope_of_4096_bytes_is_taken(engine):
    assert holds(engine, made_scoped(engine, scope=sized(4096)))


def test_a_new_key_with_too_large_a_scope_is_not_made(engine):
    key = state.AccessKey(key_id(), made_user(engine), scope=sized(4097))

    with pytest.raises(errors.EngineRefused):
        engine.add_access_key(key, SECRET)

    assert engine.access_key(key.access_key) is None


def test_the_ids_of_every_key_are_listed_in_one_call(engine):
    one, other = made_user(engine), made_user(engine)
    keys = {key_id() for _ in range(3)}
    for access_key, user in zip(keys, [one, one, other], strict=True):
        engine.add_access_key(state.AccessKey(access_key, user), SECRET)
    assert keys <= engine.access_keys()

    engine.drop_user(one)

    assert len(keys & engine.access_keys()) == 1


def test_a_disabled_and_a_scoped_key_are_listed_too(engine):
    keys = {
        made_scoped(engine, enabled=False),
        made_scoped(engine, expires_at=ahead(hours=1)),
    }
    scoped = made_scoped(engine, scope=READ)

    assert {key.access_key for key in (*keys, scoped)} <= engine.access_keys()
