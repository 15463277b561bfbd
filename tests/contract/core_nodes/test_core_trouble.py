"""Core is down, slow, forgetful or says no: nothing breaks, and nobody is misled."""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
import uuid

import pytest

from exordos_paas_storage.nodes import core, core_bodies, core_client, port
from tests.contract import fake_core
from tests.contract.core_nodes import made


@pytest.mark.parametrize("lost", [fake_core.SETS, fake_core.CONFIGS])
def test_an_answer_that_was_lost_makes_nothing_twice(
    server, nodes, spec, now, lost, engine
):
    server.lose_answer = lambda method, path: method == "POST" and path == lost
    engine.up = False
    nodes.ensure(spec)
    server.lose_answer = lambda method, path: False
    now[0] += core_client.HOLD_S
    nodes.ensure(spec)
    server.boot(spec.node_id, made.HERE)
    server.lose_answer = lambda method, path: method == "POST" and path == lost
    seen = nodes.ensure(spec)
    assert seen.reason in (port.HOST_UNAVAILABLE, port.STARTING)
    server.lose_answer = lambda method, path: False
    now[0] += core_client.HOLD_S
    engine.up = True

    assert nodes.ensure(spec).ready
    assert (len(server.sets), len(server.configs)) == (1, 4)


def test_a_node_is_not_gone_while_a_call_that_makes_it_may_come_late(
    server, nodes, spec, now
):
    late = []

    def instead(method, path):
        if method == "POST" and path == fake_core.SETS:
            late.append(path)
            return 504, None
        return None

    server.instead = instead
    nodes.ensure(spec)
    assert late
    with pytest.raises(port.NotYet, match="under way"):
        nodes.remove(spec)
    body = {"uuid": str(spec.node_id), "project_id": str(fake_core.PROJECT)}
    server.sets[str(spec.node_id)] = {**body, "nodes": {}, "status": "NEW"}
    now[0] += core.DOUBT_S + 1

    nodes.remove(spec)

    assert server.sets == {}


def test_a_call_of_a_process_that_died_may_come_late_too(server, nodes, spec, now):
    server.instead = lambda method, path: (504, None) if method == "POST" else None
    nodes.ensure(spec)
    server.instead = lambda method, path: None
    now[0] += core_client.HOLD_S

    client = made.client(server, now)
    another = core.CoreNodes(client, lambda: now[0])
    with pytest.raises(port.NotYet, match="under way"):
        another.remove(spec)
    body = {"uuid": str(spec.node_id), "project_id": str(fake_core.PROJECT)}
    server.sets[str(spec.node_id)] = {**body, "nodes": {}, "status": "NEW"}
    now[0] += core.DOUBT_S

    another.remove(spec)

    assert server.sets == {}
    # What served was there long before.
    core.CoreNodes(client, lambda: now[0]).remove(
        dataclasses.replace(spec, observed_generation=1)
    )
    client.close()


def test_an_object_that_came_in_between_is_compared_and_not_made_twice(
    server, nodes, spec
):
    nodes.ensure(spec)
    node = server.boot(spec.node_id, made.HERE)
    wanted = core_bodies.configs(spec, node)[0]
    came = []

    def instead(method, path):
        if came or method != "GET" or not path.endswith(wanted["uuid"]):
            return None
        came.append(path)
        owned = {"project_id": str(fake_core.PROJECT), "status": "NEW"}
        old = {"kind": "text", "content": "old"}
        server.configs[wanted["uuid"]] = {**wanted, **owned, "body": old}
        return 404, {"type": "RecordNotFound"}

    server.instead = instead
    assert "files" in nodes.ensure(spec).unsettled
    server.instead = lambda method, path: None
    assert nodes.ensure(spec).unsettled == ""

    assert server.configs[wanted["uuid"]]["body"] == wanted["body"]


