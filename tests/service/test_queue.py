"""The queue: claims, leases, backoff and outcomes, by a clock of the test's own."""

import datetime
import threading
from concurrent import futures

import psycopg
import pytest

from exordos_paas_storage.domain import errors
from exordos_paas_storage.models import base
from exordos_paas_storage.reconcile import outcomes, queue
from tests.service import made

BUCKETS = "s3aas_buckets"
LEASE_S = 100.0
START = datetime.datetime(2031, 1, 1, tzinfo=datetime.timezone.utc)


def later(seconds):
    return START + datetime.timedelta(seconds=seconds)


@pytest.fixture
def bucket(api, db):
    """A bucket whose instance's engine is ready; nothing reconciles it."""
    api.make("/instances", name="queued")
    db.execute("UPDATE s3aas_instances SET engine_ready = true")
    return api.make("/instances/queued/buckets", name="bucket")


@pytest.fixture
def claim(uri, db):
    with psycopg.connect(uri, autocommit=True) as connection:
        yield lambda now, table=BUCKETS, busy=(), in_hand=(): queue.claim(
            connection, table, busy, in_hand, LEASE_S, now=now
        )


def row(db):
    return db.execute("SELECT * FROM s3aas_buckets").fetchone()


def test_a_claim_is_one_processs_until_its_lease_ends(bucket, claim, db):
    first = claim(START)

    assert str(first.uuid) == bucket["id"] and not first.deleting
    assert claim(later(LEASE_S - 1)) is None
    again = claim(later(LEASE_S))
    assert again.uuid == first.uuid


def test_nothing_is_claimed_before_the_engine_is_ready(bucket, claim, db):
    db.execute("UPDATE s3aas_instances SET engine_ready = false")
    assert claim(START) is None
    db.execute("UPDATE s3aas_instances SET engine_ready = true, status = 'DELETING'")
    assert claim(START) is None


def test_nothing_is_claimed_of_a_busy_instance(bucket, claim, db):
    instance = row(db)["instance"]

    assert claim(START, busy=[instance]) is None
    assert claim(START, table="s3aas_instances", busy=[instance]) is None
    assert claim(START) is not None


def test_two_claim_two_rows(bucket, api, claim):
    api.make("/instances/queued/buckets", name="second")

    assert len({claim(START).uuid, claim(START).uuid}) == 2
    assert claim(START) is None


def test_a_claim_is_one_row_whatever_plan_the_database_chooses(bucket, api, claim, db):
    """A subquery run again for each outer row would lock another one each time.

    The database does so where it believes that there is about one row.
    """
    for number in range(4):
        api.make("/instances/queued/buckets", name=f"bucket{number}")
    try:
        for rows, pages in [(0, 1), (1, 1), (1, 30), (40, 1), (1000, 30)]:
            db.execute("UPDATE s3aas_buckets SET lease_until = NULL")
            db.execute(
                "UPDATE pg_class SET reltuples = %s, relpages = %s "
                "WHERE oid = 's3aas_buckets'::regclass",
                (rows, pages),
            )
            assert claim(START)
            leased = db.execute(
                "SELECT count(*) AS n FROM s3aas_buckets WHERE lease_until IS NOT NULL"
            ).fetchone()
            assert leased["n"] == 1, (rows, pages)
    finally:
        db.execute("ANALYZE s3aas_buckets")


def test_failures_wait_longer_and_longer(bucket, claim, db):
    now, waits = 0.0, []
    for _ in range(12):
        claimed = claim(later(now))
        again_s = queue.record(claimed, outcomes.Failed("no"), later(now))
        assert claim(later(now + again_s - 0.1)) is None
        waits.append(again_s)
        now += again_s

    assert waits[:9] == [1, 2, 4, 8, 16, 32, 64, 128, 256]
    assert set(waits[9:]) == {300}
    found = row(db)
    assert (found["status"], found["attempts"]) == ("ERROR", 12)


def test_a_change_begins_the_waiting_anew(bucket, api, claim, db):
    for second in (0, 1, 3):
        queue.record(claim(later(second)), outcomes.Failed("no"), later(second))

    api.change("/instances/queued/buckets/bucket", versioning=True)

    found = row(db)
    assert (found["attempts"], found["status"]) == (0, "PENDING")
    assert claim(later(4)) is not None


def test_success_settles_and_forgets_the_failures(bucket, claim, db):
    queue.record(claim(START), outcomes.Failed("no"), START)

    assert queue.record(claim(later(2)), outcomes.Converged([]), later(2)) is None

    found = row(db)
    assert (found["status"], found["status_message"]) == ("ACTIVE", "")
    assert (found["attempts"], found["lease_until"]) == (0, None)
    assert found["seen_revision"] == found["revision"]
    assert found["observed_generation"] == found["generation"]
    assert claim(later(10**6)) is None


