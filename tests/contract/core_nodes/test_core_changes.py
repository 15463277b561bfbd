"""Sizes, secrets and machines change, and files and machines get lost."""

from __future__ import annotations

import dataclasses
import uuid

import pytest

from exordos_paas_storage.nodes import core, core_client, core_view, port
from tests.contract import fake_core
from tests.contract.core_nodes import made


def test_sizes_are_changed_and_unsettled_until_core_is_done(server, nodes, running):
    bigger = dataclasses.replace(running, sizes=port.Sizes(4, 4096, 30))
    seen = nodes.ensure(bigger)

    shown = server.sets[str(running.node_id)]
    assert (shown["cores"], shown["ram"]) == (4, 4096)
    assert [disk["size"] for disk in shown["disk_spec"]["disks"]] == [10, 30]
    assert shown["disk_spec"]["disks"][0]["image"] == running.image
    assert seen.ready and "IN_PROGRESS" in seen.unsettled
    # Core shows it as done before its machine begins, and takes that back.
    for status, said in (
        ("ACTIVE", "not been seen to restart"),
        ("ACTIVE", "not been seen to restart"),
        ("IN_PROGRESS", "IN_PROGRESS"),
        ("ACTIVE", ""),
    ):
        server.say(running.node_id, status)
        seen = nodes.ensure(bigger)
        assert seen.ready and said in seen.unsettled
    assert seen.unsettled == ""
    assert server.count("PUT") == 1


def test_sizes_that_were_changed_before_a_restart_are_not_called_done(
    server, nodes, running, engine, after
):
    bigger = made.asked(running, sizes=port.Sizes(4, 2048, 20))
    nodes.ensure(bigger)
    server.say(running.node_id, "ACTIVE")

    second = after()
    # Of another change there is nothing that Core could have to do.
    for wanted in (bigger, made.asked(bigger)):
        assert second.ensure(wanted).unsettled == core_view.CHANGING
    server.say(running.node_id, "IN_PROGRESS")
    engine.up = False
    seen = second.ensure(bigger)

    assert (seen.reason, seen.at_work) == (port.NODE_PENDING, True)
    server.say(running.node_id, "ACTIVE")
    engine.up = True
    assert second.ensure(bigger).unsettled == ""
    assert after().ensure(bigger).unsettled == core_view.CHANGING
    settled = dataclasses.replace(bigger, observed_generation=bigger.generation)
    for wanted in (settled, made.asked(settled)):
        assert after().ensure(wanted).unsettled == ""
    # The database of a backup may know fewer generations than Core was told of.
    restored = dataclasses.replace(running, sizes=bigger.sizes)
    assert after().ensure(restored).unsettled == ""
    assert server.count("PUT") == 1


def test_a_generation_from_before_the_database_was_restored_is_not_waited_for(
    server, nodes, running, after
):
    sizes = port.Sizes(4, 2048, 20)
    nodes.ensure(dataclasses.replace(running, sizes=sizes, generation=7))
    server.say(running.node_id, "ACTIVE")

    restored = made.asked(dataclasses.replace(running, sizes=sizes))
    assert (restored.observed_generation, restored.generation) == (1, 2)
    assert after().ensure(restored).unsettled == ""


def test_sizes_of_a_node_that_never_served_are_waited_for_over_a_restart(
    server, nodes, spec, after
):
    nodes.ensure(spec)
    server.boot(spec.node_id, made.HERE)
    bigger = made.asked(spec, sizes=port.Sizes(4, 2048, 20))
    nodes.ensure(bigger)
    server.say(spec.node_id, "ACTIVE")

    assert after().ensure(bigger).unsettled == core_view.CHANGING


def test_a_change_of_no_size_is_settled_at_once_over_a_restart(
    server, nodes, running, after
):
    for wanted in (running, made.asked(running)):
        assert after().ensure(wanted).unsettled == ""

    grown = made.asked(running, sizes=port.Sizes(2, 2048, 30))
    nodes.ensure(grown)
    server.say(running.node_id, "ACTIVE")
    seen = after().ensure(grown)
    assert (seen.unsettled, seen.not_told) == ("", core_view.GROWTH)


def test_both_marks_of_a_set_stay(server, nodes, running):
    shown = server.sets[str(running.node_id)]
    grown = "The data disk was asked to grow from 20 GiB"
    for sizes, said in (
        (port.Sizes(4, 2048, 20), "Cores or memory were changed at generation 2"),
        (
            port.Sizes(4, 2048, 30),
            f"{grown}. Cores or memory were changed at generation 2",
        ),
        (
            port.Sizes(4, 4096, 40),
            f"{grown}. Cores or memory were changed at generation 4",
        ),
    ):
        running = made.asked(running, sizes=sizes)
        nodes.ensure(running)
        assert shown["description"] == said


def test_a_restart_that_nobody_saw_is_waited_for_so_long_and_no_longer(
    server, nodes, running, now
):
    bigger = dataclasses.replace(running, sizes=port.Sizes(4, 2048, 20))
    nodes.ensure(bigger)
    server.say(running.node_id, "ACTIVE")
    assert nodes.ensure(bigger).unsettled
    now[0] += core_view.CHANGING_S

    assert nodes.ensure(bigger).unsettled == ""