@pytest.mark.parametrize("call", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize(
    "answer",
    [
        (500, {}),
        (503, None),
        (401, {}),
        (403, {}),
        (404, {}),
        (404, {"type": "NotFoundError"}),
        (405, None),
    ],
)
def test_trouble_with_core_is_a_status_and_no_raise(
    server, nodes, spec, running, now, call, answer
):
    fresh = dataclasses.replace(spec, node_id=uuid.uuid4())
    bigger = dataclasses.replace(running, sizes=port.Sizes(4, 4096, 30))
    server.instead = lambda method, path: (
        answer if method == call and "get_token" not in path else None
    )

    for wanted in (fresh, bigger):
        seen = nodes.ensure(wanted)
        now[0] += core_client.HOLD_S
        if wanted is bigger:
            assert seen.ready and not seen.refused
        elif call in ("GET", "POST"):
            assert seen.reason == port.HOST_UNAVAILABLE and seen.at_work
            assert str(answer[0]) in seen.message
    trouble, server.instead = server.instead, lambda method, path: None
    assert not nodes.ensure(bigger).refused
    server.instead = trouble
    if call in ("GET", "DELETE"):
        with pytest.raises(port.NotYet, match=str(answer[0])):
            nodes.remove(running)
    server.instead = lambda method, path: None
    now[0] += core_client.HOLD_S
    nodes.remove(running)


def test_what_was_seen_to_differ_is_not_settled_while_it_cannot_be_changed(
    server, nodes, running, now
):
    assert nodes.ensure(running).unsettled == ""
    server.sets[str(running.node_id)]["cores"] = 1
    server.instead = lambda method, path: (503, None) if method == "PUT" else None

    now[0] += core.CHECK_S
    for _ in range(2):
        assert "503" in nodes.ensure(running).unsettled
        now[0] += core_client.HOLD_S

    server.instead = lambda method, path: None
    nodes.ensure(running)
    assert server.sets[str(running.node_id)]["cores"] == running.sizes.cores


def test_what_another_answers_for_core_is_no_word_of_core(
    server, nodes, running, engine, after
):
    # nginx for a host that it does not know, as it was seen before Core.
    server.instead = lambda method, path: (
        None if "get_token" in path else ((404, None) if method == "GET" else (405, {}))
    )
    for process in (nodes, after()):
        with pytest.raises(port.NotYet, match="40"):
            process.remove(running)
    seen = nodes.ensure(made.asked(running, sizes=port.Sizes(4, 2048, 20)))
    assert (seen.ready, seen.refused) == (True, False)
    engine.up = False
    assert after().ensure(running).reason == port.HOST_UNAVAILABLE

    server.instead = lambda method, path: None
    assert (len(server.sets), len(server.configs)) == (1, 4)
    after().remove(running)
    assert (server.sets, server.configs) == ({}, {})


def test_core_that_is_down_at_a_start_is_no_trouble_of_what_has_served(
    server, running, after
):
    server.down = True
    started = after()

    seen = started.ensure(running)
    assert (seen.ready, seen.unsettled) == (True, "")
    # Whether its disk has grown is known to Core alone.
    assert seen.not_told is None
    for more in ({}, {"image": "urn:images:another"}):
        assert started.ensure(made.asked(running, **more)).unsettled == ""
    bigger = made.asked(running, sizes=port.Sizes(4, 2048, 20))
    assert "can't be reached" in started.ensure(bigger).unsettled
    assert "can't be reached" in after().ensure(bigger).unsettled


def test_no_proxy_of_the_environment_is_told(server, now, spec, monkeypatch, engine):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    client = made.client(server, now)
    seen = core.CoreNodes(client, lambda: now[0]).ensure(spec)

    assert seen.reason == port.NODE_PENDING
    client.close()


def test_core_that_is_down_does_not_touch_a_healthy_node(server, nodes, running, now):
    server.down = True

    assert nodes.ensure(running) == nodes.ensure(running)
    now[0] += core.CHECK_S + 1
    seen = nodes.ensure(running)
    assert (seen.ready, seen.unsettled, seen.refused) == (True, "", False)
    bigger = dataclasses.replace(running, sizes=port.Sizes(2, 2048, 30))
    seen = nodes.ensure(bigger)
    assert (seen.ready, seen.refused) == (True, False)
    assert "can't be reached" in seen.unsettled
    with pytest.raises(port.NotYet):
        nodes.remove(running)


def test_a_silent_node_while_core_is_down_says_both(server, nodes, running, engine):
    engine.up = False
    server.down = True

    seen = nodes.ensure(running)

    assert (seen.ready, seen.reason, seen.at_work) == (
        False,
        port.HOST_UNAVAILABLE,
        False,
    )


def test_a_core_that_hangs_holds_one_turn_and_not_every(server, spec, now):
    client = made.client(server, now, timeout_s=0.5)
    nodes = core.CoreNodes(client, lambda: now[0])
    gate = threading.Event()
    server.instead = lambda method, path: gate.wait(60) and None
    began = time.monotonic()
    for number in range(20):
        seen = nodes.ensure(dataclasses.replace(spec, node_id=uuid.UUID(int=number)))
        assert seen.reason == port.HOST_UNAVAILABLE
    took_s = time.monotonic() - began
    gate.set()

    assert took_s < 8.0
    server.instead = lambda method, path: None
    assert nodes.ensure(spec).reason == port.HOST_UNAVAILABLE
    now[0] += core_client.HOLD_S
    assert nodes.ensure(spec).reason == port.NODE_PENDING
    client.close()


def test_a_token_that_ended_is_fetched_anew_once(server, nodes, spec):
    nodes.ensure(spec)
    server.end_token()
    start = threading.Barrier(8)
    seen = []

    def ask(number):
        start.wait()
        one = dataclasses.replace(spec, node_id=uuid.UUID(int=number))
        seen.append(nodes.ensure(one).reason)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert set(seen) == {port.NODE_PENDING}
    assert server.logins == 2


def test_a_wrong_password_is_trouble_and_never_shown(server, now, spec, caplog):
    caplog.set_level(logging.DEBUG)
    wrong = "not the password"
    client = made.client(server, now, password=wrong)
    nodes = core.CoreNodes(client, lambda: now[0])

    seen = nodes.ensure(spec)

    assert seen.reason == port.HOST_UNAVAILABLE and "login" in seen.message
    for text in (seen.message, repr(client._account), caplog.text):
        assert wrong not in text
    nodes.ensure(spec)
    assert server.logins == 1
    client.close()


def test_what_core_refuses_is_told_without_what_was_sent(
    server, nodes, spec, running, caplog
):
    caplog.set_level(logging.DEBUG)
    quota = (400, {"type": "QuotaExceededError", "code": 400, "message": "SENT BODY"})
    server.instead = lambda method, path: quota if method in ("POST", "PUT") else None

    fresh = nodes.ensure(dataclasses.replace(spec, node_id=uuid.uuid4()))
    bigger = nodes.ensure(dataclasses.replace(running, sizes=port.Sizes(2, 2048, 30)))

    assert (fresh.ready, fresh.reason) == (False, port.HOST_REFUSED)
    assert "QuotaExceededError" in fresh.message
    assert (bigger.ready, bigger.refused) == (True, True)
    assert "QuotaExceededError" in bigger.unsettled
    secret = vars(made.SECRETS).values()
    for text in (fresh.message, bigger.unsettled, caplog.text, repr(running)):
        assert not any(value in text for value in [*secret, "SENT BODY"])


def test_a_silent_engine_is_looked_at_once_in_a_turn(nodes, running, engine):
    """A dead machine lets each look wait for its whole time."""
    engine.up, engine.looks = False, 0

    assert nodes.ensure(running).reason == port.NOT_ANSWERING

    assert engine.looks == 1
    # Where Core says another address, that one counts.
    engine.up, engine.looks = True, 0
    assert nodes.ensure(dataclasses.replace(running, host="127.0.0.2")).ready
    assert engine.looks == 1
