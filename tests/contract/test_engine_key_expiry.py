"""The port's promises about when the engine itself ends an access key."""

import dataclasses
import datetime

import pytest

from exordos_paas_storage.domain import capabilities, errors, plan, policy, state
from exordos_paas_storage.engine.memory import MemoryEngine
from tests import engines
from tests.contract import bulk
from tests.contract.made import (
    SECRET,
    ahead,
    holds,
    key_id,
    made_bucket,
    made_scoped,
    made_user,
    refusal,
    until,
)

READ = policy.from_template("read-only")


@pytest.mark.parametrize("before", [None, 1, 2, 3])
@pytest.mark.parametrize("after", [None, 1, 2, 3])
def test_an_expiry_is_set_moved_and_cleared(engine, before, after):
    moments = {None: None, 1: ahead(hours=1), 2: ahead(hours=2), 3: ahead(days=364)}
    key = made_scoped(engine, expires_at=moments[before])
    wanted = dataclasses.replace(key, expires_at=moments[after])

    engine.add_access_key(wanted, SECRET)

    assert holds(engine, wanted)
    assert engine.access_key(key.access_key).expires_at == moments[after]


@pytest.mark.parametrize("reach", ["least", "most"])
def test_what_the_table_says_an_engine_takes_it_takes(engine, reach):
    able = engine.capabilities
    seconds = {"least": able.least_expiry_s + 2, "most": able.most_expiry_s - 2}
    end = plan.engine_expiry(ahead(seconds=seconds[reach]), None, ahead(), able)

    assert end is not None
    assert holds(engine, made_scoped(engine, expires_at=end))


@pytest.mark.parametrize(
    ("name", "span"),
    [
        ("rustfs", {"seconds": -60}),
        ("minio", {"seconds": -60}),
        ("minio", {"minutes": 14}),
        ("minio", {"days": 366}),
    ],
    ids=str,
)
@pytest.mark.parametrize("where", ["memory", "real"])
def test_an_expiry_out_of_reach_is_refused_and_changes_nothing(
    started, name, span, where
):
    if where == "memory":
        engine = MemoryEngine(capabilities.of(name, ""))
    elif name in engines.available():
        engine = started(name).engine
    else:
        pytest.skip("no RustFS on this machine")
    key = made_scoped(engine, expires_at=ahead(hours=1))
    wanted = dataclasses.replace(key, expires_at=ahead(**span))

    with pytest.raises(errors.EngineRefused):
        engine.add_access_key(wanted, SECRET)

    assert holds(engine, key)
    fresh = dataclasses.replace(wanted, access_key=key_id())
    with pytest.raises(errors.EngineRefused):
        engine.add_access_key(fresh, SECRET)
    assert engine.access_key(fresh.access_key) is None


def test_a_near_expiry_that_stays_is_no_reason_to_refuse_an_update(started):
    """MinIO refuses to be told one of less than 15 minutes, also the account's own."""
    engine = started(capabilities.MINIO).engine
    key = made_scoped(engine, expires_at=ahead(minutes=15, seconds=8))
    until(lambda: ahead(minutes=15) > key.expires_at)
    wanted = dataclasses.replace(key, description="changed", scope=READ)

    engine.add_access_key(wanted, SECRET)

    assert holds(engine, wanted)


def test_a_description_is_not_cleared_at_the_price_of_the_key(started):
    """Only a new account has none on MinIO, and no new one ends so soon."""
    engine = started(capabilities.MINIO).engine
    end = ahead(seconds=engine.capabilities.least_expiry_s)
    key = made_scoped(engine, description="old", expires_at=end)
    until(lambda: ahead(seconds=engine.capabilities.least_expiry_s) > end)

    with pytest.raises(errors.EngineRefused):
        engine.add_access_key(dataclasses.replace(key, description=""), SECRET)

    assert holds(engine, key)


@pytest.fixture
def rustfs(started):
    if capabilities.RUSTFS not in engines.available():
        pytest.skip("no RustFS on this machine")
    return started(capabilities.RUSTFS)


def test_the_engines_own_expiry_stops_a_key(rustfs):
    user, bucket = made_user(rustfs.engine, READ), made_bucket(rustfs.engine)
    end = ahead(seconds=8)
    key = state.AccessKey(key_id(), user, expires_at=end)
    rustfs.engine.add_access_key(key, SECRET)
    listing = rustfs.s3(state.Credentials(key.access_key, SECRET)).list_objects_v2
    assert not refusal(listing, Bucket=bucket)

    until(lambda: refusal(listing, Bucket=bucket))

    late = datetime.datetime.now(datetime.timezone.utc) - end
    assert datetime.timedelta(0) <= late < datetime.timedelta(seconds=10)


@pytest.mark.parametrize("span", [None, {"hours": 1}], ids=["never", "later"])
def test_a_key_that_its_engine_has_let_run_out_is_made_again(rustfs, span):
    user, bucket = made_user(rustfs.engine, READ), made_bucket(rustfs.engine)
    key = state.AccessKey(key_id(), user, scope=READ, expires_at=ahead(seconds=6))
    rustfs.engine.add_access_key(key, SECRET)
    listing = rustfs.s3(state.Credentials(key.access_key, SECRET)).list_objects_v2
    until(lambda: refusal(listing, Bucket=bucket))
    wanted = dataclasses.replace(key, expires_at=span and ahead(**span))

    rustfs.engine.add_access_key(wanted, SECRET)

    assert holds(rustfs.engine, wanted)
    assert not refusal(listing, Bucket=bucket)


@pytest.mark.parametrize("then", ["made again", "dropped"])
def test_a_key_that_ran_out_a_minute_ago_is_still_known(rustfs, then):
    """From then on RustFS answers 500 when it is asked about the key."""
    engine, access_key = rustfs.engine, key_id()
    user, bucket = made_user(engine, READ), made_bucket(engine)
    # It is imported as one that ran out just under a minute ago: so long the engine
    # lets its own token live on.
    account = bulk.service_account(user, access_key, ahead(seconds=-57))
    bulk.import_iam(rustfs, {"svcaccts.json": {access_key: account}})
    until(lambda: _asked(rustfs, access_key) == 500)

    seen = engine.access_key(access_key)

    assert (seen.user, seen.enabled) == (user, False)
    assert seen.expires_at < ahead(seconds=-59)
    assert access_key in engine.access_keys()
    if then == "dropped":
        engine.drop_access_key(access_key)
        assert engine.access_key(access_key) is None
        assert engine.refuses_key(access_key)
        return
    wanted = state.AccessKey(access_key, user, scope=READ)
    engine.add_access_key(wanted, SECRET)
    assert holds(engine, wanted)
    keys = state.Credentials(access_key, SECRET)
    assert not refusal(rustfs.s3(keys).list_objects_v2, Bucket=bucket)


def _asked(real, access_key):
    path = real.admin_path("info-service-account") + f"?accessKey={access_key}"
    return real.signed("GET", path, real.root).status_code
