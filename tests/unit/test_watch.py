"""Watching engines: no change is lost, whatever happens between two looks."""

from __future__ import annotations

import uuid

import pytest

from exordos_paas_storage.nodes import port
from exordos_paas_storage.reconcile import watch

SILENCE_S = 5.0


class Nodes:
    """Answers what the test says of every node."""

    def __init__(self):
        self.seen = port.NodeStatus(True, True, port.READY, pid=1)

    def status(self, spec):
        return self.seen


@pytest.fixture
def now():
    return [0.0]


@pytest.fixture
def health(now):
    return watch.Health(lambda: now[0])


@pytest.fixture
def nodes():
    return Nodes()


def made_spec():
    secrets = port.NodeSecrets("", "", "", "")
    node, instance = uuid.uuid4(), uuid.uuid4()
    return port.NodeSpec(node, instance, "minio", "1", "127.0.0.1", 9000, secrets)


def test_a_node_that_stays_ready_is_no_change(health, nodes):
    health.know(made_spec(), 1)

    assert health.look(nodes, SILENCE_S) == []


@pytest.mark.parametrize(
    "seen",
    [
        port.NodeStatus(False, False, port.CRASHED),
        port.NodeStatus(True, True, port.READY, pid=2),
    ],
)
def test_another_process_is_a_change_until_it_was_dealt_with(health, nodes, seen):
    spec = made_spec()
    health.know(spec, 1)
    nodes.seen = seen

    first = health.look(nodes, SILENCE_S)
    second = health.look(nodes, SILENCE_S)

    assert [one.spec for one in first] == [one.spec for one in second] == [spec]
    health.unwatch(second[0])
    assert health.look(nodes, SILENCE_S) == []


def test_a_silent_process_is_a_change_only_after_its_time(health, nodes, now):
    health.know(made_spec(), 1)
    nodes.seen = port.NodeStatus(True, False, port.NOT_ANSWERING, pid=1)

    assert health.look(nodes, SILENCE_S) == []
    now[0] = SILENCE_S + 0.1
    assert len(health.look(nodes, SILENCE_S)) == 1


def test_a_node_found_ready_since_the_look_stays_watched(health, nodes):
    spec = made_spec()
    health.know(spec, 1)
    nodes.seen = port.NodeStatus(False, False, port.CRASHED)
    changed = health.look(nodes, SILENCE_S)

    health.know(spec, 2)
    health.unwatch(changed[0])

    assert len(health.look(nodes, SILENCE_S)) == 1
