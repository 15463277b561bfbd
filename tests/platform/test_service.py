"""What keeps the reconciler running under the host's gservice."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from exordos_metapaas import registry
from oslo_config import cfg
from restalchemy.common import config_opts

from exordos_paas_storage.plugin import service
from tests.box import runs
from tests.service import made

URL = "postgresql://metapaas:hunter2@localhost/metapaas"
CORE = service.Core("http://core", "metapaas", "hunter3", "4d657461" + "0" * 24)
# It says what it got, and then ends with the pipe as the reconciler does.
CHILD = """
import json, os, pathlib, sys
given = json.loads(sys.stdin.readline())
line = json.dumps([os.getpid(), given]) + chr(10)
with open(sys.argv[1], "a") as told:
    told.write(line)
sys.stdin.read()
"""


@pytest.fixture(autouse=True, scope="module")
def settings():
    config_opts.register_posgresql_db_opts(cfg.CONF)
    cfg.CONF([], project="test", default_config_files=[])
    cfg.CONF.set_override("connection_url", URL, group="db")
    yield
    cfg.CONF.clear_override("connection_url", group="db")


class Told:
    """What the started processes wrote, oldest first: pid and what each was given."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def lines(self):
        text = self.path.read_text() if self.path.exists() else ""
        return [json.loads(line) for line in text.splitlines()]

    def at_least(self, number):
        return made.until(lambda: len(self.lines()) >= number and self.lines())


@pytest.fixture
def told(tmp_path, monkeypatch):
    path = tmp_path / "told"
    monkeypatch.setattr(service, "COMMAND", (sys.executable, "-c", CHILD, str(path)))
    monkeypatch.setattr(service, "AGAIN_S", 0.05)
    return Told(path)


@pytest.fixture
def started(told):
    """A service as the host starts it."""
    found = service.ReconcilerService(CORE)
    found._setup()
    yield found
    found.stop()
    found._keeper.join(60)
    assert not found._keeper.is_alive()


def test_the_plugin_gives_one_service():
    found = registry.discover_paas()["s3"].get_builders("u", "p", "http://core", "x")

    assert [type(one).__name__ for one in found] == ["ReconcilerService"]


def test_the_process_is_told_by_pipe_and_not_by_argument(started, told):
    [[pid, given]] = told.at_least(1)
    assert given["database_url"] == URL
    assert given["core"]["password"] == "hunter3"
    process = psutil.Process(pid)
    for seen in (process.cmdline(), list(process.environ().values())):
        assert not any("hunter" in text for text in seen)
    assert "hunter" not in repr(CORE)


def test_a_process_that_ends_is_started_again(started, told):
    [[first, _]] = told.at_least(1)

    os.kill(first, signal.SIGKILL)

    (_, _), (second, given) = told.at_least(2)
    assert second != first and given["database_url"] == URL


HOST = """
import sys, time
from oslo_config import cfg
from restalchemy.common import config_opts
from exordos_paas_storage.plugin import service
config_opts.register_posgresql_db_opts(cfg.CONF)
cfg.CONF([], project="test", default_config_files=[])
service.COMMAND = (sys.executable, "-c", sys.argv[1], sys.argv[2])
service.ReconcilerService(service.Core("u", "n", "p", "x"))._setup()
time.sleep(600)
"""


def test_the_process_ends_with_its_host_however_that_ends(told):
    with subprocess.Popen([sys.executable, "-c", HOST, CHILD, str(told.path)]) as host:
        [[pid, _]] = told.at_least(1)
        host.kill()

    made.until(lambda: not runs(pid), why=f"{pid} lives on")
