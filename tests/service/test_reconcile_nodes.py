"""Turns of instances whose host gives the address, binds sizes, and takes its time."""

import dataclasses
import threading
import uuid

import pytest

from exordos_paas_storage.nodes import port
from exordos_paas_storage.reconcile import placing
from tests.service import fakes, made

ADDRESS = port.Endpoint("10.20.0.21", 9000)
NEW_URL = "http://10.20.0.22:9000"
OTHER = port.Endpoint("10.20.0.22", 9000)


class Platform(fakes.Nodes):
    """A host that gives addresses itself, when the test says which."""

    places = False

    def __init__(self):
        super().__init__()
        self.at = ADDRESS
        self.own = {}
        self.seen = fakes.ready(None)
        self.served, self.settled = [], []

    def ensure(self, spec):
        super().ensure(spec)
        self.served.append(spec.served)
        self.settled.append(spec.settled)
        at = self.own.get(spec.instance_id, self.at)
        return dataclasses.replace(self.seen, endpoint=at)

    def status(self, spec):
        return self.seen


@pytest.fixture
def platform(reconcile):
    found = Platform()
    reconcile(nodes=found, sizes_enforced=True)
    return found


@pytest.fixture
def hosted(api, platform):
    """The path of an ACTIVE instance on the platform."""
    api.make("/instances", name="hosted", bucket_name="data", disk_size=20)
    api.wait("/instances/hosted")
    return "/instances/hosted"


def pending(**more):
    return port.NodeStatus(
        False, False, port.NODE_PENDING, "Core has it as NEW", again_s=0.05, **more
    )


def test_the_hosts_address_is_the_instances(api, hosted, world, platform):
    shown = api.show(hosted)

    assert shown["endpoint"] == "http://10.20.0.21:9000"
    (node,) = shown["nodes"]
    assert (node["ip"], node["port"], node["state"]) == ("10.20.0.21", 9000, port.READY)
    assert list(world.engines) == ["http://10.20.0.21:9000"]
    for kind, reason in (("NodesReady", port.READY), ("SizesEnforced", "OwnMachine")):
        condition = made.condition(shown, kind)
        assert (condition["status"], condition["reason"]) == ("True", reason)
    (spec,) = platform.specs.values()
    assert spec.sizes == port.Sizes(1, 1024, 20)
    assert not any(platform.served)
    api.change(hosted, read_only=True)
    api.wait(hosted)
    assert platform.served[-1] and not platform.settled[-1]
    platform.seen = fakes.ready(1)  # another process: the watch sends for a turn
    made.until(lambda: platform.settled[-1])


def test_a_node_that_comes_is_waited_for_and_told_of(api, reconcile, world):
    platform = Platform()
    platform.at, platform.seen = None, pending(at_work=True)
    reconcile(nodes=platform, sizes_enforced=True, silence_s=0.0)
    api.make("/instances", name="comes")
    made.until(lambda: platform.ensured.total() > 3)

    shown = api.show("/instances/comes")

    assert (shown["status"], shown["nodes"]) == ("CREATING", [])
    assert shown["status_message"] == "Core has it as NEW"
    for kind in ("EngineReady", "NodesReady"):
        condition = made.condition(shown, kind)
        assert (condition["status"], condition["reason"]) == (
            "False",
            port.NODE_PENDING,
        )
    platform.at, platform.seen = ADDRESS, fakes.ready(None)
    shown = api.wait("/instances/comes")
    assert shown["status_message"] == ""


def test_a_host_that_gives_addresses_is_asked_for_no_place(api, platform, db):
    # So long as somebody places a node, no other is placed.
    db.execute("SELECT pg_advisory_lock(%s)", (placing.PLACING,))

    api.make("/instances", name="unplaced")

    assert api.wait("/instances/unplaced")["nodes"]


def test_a_machine_that_runs_is_told_before_its_engine_answers(api, reconcile):
    platform = Platform()
    platform.at, platform.seen = None, pending(at_work=True)
    reconcile(nodes=platform, sizes_enforced=True)
    api.make("/instances", name="starts")
    made.until(lambda: made.condition(api.show("/instances/starts"), "NodesReady"))

    platform.seen = port.NodeStatus(
        True, False, port.STARTING, "the machine runs", at_work=True, again_s=0.05
    )

    shown = made.until(
        lambda: (
            made.condition(one := api.show("/instances/starts"), "NodesReady")["reason"]
            == port.STARTING
            and one
        )
    )
    assert made.condition(shown, "NodesReady")["status"] == "True"
    assert made.condition(shown, "EngineReady")["status"] == "False"
    assert made.condition(shown, "SizesEnforced")["status"] == "Unknown"


