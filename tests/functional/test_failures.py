"""What breaks on a platform: engines, machines, MetaPaaS, and its shared loop."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from exordos_paas_storage.domain import status
from exordos_paas_storage.nodes import image
from tests import box
from tests.functional import conftest, engines, environment
from tests.service import made
from tests.tenants import DONE

pytestmark = [pytest.mark.stand, pytest.mark.timeout(900)]

NOTICED_S = 60.0
BACK_S = 120.0
# Longer than all of an instance goes without being looked at.
WATCHED_S = 75.0
GSERVICE, CORE_API = "exordos-metapaas-gservice", "ec-user-api"
BURST = 30


@pytest.fixture(scope="module")
def node(example):
    """Address of the shared instance's node, by which the stand knows its machine."""
    return example.shown["nodes"][0]["ip"]


def condition_is(api, at, kind, wanted):
    said = made.condition(api.show(at), kind)
    return said and said["status"] == wanted


def engine_is(api, at, wanted):
    return condition_is(api, at, status.ENGINE_READY, wanted)


def test_a_silent_engine_is_shown_and_comes_back(api, breaker, example, node, place):
    key = place.key(place.user())
    breaker("machine", "pause", node)
    try:
        made.until(lambda: engine_is(api, example.at, status.FALSE), NOTICED_S)
        shown = api.show(example.at)
        assert shown["status"] == "ERROR" and shown["status_message"]
        # Its objects keep their status: nothing is known to be wrong with them.
        for bucket in api.show(f"{example.at}/buckets"):
            assert bucket["status"] == "ACTIVE"
    finally:
        breaker("machine", "resume", node)

    api.wait(example.at, deadline_s=BACK_S)
    assert engine_is(api, example.at, status.TRUE)
    assert key.gets() == DONE


def test_a_killed_engine_comes_back_with_its_data(api, breaker, example, node, place):
    key = place.key(place.user())
    key.s3.put_object(Bucket=place.bucket, Key="before", Body=b"before")

    breaker("machine", "kill", node)

    box.wait_until(lambda: key.gets("before") == DONE, BACK_S)
    api.wait(example.at, deadline_s=BACK_S)
    assert key.puts("after") == DONE


@pytest.mark.parametrize("by", ["restart", "kill"])
def test_metapaas_broken_off_in_the_middle_loses_nothing(api, breaker, place, by):
    """Leases run out, and what was half done is looked at again."""
    words = (
        ("restart", GSERVICE) if by == "restart" else ("kill", "-s", "KILL", GSERVICE)
    )
    before, names = breaker.processes()[GSERVICE], []
    with ThreadPoolExecutor(1) as pool:
        breaking = pool.submit(breaker, "service", *words)
        while not breaking.done() or len(names) < BURST:
            names.append(made.unique("burst"))
            api.make(f"{place.at}/buckets", name=names[-1])
        breaking.result()

    made.until(
        lambda: breaker.processes()[GSERVICE] not in (None, before),
        BACK_S,
        f"{GSERVICE} is another process",
    )
    for name in names:
        api.wait(f"{place.at}/buckets/{name}", deadline_s=BACK_S)
    assert set(names) <= on_engine(place.key(place.user()))


def test_a_hung_shared_loop_delays_no_bucket(api, given, place):
    """A table that only the platform's own loop works with is locked meanwhile."""
    url = given.needs(environment.DATABASE, given.database)
    key = place.key(place.user())
    with psycopg.connect(url) as holder, psycopg.connect(url, autocommit=True) as seen:
        holder.execute("LOCK TABLE ua_target_resources IN ACCESS EXCLUSIVE MODE")
        made.until(lambda: waiting(seen), NOTICED_S, "the loop is held")
        for _ in range(3):
            name = made.unique("past")
            api.make(f"{place.at}/buckets", name=name)
            api.wait(f"{place.at}/buckets/{name}", deadline_s=5)
            assert key.s3.put_object(Bucket=name, Key="x", Body=b"x")
        assert waiting(seen), "the loop was not held"
        holder.rollback()


