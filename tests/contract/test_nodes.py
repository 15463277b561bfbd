"""The Node port: what holds for every adapter, over real engines."""

import dataclasses
import uuid

import pytest

from exordos_paas_storage.domain import errors
from exordos_paas_storage.domain.state import Credentials
from exordos_paas_storage.nodes import account, core, core_client, port, process, static
from exordos_paas_storage.nodes.local import LocalNodes
from tests import engines
from tests.contract import fake_core, made

READY_S = 60.0


def made_spec(engine, endpoint):
    secrets = port.NodeSecrets(
        "ROOT" + "A" * 16, "s" * 40, engines.key(), engines.key()
    )
    return port.NodeSpec(
        uuid.uuid4(),
        uuid.uuid4(),
        engine,
        "1",
        endpoint.host,
        endpoint.port,
        secrets,
        port.Sizes(1, 1024, 10),
        "urn:images:none",
    )


@pytest.fixture(params=engines.available())
def engine(request):
    return request.param


@pytest.fixture(params=["local", "static", "core"])
def node(request, engine, tmp_path):
    """Nodes and a spec that `ensure` makes ready."""
    if request.param == "local":
        nodes = LocalNodes(
            tmp_path / "instances",
            lambda *_: engines.binary(engine),
            # The binaries and pytest's folders are closed to other accounts.
            account.same_user,
            start_wait_s=READY_S,
            first_port=28000,
        )
        spec = made_spec(engine, nodes.locate(set()))
        yield nodes, spec
        nodes.remove(spec)
        return
    root = Credentials("ROOT" + "A" * 16, "s" * 40)
    with engines.running(engine, tmp_path, root=root) as (url, _):
        host, _, number = url.removeprefix("http://").partition(":")
        at = port.Endpoint(host, int(number))
        if request.param == "core":
            with fake_core.Core() as server:
                yield on_core(server, made_spec(engine, at))
            return
        nodes = static.StaticNodes([at])
        yield nodes, made_spec(engine, nodes.locate(set()))


def on_core(server, spec):
    """Core has the node's machine where the engine is."""
    account = core_client.Account(
        server.url, fake_core.USER, fake_core.PASSWORD, fake_core.PROJECT
    )
    nodes = core.CoreNodes(core_client.CoreClient(account), engine_port=spec.port)
    nodes.ensure(spec)
    server.boot(spec.node_id, spec.host)
    nodes.ensure(spec)
    return nodes, spec


def test_a_node_that_is_ensured_is_ready_and_stays_the_same(node):
    nodes, spec = node
    first = nodes.ensure(spec)

    assert (first.running, first.ready, first.reason) == (True, True, port.READY)
    # An answer that is late shows the node as silent, and it is asked again.
    made.until(lambda: nodes.ensure(spec) == first)
    made.until(lambda: nodes.status(spec) == first)


def test_a_silent_place_is_a_status_and_no_raise(node, engine):
    nodes, spec = node
    nowhere = made_spec(engine, port.Endpoint(spec.host, 1))

    seen = nodes.status(nowhere)
    assert (seen.ready, bool(seen.message)) == (False, True)


def test_a_stopped_node_can_be_stopped_and_removed_again(node):
    nodes, spec = node
    nodes.ensure(spec)
    # What serves is known to: Core may yet come to a call that makes the others.
    spec = dataclasses.replace(spec, observed_generation=1)

    for _ in range(2):
        nodes.stop(spec)
    for _ in range(2):
        nodes.remove(spec)


def test_no_two_nodes_get_one_place():
    given = [port.Endpoint("10.0.0.1", 9000), port.Endpoint("10.0.0.2", 9000)]
    nodes = static.StaticNodes(given)

    assert [nodes.locate(set()), nodes.locate({given[0]})] == given
    with pytest.raises(errors.SetupError, match="give one more"):
        nodes.locate(set(given))


def test_a_static_node_whose_engine_went_is_seen(engine, tmp_path):
    with engines.running(engine, tmp_path) as (url, _):
        host, _, number = url.removeprefix("http://").partition(":")
        nodes = static.StaticNodes([port.Endpoint(host, int(number))])
        spec = made_spec(engine, nodes.locate(set()))
        assert nodes.status(spec).ready

    assert process.wait_until(lambda: not nodes.status(spec).ready, READY_S)
    seen = nodes.ensure(spec)
    assert seen.reason == port.NOT_ANSWERING
    assert f"{spec.host}:{spec.port}" in seen.message