def test_sizes_that_are_taken_back_at_once_are_taken_back_in_core(
    server, nodes, running
):
    nodes.ensure(dataclasses.replace(running, sizes=port.Sizes(4, 2048, 20)))

    seen = nodes.ensure(running)

    assert server.sets[str(running.node_id)]["cores"] == 2
    assert seen.unsettled


def test_a_grown_disk_is_told_of_by_nobody_and_that_is_said(
    server, nodes, running, after
):
    assert nodes.ensure(running).not_told == ""
    bigger = dataclasses.replace(running, sizes=port.Sizes(2, 2048, 30))
    nodes.ensure(bigger)
    server.say(running.node_id, "ACTIVE")

    another = after()
    for process in (nodes, nodes, another, another):
        seen = process.ensure(bigger)
        assert (seen.ready, seen.unsettled) == (True, "")
        assert seen.not_told == core_view.GROWTH
    shown = server.sets[str(running.node_id)]
    assert shown["description"] == "The data disk was asked to grow from 20 GiB"
    nodes.ensure(dataclasses.replace(running, sizes=port.Sizes(2, 2048, 40)))
    assert shown["description"].endswith("from 20 GiB")


@pytest.mark.parametrize("before", ["settled", "changing"])
def test_sizes_that_core_refused_leave_nothing_to_wait_for(
    server, nodes, running, engine, now, before
):
    if before == "changing":
        running = made.asked(running, sizes=port.Sizes(4, 2048, 20))
        nodes.ensure(running)
        server.say(running.node_id, "ACTIVE")
    known = nodes.ensure(running).unsettled
    server.instead = lambda method, path: (
        (400, {"type": "ValidationErrorException"}) if method == "PUT" else None
    )
    assert nodes.ensure(made.asked(running, sizes=port.Sizes(200, 2048, 20))).refused
    server.instead = lambda method, path: None

    assert nodes.ensure(running).unsettled == known
    assert known == (core_view.CHANGING if before == "changing" else "")
    engine.up = False
    seen = nodes.ensure(dataclasses.replace(running, generation=running.generation + 9))
    reason = port.STARTING if before == "changing" else port.NOT_ANSWERING
    assert (seen.reason, seen.at_work) == (reason, before == "changing")


def test_a_change_whose_answer_was_lost_is_waited_for(server, nodes, running, now):
    first = made.asked(running, sizes=port.Sizes(4, 2048, 20))
    nodes.ensure(first)
    for status in ("ACTIVE", "IN_PROGRESS", "ACTIVE"):
        server.say(running.node_id, status)
        seen = nodes.ensure(first)
    assert seen.unsettled == ""
    bigger = made.asked(first, sizes=port.Sizes(8, 2048, 20))
    server.lose_answer = lambda method, path: method == "PUT"
    nodes.ensure(bigger)
    server.lose_answer = lambda method, path: False
    now[0] += core_client.HOLD_S
    server.say(running.node_id, "ACTIVE")

    assert nodes.ensure(bigger).unsettled == core_view.CHANGING


def test_a_machine_that_restarts_for_its_sizes_is_waited_for(
    server, nodes, running, engine, now
):
    bigger = dataclasses.replace(running, sizes=port.Sizes(4, 2048, 20))
    nodes.ensure(bigger)
    engine.up = False

    pending = nodes.ensure(bigger)
    server.say(running.node_id, "ACTIVE")
    starting = nodes.ensure(bigger)

    assert (pending.reason, pending.at_work) == (port.NODE_PENDING, True)
    assert (starting.reason, starting.at_work) == (port.STARTING, True)
    now[0] += core_view.STARTING_S
    assert not nodes.ensure(bigger).at_work
    engine.up = True
    assert nodes.ensure(bigger).unsettled == ""
    # Core shows a set as done before its machine restarts.
    engine.up = False
    assert nodes.ensure(bigger).at_work
    now[0] += core_view.CHANGING_S
    assert nodes.ensure(bigger).reason == port.NOT_ANSWERING


def test_a_disk_never_shrinks(server, nodes, running):
    smaller = dataclasses.replace(running, sizes=port.Sizes(2, 2048, 19))
    seen = nodes.ensure(smaller)

    assert (seen.ready, seen.refused) == (True, True)
    assert "19 GiB" in seen.unsettled
    assert server.count("PUT") == 0


def test_a_set_that_lost_its_data_disk_is_left_alone(server, nodes, running):
    server.sets[str(running.node_id)]["disk_spec"]["disks"].pop()

    seen = nodes.ensure(dataclasses.replace(running, sizes=port.Sizes(4, 2048, 20)))

    assert (seen.ready, seen.refused) == (True, True)
    assert "no data disk" in seen.unsettled
    assert server.count("PUT") == 0