@pytest.mark.parametrize(
    "outcome",
    [outcomes.Converged([]), outcomes.Failed("no"), outcomes.Waiting(5, [], "no")],
)
def test_an_outcome_of_an_older_revision_is_not_recorded(
    bucket, api, claim, db, outcome
):
    claimed = claim(START)
    api.change("/instances/queued/buckets/bucket", versioning=True)
    before = row(db)

    assert queue.record(claimed, outcome, later(1)) == 0.0

    after = row(db)
    for column in ("status", "status_message", "seen_revision", "attempts"):
        assert after[column] == before[column]
    assert claim(later(1)).revision == claimed.revision + 1


def test_a_removal_of_an_older_revision_removes_nothing(bucket, api, claim, db):
    claimed = claim(START)
    api.change("/instances/queued/buckets/bucket", versioning=True)

    queue.record(claimed, outcomes.Removed(), START)

    assert row(db)["name"] == "bucket"


@pytest.mark.parametrize("late", [outcomes.Failed("no"), outcomes.Waiting(5, [], "no")])
def test_a_turn_that_outlived_its_lease_says_nothing_over_a_later_one(
    bucket, claim, db, late
):
    slow = claim(START)
    quick = claim(later(LEASE_S))
    queue.record(quick, outcomes.Converged([]), later(LEASE_S))
    assert row(db)["status"] == "ACTIVE"

    queue.record(slow, late, later(LEASE_S + 1))

    found = row(db)
    assert (found["status"], found["status_message"]) == ("ACTIVE", "")


def test_waiting_shows_what_it_showed(bucket, claim, db):
    queue.record(claim(START), outcomes.Waiting(5.0), START)

    found = row(db)
    assert (found["status"], found["status_message"]) == ("PENDING", "")
    assert claim(later(4.9)) is None and claim(later(5)) is not None


def test_a_message_is_clipped_to_its_column(bucket, claim, db):
    queue.record(claim(START), outcomes.Failed("a\0" + "x" * 5000), START)

    assert len(row(db)["status_message"]) == 1024


def test_a_failed_deletion_stays_a_tombstone(bucket, api, claim, db):
    api.remove("/instances/queued/buckets/bucket")

    queue.record(claim(START), outcomes.Failed("no"), START)

    assert (row(db)["status"], row(db)["status_message"]) == ("DELETING", "no")


def test_starting_alone_takes_back_leases_and_looks_at_every_engine(bucket, claim, db):
    assert claim(START)
    with base.transaction() as session:
        queue.take_back(session, in_hand=())
        queue.look_at_all(session)

    assert row(db)["lease_until"] is None
    instance = db.execute("SELECT * FROM s3aas_instances").fetchone()
    assert instance["engine_ready"] is False
    assert instance["revision"] != instance["seen_revision"]


def test_a_row_in_hand_is_neither_claimed_nor_taken_back(bucket, claim, db):
    mine = claim(START)
    later = START + datetime.timedelta(seconds=2 * LEASE_S)

    assert claim(later, in_hand=[mine.uuid]) is None
    with base.transaction() as session:
        queue.take_back(session, in_hand=[mine.uuid])
    assert row(db)["lease_until"] == mine.lease


def test_a_turn_that_lost_its_lease_has_the_row_looked_at_again(bucket, claim, db):
    slow = claim(START)
    later = START + datetime.timedelta(seconds=2 * LEASE_S)
    queue.record(claim(later), outcomes.Converged([]), later)

    queue.record(slow, outcomes.Converged([]), later)

    assert row(db)["revision"] != row(db)["seen_revision"]
    assert claim(later) is not None


# With running reconcilers.


def dead_lease(db, seconds):
    db.execute(
        "UPDATE s3aas_buckets SET lease_until = now() + make_interval(secs => %s), "
        "revision = revision + 1, status = 'PENDING'",
        (seconds,),
    )


def test_a_dead_processs_lease_runs_out(api, db, reconcile):
    reconcile(alone=False, tick_s=0.2)
    api.make("/instances", name="leased")
    api.make("/instances/leased/buckets", name="bucket")
    api.wait("/instances/leased/buckets/bucket")

    dead_lease(db, 3600)
    assert api.show("/instances/leased/buckets/bucket")["status"] == "PENDING"
    dead_lease(db, 0.5)

    api.wait("/instances/leased/buckets/bucket")


