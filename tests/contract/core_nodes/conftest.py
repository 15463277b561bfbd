"""Core, an engine, the adapter between them, and a node that runs."""

import contextlib

import pytest

from exordos_paas_storage.nodes import core
from tests.contract import fake_core
from tests.contract.core_nodes import made


@pytest.fixture
def engine():
    with contextlib.closing(made.Engine()) as found:
        yield found


@pytest.fixture
def server():
    with fake_core.Core() as found:
        yield found


@pytest.fixture
def now():
    return [1000.0]


@pytest.fixture
def nodes(server, engine, now):
    with contextlib.closing(made.client(server, now)) as client:
        yield core.CoreNodes(client, lambda: now[0], engine_port=engine.port)


@pytest.fixture
def after(server, engine, now):
    """Gives the adapter of a service that was started again."""
    with contextlib.ExitStack() as stack:

        def start():
            client = stack.enter_context(contextlib.closing(made.client(server, now)))
            return core.CoreNodes(client, lambda: now[0], engine_port=engine.port)

        yield start


@pytest.fixture
def spec():
    return made.spec()


@pytest.fixture
def running(server, nodes, spec):
    """A spec whose node serves, and has served before."""
    nodes.ensure(spec)
    server.boot(spec.node_id, made.HERE)
    seen = nodes.ensure(spec)
    assert seen.ready, seen
    server.calls.clear()
    return made.placed(spec, seen, observed_generation=1)