def waiting(connection):
    """How many wait for the locked table."""
    (found,) = connection.execute(
        "SELECT count(*) FROM pg_locks WHERE NOT granted"
        " AND relation = 'ua_target_resources'::regclass"
    ).fetchone()
    return found


def test_a_silent_core_delays_no_bucket_that_was_asked_for(api, breaker, place):
    """Core is asked about machines, and by MetaPaaS for each token; never for work."""
    names = {made.unique("alone") for _ in range(BURST)}
    key = place.key(place.user())
    for name in names:
        api.make(f"{place.at}/buckets", name=name)
    breaker("service", "kill", "-s", "STOP", CORE_API)
    try:
        box.wait_until(lambda: names <= on_engine(key), NOTICED_S)
    finally:
        breaker("service", "kill", "-s", "CONT", CORE_API)
    for name in names:
        api.wait(f"{place.at}/buckets/{name}", deadline_s=BACK_S)


def on_engine(key):
    """Names of the buckets that the engine has."""
    return {one["Name"] for one in key.s3.list_buckets()["Buckets"]}


def test_a_lost_machine_is_shown(api, breaker, client, live, new_instance):
    """Its host died: the instance says so, and its deletion still ends.

    Core 0.3.5 makes the machine again, on blank disks and with the same address, and
    shows the node as ACTIVE all the while; so all that is known may be `Unknown`.
    """
    found = new_instance(bucket_name="lost")
    at, node = f"/instances/{found['name']}", found["nodes"][0]["id"]
    key = box.s3(found["endpoint"], *box.user_with_key(client, found["name"], "anna"))
    key.put_object(Bucket="lost", Key="x", Body=b"x")

    breaker("machine", "lose", found["nodes"][0]["ip"])

    made.until(lambda: engine_is(api, at, status.FALSE), NOTICED_S)
    address = found["nodes"][0]["ip"]
    made.until(lambda: address in addresses(breaker), BACK_S, "Core made it again")
    stays_in_error(api, at, WATCHED_S)
    nodes = made.condition(api.show(at), "NodesReady")
    assert nodes and nodes["status"] in (status.FALSE, status.UNKNOWN), nodes
    api.remove(at)
    api.wait_gone(at, conftest.INSTANCE_S)
    made.until(lambda: live.node_set(node) is None, NOTICED_S)


def test_an_engine_whose_disk_was_emptied_is_an_error(
    api, breaker, client, new_instance
):
    """It answers at its old address, and has nothing of what it had."""
    found = new_instance(bucket_name="emptied")
    at, node = f"/instances/{found['name']}", found["nodes"][0]["ip"]
    key = box.s3(found["endpoint"], *box.user_with_key(client, found["name"], "anna"))
    key.put_object(Bucket="emptied", Key="x", Body=b"x")
    breaker("machine", "stop-engine", node)
    made.until(lambda: engine_is(api, at, status.FALSE), NOTICED_S)
    emptying = ("find", str(image.DATA_DIR), "-mindepth", "1", "-delete")
    breaker("machine", "exec", node, "--", *emptying)

    breaker("machine", "start-engine", node)

    made.until(lambda: engines.answers(key), BACK_S, "the engine is back")
    stays_in_error(api, at, WATCHED_S)
    assert api.show(at)["status_message"]
    api.remove(at)
    api.wait_gone(at, conftest.INSTANCE_S)


def addresses(breaker):
    """Of the machines that there are."""
    listed = breaker("machine", "list").splitlines()
    return {json.loads(line)["address"] for line in listed}


def stays_in_error(api, at, for_s):
    """Check that the instance shows nothing better for so long."""
    ends = time.monotonic() + for_s
    while time.monotonic() < ends:
        shown = api.show(at)
        assert shown["status"] == "ERROR", shown
        time.sleep(0.2)
