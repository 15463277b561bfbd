"""The service over an engine in memory, MinIO or RustFS, one process for a module."""

import pytest

from tests import engines
from tests.service import fakes
from tests.service.effects import simulated, stand

KINDS = ("memory", *engines.available())


@pytest.fixture(scope="module", params=KINDS)
def place(request, tmp_path_factory):
    """The kind of engine, and where it runs unless it is in memory."""
    if request.param == "memory":
        yield "memory", None
        return
    directory = tmp_path_factory.mktemp(request.param)
    with engines.running(request.param, directory) as found:
        yield request.param, found


@pytest.fixture
def kind(place):
    return place[0]


@pytest.fixture
def world(place, db):
    """What the reconciler works on, in place of the engines of the other tests."""
    kind, found = place
    return fakes.World() if found is None else stand.RealWorld(kind, *found)


@pytest.fixture
def here(api, kind, world, running):
    """An instance that is ACTIVE, with a bucket."""
    sight = simulated.Sight(world) if kind == "memory" else world.sight
    return stand.Stand(api, kind, world, sight)
