"""What an engine was told about rights holds after it was started again."""

import dataclasses
import datetime

import pytest

from exordos_paas_storage.domain import plan, policy, state
from exordos_paas_storage.engine.connect import connect
from tests import engines
from tests.contract.made import (
    SECRET,
    Real,
    guard,
    key_id,
    made_bucket,
    made_user,
    refusal,
)

OWNER = policy.from_template("bucket-owner")
READ = policy.from_template("read-only")


class Before:
    """What was made on an engine before its restart."""

    def __init__(self, engine):
        able = engine.capabilities
        self.bucket = made_bucket(engine)
        end = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
        self.end = end + datetime.timedelta(hours=1)
        # MinIO takes a `NotAction` and can't load it again; the guard is made of one.
        self.owner = self.key(engine, guard(engine))
        self.reader = self.key(
            engine,
            policy.guard(able.read_actions, able.unsafe_keys, able.version_named),
        )
        self.suspended = self.key(engine, policy.SUSPENDED)
        self.scoped = self.key(engine, guard(engine), scope=READ, expires_at=self.end)
        self.disabled = self.key(engine, guard(engine))
        engine.set_user_enabled(self.disabled.user, False)
        self.born_disabled = dataclasses.replace(self.disabled, access_key=key_id())
        engine.add_access_key(self.born_disabled, SECRET)

    def key(self, engine, guarding, **settings):
        user = made_user(engine, guarding, OWNER)
        key = state.AccessKey(key_id(), user, **settings)
        engine.add_access_key(key, SECRET)
        return key

    @property
    def keys(self):
        return [value for value in vars(self).values() if hasattr(value, "scope")]

    def may(self, real, key):
        """Whether a key may put, get, and create a bucket."""
        client = real.s3(state.Credentials(key.access_key, SECRET))
        calls = (
            (client.put_object, {"Bucket": self.bucket, "Key": "x"}),
            (client.get_object, {"Bucket": self.bucket, "Key": "x"}),
            (client.create_bucket, {"Bucket": f"{self.bucket}-own"}),
        )
        return tuple(not refusal(call, **named) for call, named in calls)


@pytest.mark.parametrize("name", engines.available())
def test_guards_scopes_and_disabled_users_outlive_a_restart(name, tmp_path):
    keep = {
        "MINIO_KMS_SECRET_KEY": f"tests:{engines.key()}",
        "RUSTFS_SSE_S3_MASTER_KEY": engines.key(),
        "RUSTFS_IAM_MASTER_KEY": engines.key(),
    }
    root = state.Credentials("rootuser", "k" * 40)
    with engines.running(name, tmp_path, keep, root) as (url, _):
        before = Before(connect(name, "", url, root))

    with engines.running(name, tmp_path, keep, root) as (url, _):
        real = Real(connect(name, "", url, root), url, root)

        assert before.may(real, before.owner) == (True, True, False)
        assert before.may(real, before.reader) == (False, True, False)
        assert before.may(real, before.suspended) == (False, False, False)
        assert before.may(real, before.scoped) == (False, True, False)
        assert before.may(real, before.disabled) == (False, False, False)
        assert before.may(real, before.born_disabled) == (False, False, False)
        for key in before.keys:
            seen = real.engine.access_key(key.access_key)
            assert plan.access_key(key, seen, ours=True) == []
        assert len(real.engine.user(before.owner.user).policies) == 2
        assert not real.engine.user(before.disabled.user).enabled
        assert real.engine.access_keys() == {key.access_key for key in before.keys}

        real.engine.set_user_enabled(before.disabled.user, True)
        assert before.may(real, before.disabled) == (True, True, False)
        assert before.may(real, before.born_disabled) == (True, True, False)
