"""kill -9 of each process between an accepted write and ACTIVE: nothing is lost."""

import contextlib
import os
import signal
import uuid

import psutil
import pytest

from exordos_paas_storage.client import http
from tests import box, engines

PARTS = ("api", "reconcile", "postgres", "engine")
DEMO = "/instances/demo"


class Writes:
    """What one test wrote: an object before, and wanted things that nobody applied."""

    def __init__(self, made):
        self.made = made
        self.facts = made.facts()
        self.client = made.client()
        self.name = f"w-{uuid.uuid4().hex[:8]}"
        self.old = box.user_with_key(self.client, "demo", f"old-{self.name}")
        self.put = self._s3(self.old).put_object(
            Bucket="demo-bucket", Key=self.name, Body=b"before"
        )
        self.new = None

    def accept(self):
        """Have a bucket, a user and its key accepted."""
        self.client.create(f"{DEMO}/buckets", {"name": self.name})
        self.client.create(f"{DEMO}/users", {"name": self.name})
        key = self.client.create(self._keys(), {})
        self.new = (key["access_key"], key["secret_key"])
        for path in self.paths():
            assert self.client.get(path)["status"] == "PENDING"

    def paths(self):
        return (
            f"{DEMO}/buckets/{self.name}",
            f"{DEMO}/users/{self.name}",
            f"{self._keys()}/{self.new[0]}",
        )

    def check(self):
        """All of it becomes ACTIVE and works, and the object before is there."""
        client = self.made.client()
        for path in (DEMO, *self.paths()):
            box.wait_until(lambda path=path: active(client, path))
        s3 = self._s3(self.new)
        assert s3.put_object(Bucket=self.name, Key="new", Body=b"after")["VersionId"]
        for key in (self.old, self.new):
            read = self._s3(key).get_object(Bucket="demo-bucket", Key=self.name)
            assert read["Body"].read() == b"before"
            assert read["VersionId"] == self.put["VersionId"]

    def _keys(self):
        return f"{DEMO}/users/{self.name}/access-keys"

    def _s3(self, key):
        return box.s3(self.facts["demo"]["endpoint"], *key)


def active(client, path):
    """Whether an object is ACTIVE; a service that comes back says 503 or nothing."""
    try:
        return client.get(path)["status"] == "ACTIVE"
    except http.ApiUnreachable:
        return False
    except http.ApiRefused as error:
        assert error.code == 503, f"{path}: {error.code} {error}"
        return False


def kill(pid):
    """kill -9, and wait until the kernel is done with it."""
    with contextlib.suppress(psutil.NoSuchProcess):
        victim = psutil.Process(pid)
        os.kill(pid, signal.SIGKILL)
        box.wait_until(lambda: gone(victim))


def gone(process):
    """Whether a process has ended, reaped or not."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.status() == psutil.STATUS_ZOMBIE
    return True


@pytest.fixture(scope="module", params=engines.available())
def killed(request):
    """A service whose parts are killed; it is whole again after each test."""
    with box.made(request.param) as made:
        made.up()
        yield made


@pytest.mark.parametrize("part", PARTS)
def test_an_accepted_write_outlives_the_death_of(killed, part):
    writes = Writes(killed)
    victim = killed.pid(part, writes.facts["demo"]["instance_id"])
    with killed.paused("reconcile"):
        writes.accept()
        kill(victim)

    writes.check()

    assert killed.pid(part, writes.facts["demo"]["instance_id"]) != victim
    assert killed.facts()["ready"] is True


def test_parts_end_with_the_supervisor_and_the_next_up_has_all(killed):
    writes = Writes(killed)
    parts = [psutil.Process(killed.pid(part)) for part in ("api", "reconcile")]
    with killed.paused("reconcile"):
        writes.accept()
        kill(killed.pid("supervisor"))
    box.wait_until(lambda: all(map(gone, parts)))
    assert killed.facts()["running"] is False

    killed.up()

    writes.check()


def test_down_stops_what_a_killed_supervisor_left(killed):
    writes = Writes(killed)
    kill(killed.pid("supervisor"))

    killed.down()

    killed.up()
    box.wait_until(lambda: active(killed.client(), DEMO))
    with killed.paused("reconcile"):
        writes.accept()
    writes.check()


def test_all_is_there_after_everything_was_killed_at_once(killed):
    """As a machine that loses its power, but for what the disk still had to write."""
    writes = Writes(killed)
    with killed.paused("reconcile"):
        writes.accept()
        # The supervisor first, so that it starts nothing again.
        kill(killed.pid("supervisor"))
        for found in killed.living():
            kill(found.pid)
    # A server may have forked once more before it died.
    box.wait_until(lambda: not killed.names())

    killed.up()

    writes.check()


def test_a_write_is_accepted_while_the_engine_is_down(killed):
    """The engine's death is the instance's trouble, and no request's."""
    writes = Writes(killed)
    kill(killed.pid("engine", writes.facts["demo"]["instance_id"]))

    writes.client.create(f"{DEMO}/buckets", {"name": f"late-{writes.name}"})

    box.wait_until(lambda: active(writes.client, f"{DEMO}/buckets/late-{writes.name}"))
