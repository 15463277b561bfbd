"""The Node port on Exordos Core: what is asked of it, and when nothing is."""

from __future__ import annotations

import dataclasses
import uuid

import pytest

from exordos_paas_storage.domain import capabilities
from exordos_paas_storage.nodes import core, image, port
from tests.contract import fake_core
from tests.contract.core_nodes import made


def test_a_node_is_made_step_by_step(server, nodes, spec, engine):
    engine.up = False
    first = nodes.ensure(spec)

    assert (first.ready, first.reason, first.at_work) == (
        False,
        port.NODE_PENDING,
        True,
    )
    assert "NEW" in first.message and first.endpoint is None
    assert server.configs == {}
    server.boot(spec.node_id, "10.20.0.9", "IN_PROGRESS")
    second = nodes.ensure(spec)
    assert (second.reason, second.endpoint) == (port.NODE_PENDING, None)
    # The system that writes the disk would get them, and put them into its log.
    assert server.configs == {}
    server.say(spec.node_id, "ACTIVE")
    server.sets[str(spec.node_id)]["nodes"] = {
        node: {"ipv4": made.HERE} for node in server.sets[str(spec.node_id)]["nodes"]
    }

    third = nodes.ensure(spec)

    assert (third.running, third.ready, third.reason) == (True, False, port.STARTING)
    assert third.at_work and third.endpoint == port.Endpoint(made.HERE, engine.port)
    engine.up = True
    assert nodes.ensure(made.placed(spec, third)).ready
    assert nodes.status(made.placed(spec, third)).ready
    assert not nodes.places


def test_core_is_asked_for_the_set_and_the_files_that_were_wanted(server, nodes, spec):
    nodes.ensure(spec)
    node = server.boot(spec.node_id, made.HERE)
    nodes.ensure(spec)

    shown = server.sets[str(spec.node_id)]
    disks = shown["disk_spec"]["disks"]
    assert (shown["replicas"], shown["cores"], shown["ram"]) == (1, 2, 2048)
    assert shown["project_id"] == str(fake_core.PROJECT)
    assert disks == [
        {"size": 10, "image": spec.image},
        {"size": 20, "label": image.DATA_LABEL},
    ]
    files = image.files("minio", made.SECRETS)
    configs = {one["path"]: one for one in server.configs.values()}
    assert set(configs) == {str(file.path) for file in files}
    for file in files:
        config = configs[str(file.path)]
        assert config["body"] == {"kind": "text", "content": file.content}
        assert config["on_change"] == {"kind": "shell", "command": image.ON_CHANGE}
        assert config["target"] == {"kind": "node", "node": node}
        owned = (config["owner"], config["group"], config["mode"])
        assert owned == (file.owner, file.group, file.mode)
    posts = [path for method, path in server.calls if method == "POST"]
    assert posts[0] == fake_core.SETS
    assert list(configs)[-1] == str(image.SETTINGS_FILE)


def test_a_healthy_node_asks_core_for_nothing(server, nodes, running, now):
    for _ in range(3):
        assert nodes.ensure(running).ready
        assert nodes.status(running).ready
    assert server.calls == []

    now[0] += core.CHECK_S + 1
    assert nodes.ensure(running).ready
    assert {method for method, _ in server.calls} == {"GET"}


def test_another_image_is_nothing_to_ask_core_for(server, nodes, running):
    nodes.ensure(dataclasses.replace(running, image="urn:images:another"))

    assert server.calls == []


def test_an_asked_node_is_made_once(server, nodes, spec):
    for _ in range(3):
        nodes.ensure(spec)
    server.boot(spec.node_id, made.HERE)
    for _ in range(3):
        nodes.ensure(spec)

    assert server.count("POST", fake_core.SETS) == 1
    assert server.count("POST", fake_core.CONFIGS) == 4
    assert server.count("PUT") == 0


def test_removal_is_over_when_core_has_nothing_left(server, nodes, running):
    server.lingers = 3
    bare = dataclasses.replace(
        running, secrets=port.NodeSecrets("", "", "", ""), sizes=None, image=None
    )
    tries = 0
    while True:
        try:
            nodes.remove(bare)
            break
        except port.NotYet as error:
            assert str(running.node_id) in str(error)
            tries += 1
            assert tries < 9
    assert tries == 1  # the second call is told that there is no such set

    assert (server.sets, server.configs) == ({}, {})
    nodes.remove(bare)


def test_a_node_of_another_project_is_not_taken(server, nodes, spec):
    server.sets[str(spec.node_id)] = {"project_id": str(uuid.uuid4()), "nodes": {}}

    seen = nodes.ensure(spec)

    assert (seen.ready, seen.reason) == (False, port.HOST_REFUSED)


@pytest.mark.parametrize("engine", capabilities.ENGINES)
@pytest.mark.parametrize("certificate", [None, image.Certificate("chain", "key")])
def test_every_file_that_may_be_delivered_is_removed(engine, certificate):
    files = image.files(engine, made.SECRETS, certificate)

    assert {file.path for file in files} <= set(image.paths(engine))