def test_a_node_that_is_no_longer_brought_up_is_an_error(api, reconcile):
    platform = Platform()
    platform.at, platform.seen = None, pending(at_work=False)
    reconcile(nodes=platform, silence_s=0.1)
    api.make("/instances", name="never")

    shown = api.wait("/instances/never", "ERROR")

    assert shown["status_message"] == "Core has it as NEW"


def test_what_the_host_refuses_is_an_error_at_once(api, reconcile):
    platform = Platform()
    platform.at = None
    platform.seen = fakes.down(port.HOST_REFUSED, "no quota")
    reconcile(nodes=platform, silence_s=60.0)
    api.make("/instances", name="refused")

    shown = api.wait("/instances/refused", "ERROR")

    assert shown["status_message"] == "no quota"
    assert made.condition(shown, "NodesReady")["reason"] == port.HOST_REFUSED


def test_a_machine_that_was_replaced_is_followed_with_its_disk(
    api, hosted, world, platform
):
    api.make(f"{hosted}/buckets", name="more")
    api.make(f"{hosted}/users", name="anna")
    api.wait(f"{hosted}/buckets/more")
    api.wait(f"{hosted}/users/anna")
    world.engines[NEW_URL] = world.only

    platform.at = OTHER
    platform.seen = fakes.ready(1)  # another process: the watch sends for a turn

    made.until(lambda: api.show(hosted)["endpoint"] == NEW_URL)
    for path in (hosted, f"{hosted}/buckets/more", f"{hosted}/users/anna"):
        api.wait(path)


def test_a_machine_that_was_replaced_by_an_empty_one_is_an_error(
    api, hosted, world, platform
):
    api.wait(f"{hosted}/buckets/data")

    platform.at = OTHER
    platform.seen = fakes.ready(1)

    shown = api.wait(hosted, "ERROR")
    assert made.condition(shown, "DataPresent")["reason"] == "DataLost"
    assert shown["endpoint"] == NEW_URL
    api.wait(f"{hosted}/buckets/data", "ERROR")
    assert world.engines[NEW_URL].bucket("data") is None


def test_an_address_belongs_to_who_has_it_now(api, hosted, platform, db):
    platform.at = OTHER
    second = api.make("/instances", name="second")["id"]
    api.wait("/instances/second")

    # The first one's machine is gone, and its address was given again.
    platform.own[uuid.UUID(second)] = ADDRESS
    api.change("/instances/second", read_only=True)

    made.until(
        lambda: api.show("/instances/second")["endpoint"] == "http://10.20.0.21:9000"
    )
    api.wait("/instances/second")
    row = db.execute(
        "SELECT host, port FROM s3aas_nodes WHERE instance <> %s", (second,)
    ).fetchone()
    assert (row["host"], row["port"]) == (ADDRESS.host, None)
    assert api.show(hosted)["nodes"] == []


def test_sizes_are_pending_until_the_host_has_them(api, hosted, platform):
    platform.seen = dataclasses.replace(
        fakes.ready(None), unsettled="Core is at work", again_s=0.05
    )
    shown = api.change(hosted, disk_size=30)
    assert shown["status"] == "PENDING"
    shown = made.until(
        lambda: (
            made.condition(one := api.show(hosted), "SizesEnforced")["status"]
            == "Unknown"
            and one
        )
    )

    assert shown["status"] == "PENDING"
    assert made.condition(shown, "EngineReady")["status"] == "True"
    platform.seen = fakes.ready(None)
    shown = api.wait(hosted)
    assert made.condition(shown, "SizesEnforced")["status"] == "True"


def test_sizes_that_a_silent_node_was_not_asked_for_yet_are_not_called_enforced(
    api, hosted, platform
):
    platform.seen = fakes.down(port.NOT_ANSWERING)
    shown = api.wait(hosted, "ERROR")
    # It has those that it had.
    assert made.condition(shown, "SizesEnforced")["status"] == "True"

    api.change(hosted, cpu=8)

    made.until(
        lambda: made.condition(api.show(hosted), "SizesEnforced")["status"] == "Unknown"
    )
    platform.seen = fakes.ready(None)
    shown = api.wait(hosted)
    assert made.condition(shown, "SizesEnforced")["status"] == "True"


