"""The supervisor's children: started, restarted when they end, stopped in order."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from exordos_paas_storage.nodes import process

STOP_S = 60.0
_PACKAGE = "exordos_paas_storage.onebox"
API, RECONCILE = f"{_PACKAGE}.api_process", f"{_PACKAGE}.reconcile_process"
MODULES = (API, RECONCILE)
BACKOFF_FIRST_S = 0.2
BACKOFF_MOST_S = 10.0
# A child that lived so long did not die of its start.
SETTLED_S = 30.0


def stop_left_over(state_dir: Path) -> None:
    """End the children of a supervisor that was killed; they may finish a turn."""
    mine = f"--state-dir={state_dir}"
    for found in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            words = found.cmdline()
            if mine in words and any(word in MODULES for word in words):
                left_over = process.identify(found.pid)
                if left_over:
                    process.terminate(left_over, STOP_S)


class Child:
    """One of our own modules as a process that ends when we do, however we end.

    Args:
        module: run as `python -m`.
        arguments: hold no secret.
        log: what it prints; 0600.
        clock: seconds, never stepping back.
    """

    def __init__(
        self,
        module: str,
        arguments: Sequence[str],
        log: Path,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._module, self._arguments, self.log = module, arguments, log
        self._clock = clock
        self._process: subprocess.Popen[bytes] | None = None
        self._lifeline: int | None = None
        self._since, self._deaths, self._retry_at = 0.0, 0, 0.0

    @property
    def pid(self) -> int | None:
        """Of the process, while it runs."""
        return self._process.pid if self._process and self.running() else None

    def running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    def listens_on(self, port: int) -> bool:
        """Whether the process itself listens on a TCP port."""
        try:
            found = psutil.Process(self.pid).net_connections("tcp") if self.pid else ()
        except psutil.Error:
            return False
        listening = (one for one in found if one.status == psutil.CONN_LISTEN)
        return any(one.laddr.port == port for one in listening)

    def keep(self) -> None:
        """Start the process where it does not run, unless it died just now."""
        if self.running():
            return
        now = self._clock()
        if self._process is not None:
            settled = now - self._since >= SETTLED_S
            self._deaths = 0 if settled else self._deaths
            wait_s = min(BACKOFF_MOST_S, BACKOFF_FIRST_S * 2**self._deaths)
            self._deaths += 1
            self._process, self._retry_at = None, now + wait_s
        if now >= self._retry_at:
            self._start()

    def _start(self) -> None:
        self._close()
        reading, self._lifeline = os.pipe()
        output = process.open_log(self.log)
        try:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    self._module,
                    *self._arguments,
                    f"--parent-fd={reading}",
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=(reading,),
                # A Ctrl-C is for the supervisor, which stops its children in order.
                start_new_session=True,
                cwd="/",
            )
        finally:
            os.close(reading)
            os.close(output)
        self._since = self._clock()

    def stop(self) -> None:
        """Stop the process and wait for its end."""
        if self._process and self.running():
            found = process.identify(self._process.pid)
            if found:
                process.terminate(found, STOP_S)
            self._process.wait()
        self._close()

    def _close(self) -> None:
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None

    def last_line(self) -> str:
        """The last line of its log, for an error."""
        return process.last_line(self.log) or "nothing"
