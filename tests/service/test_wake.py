"""Rows that are due at a time of their own, though nobody changes them."""

import datetime

import psycopg
import pytest

from exordos_paas_storage.reconcile import order, outcomes, queue
from tests.service import made

BUCKETS = "s3aas_buckets"
START = datetime.datetime(2031, 1, 1, tzinfo=datetime.timezone.utc)


def later(seconds):
    return START + datetime.timedelta(seconds=seconds)


@pytest.fixture
def bucket(api, db):
    api.make("/instances", name="queued")
    db.execute("UPDATE s3aas_instances SET engine_ready = true")
    return api.make("/instances/queued/buckets", name="bucket")


@pytest.fixture
def connection(uri):
    with psycopg.connect(uri, autocommit=True) as found:
        yield found


@pytest.fixture
def claim(connection):
    def claim_at(now):
        order.passes(connection, now, ())
        return queue.claim(connection, BUCKETS, (), (), 100.0, now=now)

    return claim_at


def test_a_settled_row_is_due_again_at_its_time(bucket, claim, connection):
    queue.record(claim(START), outcomes.Converged([], later(10)), START)

    assert order.next_wake(connection) == later(10)
    assert claim(later(9.9)) is None
    again = claim(later(10))
    assert again is not None
    queue.record(again, outcomes.Converged([]), later(10))
    assert claim(later(20)) is None
    assert order.next_wake(connection) is None


def test_a_row_that_is_woken_shows_no_change(bucket, claim, api):
    queue.record(claim(START), outcomes.Converged([], later(10)), START)
    before = api.show("/instances/queued/buckets/bucket")

    assert claim(later(10)) is not None

    assert api.show("/instances/queued/buckets/bucket") == before


def test_what_has_changed_is_claimed_before_what_is_to_be_made(
    bucket, claim, api, connection
):
    api.make("/instances/queued/users", name="anna")
    made_alone = [(queue.INSTANCES, False), *((t, False) for t in queue.CHILDREN)]
    assert order.passes(connection, START, ()) == made_alone

    api.change("/instances/queued/users/anna", enabled=False)

    assert order.passes(connection, START, ()) == [
        (queue.INSTANCES, False),
        ("s3aas_users", True),
        *made_alone[1:],
    ]
    assert order.passes(connection, START, queue.TABLES) == [
        (queue.INSTANCES, True),
        ("s3aas_users", True),
    ]


def test_a_key_ends_by_the_reconcilers_clock_and_not_by_the_databases(
    api, reconcile, world
):
    reconcile(clock=made.clock_ahead(60))
    at = "/instances/skewed"
    api.make("/instances", name="skewed")
    api.wait(at)
    api.make(f"{at}/users", name="anna")
    ends = made.clock_ahead(30)().isoformat()
    key = api.make(f"{at}/users/anna/access-keys", expires_at=ends)["access_key"]

    shown = api.wait(f"{at}/users/anna/access-keys/{key}")

    assert made.condition(shown, "OnEngine")["reason"] == "Expired"
    assert world.only.access_key(key) is None


def test_a_reconciler_sleeps_no_longer_than_to_the_next_time(
    api, db, running, active, world
):
    """`running` looks by itself once a minute, and nothing notifies it here."""
    api.make(f"{active}/users", name="anna")
    soon = (datetime.datetime.now(datetime.timezone.utc)).replace(microsecond=0)
    ends = soon + datetime.timedelta(seconds=5)
    key = api.make(f"{active}/users/anna/access-keys", expires_at=ends.isoformat())
    path = f"{active}/users/anna/access-keys/{key['access_key']}"
    api.wait(path)

    shown = made.until(
        lambda: (
            made.condition(one := api.show(path), "OnEngine")["status"] == "False"
            and one
        )
    )

    assert ends <= datetime.datetime.now(datetime.timezone.utc)
    assert made.condition(shown, "OnEngine")["reason"] == "Expired"
    assert world.only.access_key(key["access_key"]) is None
