"""Instances that wait for a dead machine leave workers to the others."""

import threading
import uuid

import psycopg
import pytest

from exordos_paas_storage.domain import errors
from exordos_paas_storage.models import base
from exordos_paas_storage.reconcile import order, outcomes, queue
from tests.service import fakes, made


class Host(fakes.Nodes):
    """Its dead machines answer a look no sooner than the test says."""

    def __init__(self):
        super().__init__()
        self.dead, self.waiting, self.most = set(), 0, 0
        self.go = threading.Event()
        self._counting = threading.Lock()

    def ensure(self, spec):
        if spec.instance_id in self.dead and not self.go.is_set():
            self._count(1)
            assert self.go.wait(made.HELD_S)
            self._count(-1)
        return super().ensure(spec)

    def _count(self, more):
        with self._counting:
            self.waiting += more
            self.most = max(self.most, self.waiting)


@pytest.fixture
def host():
    found = Host()
    yield found
    found.go.set()


@pytest.fixture
def settled(api, reconcile, db):
    """Starts a reconciler, with an instance that is settled; its path."""

    def start(**settings):
        reconcile(**settings)
        api.make("/instances", name="well")
        api.wait("/instances/well")
        unseen = "SELECT 1 FROM s3aas_instances WHERE revision <> seen_revision"
        made.until(lambda: not db.execute(unseen).fetchone())
        return "/instances/well"

    return start


@pytest.mark.parametrize("workers", [2, 3, 16])
def test_dead_machines_leave_half_of_the_workers_to_the_others(
    api, settled, host, world, workers
):
    well = settled(nodes=host, workers=workers)
    dead = [api.make("/instances", name=f"dead{n}")["id"] for n in range(workers + 1)]
    for number in range(len(dead)):
        api.wait(f"/instances/dead{number}")
    user = f"{well}/users/anna"
    api.make(f"{well}/users", name="anna")
    key = api.make(f"{user}/access-keys")["access_key"]
    api.wait(f"{user}/access-keys/{key}")

    host.dead = {uuid.UUID(one) for one in dead}
    for one in host.dead:
        queue.look_again(one)
    made.until(lambda: host.waiting == workers // 2)
    api.remove(f"{user}/access-keys/{key}")
    api.make(f"{well}/buckets", name="made")

    api.wait_gone(f"{user}/access-keys/{key}")
    api.wait(f"{well}/buckets/made")
    # No change of an instance waits for them either.
    assert api.post(f"{well}/actions/suspend/invoke").status_code == 200
    api.wait(well)
    api.remove(well)
    api.wait_gone(well)
    assert host.most == workers // 2
    host.go.set()
    for number in range(len(dead)):
        api.wait(f"/instances/dead{number}")


def test_one_worker_comes_to_every_instance(api, settled):
    well = settled(workers=1)

    api.make(f"{well}/buckets", name="made")
    api.make("/instances", name="second", bucket_name="data")

    for path in (f"{well}/buckets/made", "/instances/second"):
        api.wait(path)


def test_a_dead_machine_whose_instance_is_changed_is_not_left_out(api, settled, host):
    settled(nodes=host, workers=2)
    for name in ("dead", "changed"):
        api.make("/instances", name=name)
        api.wait(f"/instances/{name}")
    host.dead = {uuid.UUID(api.show("/instances/dead")["id"])}
    queue.look_again(*host.dead)
    made.until(lambda: host.waiting == 1)

    api.change("/instances/changed", read_only=True)

    api.wait("/instances/changed")


def test_what_has_no_room_is_not_said_to_be_due(api, db, uri):
    """Else the dispatcher would ask again at once, for as long as there is none."""
    api.make("/instances", name="looked-at")
    with psycopg.connect(uri, autocommit=True) as connection:

        def found(*urgent_alone):
            due = queue.any_due(connection, (), (), urgent_alone)
            urgent = queue.INSTANCES in urgent_alone
            taken = queue.claim(connection, queue.INSTANCES, (), (), 0.0, urgent)
            assert due == (taken is not None)
            return due

        assert found()
        assert not found(queue.INSTANCES)
        assert not found(*queue.TABLES)
        api.change("/instances/looked-at", read_only=True)
        assert found(queue.INSTANCES)


@pytest.mark.parametrize("look", ["one", "all", "audit"])
def test_a_look_is_not_urgent_and_keeps_urgent_what_was_changed(api, db, uri, look):
    def claimed():
        with psycopg.connect(uri, autocommit=True) as connection:
            if look == "one":
                queue.look_again(made_one)
            elif look == "all":
                with base.transaction() as session:
                    queue.look_at_all(session)
            else:
                db.execute("UPDATE s3aas_instances SET wake_at = now()")
                now = made.clock_ahead(1)()
                order.passes(connection, now, ())
            return queue.claim(connection, queue.INSTANCES, (), (), 0.0, urgent=True)

    made_one = uuid.UUID(api.make("/instances", name="seen")["id"])
    db.execute(
        "UPDATE s3aas_instances SET seen_revision = revision, "
        "next_try_at = now() - interval '2 days'"
    )
    assert claimed() is None

    assert api.post("/instances/seen/actions/suspend/invoke").status_code == 200
    assert claimed().uuid == made_one


def test_a_bucket_that_waits_sends_no_instance_to_its_turn(api, db, settled, world):
    well = settled()
    asked = []

    def unavailable(name):
        asked.append(name)
        raise errors.EngineUnavailable("bucket: no answer")

    world.only.on["bucket"] = unavailable
    ahead = "next_try_at > now() + interval '1 hour'"
    db.execute(
        "UPDATE s3aas_instances SET revision = revision + 1, "
        "next_try_at = now() + interval '2 hours'"
    )
    api.make(f"{well}/buckets", name="waits")

    made.until(lambda: len(asked) > 2)

    assert db.execute(f"SELECT 1 FROM s3aas_instances WHERE {ahead}").fetchone()
    del world.only.on["bucket"]
    api.wait(f"{well}/buckets/waits")
    made.until(
        lambda: (
            not db.execute(f"SELECT 1 FROM s3aas_instances WHERE {ahead}").fetchone()
        )
    )


def test_what_is_not_mended_stays_an_error(api, db, uri):
    api.make("/instances", name="queued")
    for before, mended, shown in (
        ("ERROR", False, "ERROR"),
        ("ERROR", True, "PENDING"),
        ("CREATING", True, "CREATING"),
        ("ACTIVE", True, "ACTIVE"),
    ):
        db.execute("UPDATE s3aas_instances SET status = %s", (before,))
        with psycopg.connect(uri, autocommit=True) as connection:
            claimed = queue.claim(connection, queue.INSTANCES, (), (), 10.0)
        queue.record(claimed, outcomes.Waiting(0.0, mended=mended))
        assert api.show("/instances/queued")["status"] == shown
