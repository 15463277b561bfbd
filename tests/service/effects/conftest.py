"""The service over an engine in memory, MinIO or RustFS, one process for a module."""

import os
import statistics

import pytest

from tests import engines
from tests.service import fakes
from tests.service.effects import simulated, stand

# What is promised of every change of rights.
WITHIN_S = 1.0
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
    found = stand.Stand(api, kind, world, sight)
    yield found
    # Where others keep the machine busy, how long it takes says nothing of the service.
    if found.took and os.getloadavg()[0] <= 2 * (os.cpu_count() or 1):
        assert statistics.median(found.took) <= WITHIN_S, found.took


def pytest_terminal_summary(terminalreporter):
    """Say how long effects took, from the API's answer to what a tenant sees."""
    if not stand.FIGURES:
        return
    terminalreporter.section("from the API's answer to the effect, in ms")
    for (kind, what), found in sorted(stand.FIGURES.items()):
        middle, most = statistics.median(found) * 1000, max(found) * 1000
        terminalreporter.write_line(
            f"{kind:8}{what:36} n {len(found):4}  p50 {middle:7.1f}  most {most:7.1f}"
        )