# Nothing looks by itself within a minute here.
@pytest.mark.parametrize("ahead_s", [-60, -45, 60])
def test_nothing_waits_for_a_clock_that_differs_from_the_databases(
    api, reconcile, world, ahead_s
):
    reconcile(clock=made.clock_ahead(ahead_s))
    at = "/instances/skewed"
    api.make("/instances", name="skewed", bucket_name="default")
    api.wait(at)
    api.make(f"{at}/users", name="anna")
    key = (
        f"{at}/users/anna/access-keys/"
        + (api.make(f"{at}/users/anna/access-keys")["access_key"])
    )
    refused = []

    def refuse_once(name):
        if not refused:
            refused.append(name)
            raise errors.EngineUnavailable("create bucket")

    world.only.on["create_bucket"] = refuse_once
    api.make(f"{at}/buckets", name="twice")

    for made_one in (f"{at}/users/anna", key, f"{at}/buckets/twice"):
        api.wait(made_one)
    assert refused == ["twice"]
    api.change(key, enabled=False)
    api.wait(key)
    api.remove(key)
    api.wait_gone(key)


def test_a_clock_ahead_takes_over_no_lease_that_runs(api, db, reconcile):
    reconcile(alone=False, clock=made.clock_ahead(60))
    api.make("/instances", name="leased")
    api.make("/instances/leased/buckets", name="bucket")
    api.wait("/instances/leased/buckets/bucket")

    dead_lease(db, 50)

    # It is due later than the first, which would have been claimed before it.
    api.make("/instances/leased/buckets", name="later")
    api.wait("/instances/leased/buckets/later")
    assert api.show("/instances/leased/buckets/bucket")["status"] == "PENDING"


def test_who_starts_alone_does_not_wait_for_a_lease(api, db, reconcile):
    first = reconcile()
    api.make("/instances", name="leased")
    api.make("/instances/leased/buckets", name="bucket")
    api.wait("/instances/leased/buckets/bucket")
    first.stop()

    dead_lease(db, 3600)
    reconcile()

    api.wait("/instances/leased/buckets/bucket")


def test_two_reconcilers_share_the_work_and_do_nothing_twice(api, db, reconcile, world):
    for _ in range(2):
        reconcile(alone=False, tick_s=0.5)
    api.make("/instances", name="shared")
    api.wait("/instances/shared")
    for number in range(12):
        api.make("/instances/shared/buckets", name=f"bucket{number}")
    for number in range(12):
        api.wait(f"/instances/shared/buckets/bucket{number}")

    made_ones = [call[1] for call in world.only.calls if call[0] == "create_bucket"]
    assert len(made_ones) == len(set(made_ones)) == 12


@pytest.mark.parametrize("most", [1, 3])
def test_an_engine_is_asked_by_so_many_at_once(api, db, reconcile, world, most):
    reconcile(per_instance=most, workers=8)
    api.make("/instances", name="capped")
    api.wait("/instances/capped")
    gate, inside = threading.Event(), threading.Semaphore(0)

    def block(name):
        inside.release()
        assert gate.wait(made.HELD_S)

    world.only.on["create_bucket"] = block
    for number in range(8):
        api.make("/instances/capped/buckets", name=f"bucket{number}")
    for _ in range(most):
        assert inside.acquire(timeout=made.PATIENCE_S)
    assert not inside.acquire(timeout=0.3)
    gate.set()
    for number in range(8):
        api.wait(f"/instances/capped/buckets/bucket{number}")
    assert world.only.most <= most


def test_one_slow_engine_holds_up_no_other(api, db, reconcile, world):
    reconcile(per_instance=2, workers=4)
    gate = threading.Event()
    for name in ("slow", "quick"):
        api.make("/instances", name=name)
        api.wait(f"/instances/{name}")
    slow = api.show("/instances/slow")["endpoint"]
    world.engines[slow].on["create_bucket"] = lambda name: (
        gate.wait(made.HELD_S) and None
    )
    for number in range(6):
        api.make("/instances/slow/buckets", name=f"bucket{number}")
    api.make("/instances/quick/buckets", name="bucket")

    api.wait("/instances/quick/buckets/bucket")

    assert world.engines[slow].most <= 2
    gate.set()


def test_a_database_restart_in_between_costs_nothing(api, server, reconcile, world):
    reconcile(tick_s=1.0)
    api.make("/instances", name="restart")
    api.wait("/instances/restart")
    world.only.on["create_bucket"] = blocked = _Blocked()
    api.make("/instances/restart/buckets", name="before")
    assert blocked.entered.wait(made.PATIENCE_S)

    server.stop()
    blocked.go.set()
    with futures.ThreadPoolExecutor() as pool:
        meanwhile = pool.submit(api.get, "/instances/restart")
        server.start()
        assert meanwhile.result(made.HELD_S).status_code in (200, 503)

    api.make("/instances/restart/buckets", name="after")
    for name in ("before", "after"):
        api.wait(f"/instances/restart/buckets/{name}")
    api.wait("/instances/restart")