def test_what_was_known_of_sizes_holds_while_the_host_can_not_be_asked(
    api, hosted, platform
):
    for not_told, said in (("", "OwnMachine"), ("it grows", port.GROWTH_NOT_TOLD)):
        for told in (not_told, None):
            platform.seen = dataclasses.replace(fakes.ready(None), not_told=told)
            api.change(hosted, read_only=told is None)
            shown = api.wait(hosted)
            assert made.condition(shown, "SizesEnforced")["reason"] == said


def test_an_instance_that_waits_for_its_host_is_not_audited_at_every_turn(
    api, hosted, platform, world
):
    platform.seen = dataclasses.replace(
        fakes.ready(None), unsettled="Core is at work", again_s=0.01
    )
    before = platform.ensured.total()
    world.only.calls.clear()

    api.change(hosted, cpu=8)
    made.until(lambda: platform.ensured.total() > before + 5)

    assert [call[0] for call in world.only.calls].count("access_keys") <= 1


def test_what_the_host_never_tells_the_end_of_is_not_called_done(api, hosted, platform):
    platform.seen = dataclasses.replace(fakes.ready(None), not_told="it does not tell")
    api.change(hosted, disk_size=30)

    shown = api.wait(hosted)

    condition = made.condition(shown, "SizesEnforced")
    assert (condition["status"], condition["reason"], condition["message"]) == (
        "Unknown",
        port.GROWTH_NOT_TOLD,
        "it does not tell",
    )


def test_sizes_that_the_host_refuses_are_an_error_beside_a_ready_engine(
    api, hosted, platform
):
    platform.seen = dataclasses.replace(
        fakes.ready(None), unsettled="no quota", refused=True
    )
    api.change(hosted, cpu=8)

    shown = api.wait(hosted, "ERROR")

    assert shown["status_message"] == "no quota"
    assert made.condition(shown, "EngineReady")["status"] == "True"
    assert made.condition(shown, "SizesEnforced")["reason"] == port.HOST_REFUSED
    platform.seen = fakes.ready(None)
    api.change(hosted, cpu=1)
    api.wait(hosted)


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (port.NODE_LOST, "False"),
        (port.HOST_UNAVAILABLE, "Unknown"),
        (port.NOT_ANSWERING, "Unknown"),
    ],
)
def test_a_lost_node_is_an_error_and_told_as_such(api, hosted, platform, reason, said):
    platform.seen = fakes.down(reason, "the machine is gone")

    shown = api.wait(hosted, "ERROR")

    condition = made.condition(shown, "NodesReady")
    assert (condition["status"], condition["reason"]) == (said, reason)
    sizes = made.condition(shown, "SizesEnforced")
    assert sizes["status"] == ("Unknown" if said == "False" else "True")
    platform.seen = fakes.ready(None)
    api.wait(hosted)


def test_an_engine_that_is_back_before_its_host_is_no_error_without_a_word(
    api, hosted, platform
):
    away = "Core can't be reached"
    back = dataclasses.replace(fakes.ready(None), unsettled=away, again_s=0.05)
    platform.seen = back
    api.change(hosted, cpu=2)
    made.until(lambda: api.show(hosted)["status_message"] == away)
    assert api.show(hosted)["status"] == "PENDING"
    platform.seen = fakes.down(port.HOST_UNAVAILABLE, away)
    api.wait(hosted, "ERROR")

    platform.seen = back

    shown = api.wait(hosted, "PENDING")
    assert shown["status_message"] == away
    assert made.condition(shown, "EngineReady")["status"] == "True"
    platform.seen = fakes.ready(None)
    assert api.wait(hosted)["status_message"] == ""


def test_an_engine_that_is_back_before_its_buckets_follow_is_no_error(
    api, hosted, platform, world
):
    gate = threading.Event()
    platform.seen = fakes.down(port.NOT_ANSWERING)
    api.wait(hosted, "ERROR")
    world.only.on["set_versioning"] = lambda *_: gate.wait(made.HELD_S) and None
    api.change(hosted, versioning=True)
    api.wait(hosted, "ERROR")

    platform.seen = fakes.ready(None)

    api.wait(hosted, "PENDING")
    gate.set()
    api.wait(hosted)


def test_a_removal_that_the_host_is_not_done_with_is_waited_for(
    api, hosted, platform, db
):
    def busy(spec):
        raise port.NotYet("Core still has the node set")

    platform.on_remove = busy
    api.remove(hosted)
    said = made.until(lambda: api.show(hosted)["status_message"])

    assert said == "Core still has the node set"
    row = db.execute("SELECT status, attempts FROM s3aas_instances").fetchone()
    assert (row["status"], row["attempts"]) == ("DELETING", 0)
    platform.on_remove = lambda spec: None
    api.wait_gone(hosted)
