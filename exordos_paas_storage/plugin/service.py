"""The reconciler's process, kept running by the host's gservice.

The host runs the services of all plugins one after another in one thread, and its calls
of Core may take minutes; its database pool has two connections. A process of our own
has neither trouble. It ends with the gservice, however that went.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass, field

from gcl_looper.services import basic
from oslo_config import cfg

LOG = logging.getLogger(__name__)

AGAIN_S, AGAIN_AT_MOST_S = 1.0, 30.0
# A process that ran for so long is started again at once.
STABLE_S = 60.0
COMMAND = (sys.executable, "-m", "exordos_paas_storage.plugin.reconciler")


@dataclass(frozen=True)
class Core:
    """Where the platform's Core is, and who we are there."""

    url: str
    username: str
    password: str = field(repr=False)
    project_id: str


class ReconcilerService(basic.BasicService):
    """Starts the reconciler's process and starts it again when it ends.

    Args:
        core: given to the process over a pipe, with the database's address: neither is
            seen in a list of processes.
    """

    def __init__(self, core: Core) -> None:
        super().__init__()
        self._core = core
        self._keeper: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = threading.Event()

    def stop(self) -> None:
        """End the process: it has 15 s to finish its work, and is not waited for."""
        super().stop()
        self._stopping.set()
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()

    def _setup(self) -> None:
        super()._setup()
        self._keep()

    def _iteration(self) -> None:
        self._keep()

    def _keep(self) -> None:
        if self._keeper is None or not self._keeper.is_alive():
            self._keeper = threading.Thread(
                target=self._run, name="s3-reconciler-keeper", daemon=True
            )
            self._keeper.start()

    def _run(self) -> None:
        wait_s = AGAIN_S
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                ended = self._run_once()
                LOG.warning("the reconciler's process ended with %s", ended)
            except Exception:
                LOG.exception("the reconciler's process can't be started")
            if time.monotonic() - began > STABLE_S:
                wait_s = AGAIN_S
            self._stopping.wait(wait_s)
            wait_s = min(AGAIN_AT_MOST_S, wait_s * 2)

    def _run_once(self) -> int:
        """Run the process to its end, and give its exit status."""
        given = {
            "database_url": cfg.CONF.db.connection_url,
            "core": asdict(self._core),
        }
        with subprocess.Popen(COMMAND, stdin=subprocess.PIPE) as process:
            self._process = process
            assert process.stdin is not None  # noqa: S101 - as it was asked for
            # It stays open: its end tells the process that this one is gone.
            process.stdin.write(json.dumps(given).encode() + b"\n")
            process.stdin.flush()
            return process.wait()
