"""Engines for the contract: one in memory, the real ones as fresh processes."""

import contextlib
import functools

import pytest

from exordos_paas_storage.domain import capabilities
from exordos_paas_storage.engine import port
from exordos_paas_storage.engine.connect import connect
from exordos_paas_storage.engine.memory import MemoryEngine
from tests import engines
from tests.contract.made import Real


@pytest.fixture(scope="session")
def started(tmp_path_factory):
    """Starts an engine at its first use, stops it after the last test."""
    with contextlib.ExitStack() as stack:

        @functools.cache
        def start(name: str) -> Real:
            directory = tmp_path_factory.mktemp(name)
            url, root = stack.enter_context(engines.running(name, directory))
            return Real(connect(name, "", url, root), url, root)

        yield start


@pytest.fixture(params=engines.available())
def real(request, started) -> Real:
    return started(request.param)


@pytest.fixture(params=["memory", *engines.available()])
def engine(request, started) -> port.Engine:
    if request.param == "memory":
        return MemoryEngine(capabilities.of(capabilities.RUSTFS, ""))
    return started(request.param).engine