def test_a_machine_that_never_came_gets_the_image_of_now(server, nodes, spec, now):
    nodes.ensure(spec)
    now[0] += core_view.SEE_S
    seen = nodes.ensure(spec)
    assert str(spec.node_id) in seen.message and seen.at_work
    mended = dataclasses.replace(spec, image="urn:images:mended")

    # Core takes another image for the set, and makes no machine all the same.
    nodes.ensure(mended)
    assert server.sets == {}
    assert nodes.ensure(mended).at_work

    disks = server.sets[str(spec.node_id)]["disk_spec"]["disks"]
    assert [disk.get("image") for disk in disks] == ["urn:images:mended", None]
    server.say(spec.node_id, "IN_PROGRESS")
    nodes.ensure(spec)
    assert server.count("DELETE") == 1


@pytest.mark.parametrize("status", ["NEW", "ERROR"])
def test_a_machine_that_was_up_is_never_deleted_for_an_image(
    server, nodes, running, status
):
    newer = dataclasses.replace(running, image="urn:images:another")
    server.say(running.node_id, status)

    nodes.ensure(newer)
    # Its default bucket may never have come, and others may hold objects.
    nodes.ensure(dataclasses.replace(newer, observed_generation=0))
    nodes.ensure(dataclasses.replace(newer, host="", port=0))

    assert server.count("DELETE") == 0


def test_an_image_is_for_new_nodes_alone(server, nodes, running, spec):
    newer = dataclasses.replace(running, image="urn:images:another")
    for status in ("IN_PROGRESS", "ERROR", "ACTIVE"):
        server.say(running.node_id, status)
        assert nodes.ensure(newer).ready
    assert server.count("PUT") == 0

    none = dataclasses.replace(spec, node_id=uuid.uuid4(), image=None)
    seen = nodes.ensure(none)
    assert seen.reason == port.HOST_REFUSED and "no image" in seen.message


def test_another_secret_is_delivered_alone(server, nodes, running):
    other = dataclasses.replace(made.SECRETS, secret_key="u" * 40)
    nodes.ensure(dataclasses.replace(running, secrets=other))

    changed = [path for method, path in server.calls if method == "PUT"]
    assert len(changed) == 1
    config = server.configs[changed[0].removeprefix(fake_core.CONFIGS)]
    assert config["path"].endswith("root-secret-key")
    assert config["body"]["content"] == "u" * 40


def test_a_replaced_machine_gets_its_files_and_tells_its_address(
    server, nodes, running, engine
):
    other = dataclasses.replace(running, host="127.0.0.2")
    node = server.boot(running.node_id, made.HERE)

    seen = nodes.ensure(other)

    assert (seen.ready, seen.endpoint) == (True, port.Endpoint(made.HERE, engine.port))
    targets = {one["target"]["node"] for one in server.configs.values()}
    assert (targets, len(server.configs)) == ({node}, 4)


@pytest.mark.parametrize("status", ["NEW", "IN_PROGRESS", "no address"])
def test_what_core_does_by_itself_is_no_lost_machine(
    server, nodes, running, engine, status
):
    engine.up = False
    if status == "no address":
        server.sets[str(running.node_id)]["nodes"] = {str(uuid.uuid4()): {}}
    else:
        server.say(running.node_id, status)

    seen = nodes.ensure(running)

    assert (seen.ready, seen.reason, seen.at_work) == (False, port.NODE_PENDING, False)
    assert seen.message.endswith("is at work on its machine")


@pytest.mark.parametrize("lost", ["no machine", "ERROR", "no set"])
def test_a_lost_node_is_told_and_never_made_anew(server, nodes, running, engine, lost):
    engine.up = False
    silent = nodes.ensure(running)
    assert (silent.reason, silent.at_work) == (port.NOT_ANSWERING, False)
    found = server.sets[str(running.node_id)]
    if lost == "no machine":
        found |= {"nodes": {}, "status": "IN_PROGRESS"}
    elif lost == "no set":
        del server.sets[str(running.node_id)]
    else:
        found["status"] = lost

    seen = nodes.ensure(running)

    assert (seen.ready, seen.reason, seen.at_work) == (False, port.NODE_LOST, False)
    assert server.count("POST", fake_core.SETS) == 0


def test_a_first_node_that_fails_or_never_comes_is_an_error(server, nodes, spec, now):
    nodes.ensure(spec)
    server.say(spec.node_id, "ERROR")
    seen = nodes.ensure(spec)
    assert (seen.reason, seen.at_work) == (port.NODE_PENDING, False)
    assert "ERROR" in seen.message

    server.say(spec.node_id, "NEW")
    now[0] += core_view.PENDING_S + 1
    seen = nodes.ensure(spec)
    assert (seen.reason, seen.at_work) == (port.NODE_PENDING, False)
    assert seen.again_s == core_view.AGAIN_MOST_S


def test_files_that_somebody_changed_are_put_back(server, nodes, running, now):
    name, config = next(iter(server.configs.items()))
    wanted = config["body"]
    config["body"] = {"kind": "text", "content": "changed"}
    del server.configs[list(server.configs)[-1]]
    now[0] += core.CHECK_S + 1

    nodes.ensure(running)

    assert server.configs[name]["body"] == wanted
    assert len(server.configs) == 4
