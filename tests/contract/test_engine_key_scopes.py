"""What a scope takes from a key on a real engine, seen as its holder sees it."""

import dataclasses
import datetime

import pytest

from exordos_paas_storage.domain import policy, state
from tests.contract.made import (
    SECRET,
    guard,
    key_id,
    made_bucket,
    made_user,
    refusal,
)

READ = policy.from_template("read-only")
OWNER = policy.from_template("bucket-owner")


class Tenant:
    """A user with every right on data, one of its keys, and two buckets."""

    def __init__(self, real, *documents):
        self.engine = real.engine
        self.bucket, self.other = made_bucket(real.engine), made_bucket(real.engine)
        user = made_user(real.engine, guard(real.engine), *(documents or (OWNER,)))
        self.key = state.AccessKey(key_id(), user)
        self.s3 = real.s3(state.Credentials(self.key.access_key, SECRET))

    def set(self, **settings):
        """Make the engine hold the key with these, and all else as it was."""
        self.key = dataclasses.replace(self.key, **settings)
        self.engine.add_access_key(self.key, SECRET)

    def may(self):
        """What the key may do: which of these calls the engine answers."""
        calls = {
            "put": (self.s3.put_object, {"Bucket": self.bucket, "Key": "in/x"}),
            "get": (self.s3.get_object, {"Bucket": self.bucket, "Key": "in/x"}),
            "list": (self.s3.list_objects_v2, {"Bucket": self.bucket}),
            "put elsewhere": (self.s3.put_object, {"Bucket": self.other, "Key": "x"}),
            "create": (self.s3.create_bucket, {"Bucket": f"{self.bucket}-own"}),
        }
        refusals = {
            name: refusal(call, **named) for name, (call, named) in calls.items()
        }
        assert set(refusals.values()) <= {"", "AccessDenied"}
        return {name for name, code in refusals.items() if not code}


EVERYTHING = {"put", "get", "list", "put elsewhere"}


def only_in(bucket):
    return policy.from_template("read-write", bucket)


def test_a_scope_is_set_changed_and_cleared(real):
    tenant = Tenant(real)
    tenant.set()
    assert tenant.may() == EVERYTHING

    tenant.set(scope=READ)
    assert tenant.may() == {"get", "list"}

    tenant.set(scope=only_in(tenant.bucket))
    assert tenant.may() == {"put", "get", "list"}

    tenant.set(scope=None)
    assert tenant.may() == EVERYTHING


@pytest.mark.parametrize(
    "change",
    [
        {"description": "another"},
        {"expires_at": True},
        {"enabled": False},
    ],
    ids=["description", "expiry", "disabled and enabled"],
)
def test_a_scope_survives_every_other_update(real, change):
    tenant = Tenant(real)
    tenant.set()
    assert "put" in tenant.may()
    tenant.set(scope=READ, description="one")
    if "expires_at" in change:
        now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
        change = {"expires_at": now + datetime.timedelta(hours=1)}

    tenant.set(**change)
    tenant.set(enabled=True)

    assert tenant.may() == {"get", "list"}


def test_a_scope_gives_no_right_that_its_user_has_not(real):
    tenant = Tenant(real, READ)
    real.s3(real.root).put_object(Bucket=tenant.bucket, Key="in/x", Body=b"1")

    tenant.set(scope=OWNER)

    assert tenant.may() == {"get", "list"}


def test_a_users_policies_cut_a_scoped_key_down(real):
    tenant = Tenant(real)
    tenant.set(scope=OWNER)
    assert tenant.may() == EVERYTHING

    user = tenant.key.user
    (owner,) = (
        name
        for name in real.engine.user(user).policies
        if policy.same(real.engine.policy(name).document, OWNER)
    )
    real.engine.put_policy(state.Policy(owner, READ))

    assert tenant.may() == {"get", "list"}


def test_a_deny_in_a_scope_beats_its_users_allow(real):
    tenant = Tenant(real)
    allow = {"Effect": "Allow", "Action": ["s3:*"], "Resource": [policy.EVERYTHING]}
    deny = {
        "Effect": "Deny",
        "Action": ["s3:PutObject"],
        "Resource": [f"arn:aws:s3:::{tenant.other}/*"],
    }

    tenant.set(scope={"Version": policy.VERSION, "Statement": [allow, deny]})

    assert tenant.may() == {"put", "get", "list"}


def test_a_scope_without_an_allow_leaves_nothing(real):
    tenant = Tenant(real)
    deny = {
        "Effect": "Deny",
        "Action": ["s3:DeleteObject"],
        "Resource": [policy.EVERYTHING],
    }

    tenant.set(scope={"Version": policy.VERSION, "Statement": [deny]})

    assert tenant.may() == set()


def test_keys_of_one_user_have_scopes_of_their_own(real):
    tenant = Tenant(real)
    tenant.set(scope=READ)
    sibling = state.Credentials(key_id(), SECRET)
    real.engine.add_access_key(
        state.AccessKey(sibling.access_key, tenant.key.user), SECRET
    )

    put = {"Bucket": tenant.bucket, "Key": "in/x", "Body": b"1"}
    assert not refusal(real.s3(sibling).put_object, **put)
    assert tenant.may() == {"get", "list"}