def test_a_row_that_a_request_had_locked_is_claimed_once_it_lets_go(
    api, db, uri, reconcile, monkeypatch
):
    """A request that is refused ends without a word."""
    looked, any_due = [], queue.any_due
    monkeypatch.setattr(
        queue, "any_due", lambda *a, **k: looked.append(any_due(*a, **k)) or looked[-1]
    )
    reconciler = reconcile(tick_s=60.0)
    api.make("/instances", name="locked", bucket_name="held")
    api.wait("/instances/locked")
    api.wait("/instances/locked/buckets/held")
    unseen = "SELECT 1 FROM s3aas_instances WHERE revision <> seen_revision"
    made.until(lambda: not db.execute(unseen).fetchone() and not reconciler._in_hand)
    # What it will look at again by itself, but for the audit in a minute.
    made.until(lambda: not reconciler._due)
    with psycopg.connect(uri) as request:
        request.execute("SELECT 1 FROM s3aas_buckets FOR KEY SHARE")
        db.execute(
            "UPDATE s3aas_buckets SET revision = revision + 1, status = 'PENDING',"
            " next_try_at = now() - interval '1 day'"
        )
        looked.clear()
        made.until(lambda: True in looked)
        assert api.show("/instances/locked/buckets/held")["status"] == "PENDING"
        request.rollback()

        api.wait("/instances/locked/buckets/held")


def test_a_lost_connection_hands_no_row_in_work_to_another_turn(
    api, db, reconcile, world
):
    reconcile(tick_s=0.2)
    api.make("/instances", name="lost")
    api.wait("/instances/lost")
    world.only.on["create_bucket"] = blocked = _Blocked()
    api.make("/instances/lost/buckets", name="once")
    assert blocked.entered.wait(made.PATIENCE_S)
    before = len(world.only.calls)

    db.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE pid <> pg_backend_pid() AND datname = current_database()"
    )
    api.make("/instances/lost/users", name="anna")
    api.wait("/instances/lost/users/anna")

    asked = [c for c in world.only.calls[before:] if c[1] == "once"]
    assert asked == []
    blocked.go.set()
    api.wait("/instances/lost/buckets/once")


class _Blocked:
    def __init__(self):
        self.entered, self.go = threading.Event(), threading.Event()

    def __call__(self, name):
        self.entered.set()
        assert self.go.wait(made.HELD_S)


def test_a_turn_that_fails_late_does_not_undo_a_success(api, db, reconcile, world):
    """A lease that ran out hands the row to another; the first may still end badly."""
    entered, go, late = threading.Event(), threading.Event(), []
    both = [reconcile(alone=False, lease_s=0.5, tick_s=0.2) for _ in range(2)]
    api.make("/instances", name="late")
    api.wait("/instances/late")

    def first_time_slow(name):
        if not entered.is_set():
            entered.set()
            assert go.wait(made.HELD_S)
            late.append(name)
            raise errors.EngineRefused("create bucket", 500, "Late")

    world.only.on["create_bucket"] = first_time_slow
    api.make("/instances/late/buckets", name="bucket")
    assert entered.wait(made.PATIENCE_S)
    api.wait("/instances/late/buckets/bucket")
    assert late == []
    go.set()
    made.until(lambda: late)
    made.until(lambda: not any(one._in_hand for one in both))

    assert late == ["bucket"]
    assert api.show("/instances/late/buckets/bucket")["status"] == "ACTIVE"


def test_what_is_taken_away_does_not_wait_for_what_is_made(api, reconcile, world):
    """Two workers, and a backlog of buckets that are made one after another."""
    reconcile(workers=2, per_instance=2)
    api.make("/instances", name="busy")
    api.wait("/instances/busy")
    at = "/instances/busy"
    api.make(f"{at}/users", name="anna")
    key = api.make(f"{at}/users/anna/access-keys")["access_key"]
    api.wait(f"{at}/users/anna/access-keys/{key}")
    gate = threading.Semaphore(0)
    world.only.on["create_bucket"] = lambda name: (
        gate.acquire(timeout=made.HELD_S) and None
    )
    for number in range(40):
        api.make(f"{at}/buckets", name=f"bucket-{number:02}")
    made.until(lambda: world.only.running >= 2)
    api.change(f"{at}/users/anna/access-keys/{key}", enabled=False)

    gate.release(2)  # the two that were begun before

    made.until(lambda: world.only.access_key(key) is None)
    assert sum(call[0] == "create_bucket" for call in world.only.calls) <= 4
    gate.release(40)
