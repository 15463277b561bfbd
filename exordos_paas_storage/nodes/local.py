"""The Node port on this machine: one engine process for each instance.

An engine leads a session of its own and outlives this process, which finds it again
by the pid and creation it wrote down, or by its command line where it did not come to
writing. Nothing here runs by itself: whoever wants a node calls `ensure` again and
again, and an engine that died is started once its backoff is over.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass, field
from pathlib import Path

from exordos_paas_storage.domain import capabilities, errors
from exordos_paas_storage.nodes import (
    account,
    engine_config,
    folder,
    launch,
    port,
    port_lock,
    process,
    ready,
)

BACKOFF_FIRST_S = 0.5
BACKOFF_MOST_S = 30.0
# An engine that lived so long did not die of its start.
SETTLED_S = 60.0
START_S = 120.0

# Path of an engine's binary, None where it is not installed.
FindBinary = Callable[[str, str], Path | None]


@dataclass
class _Watch:
    """What this process knows of one instance and has nowhere else."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    run: folder.Run | None = None
    child: subprocess.Popen[bytes] | None = None
    since: float = 0.0
    was_ready: bool = False
    deaths: int = 0
    retry_at: float = 0.0


class LocalNodes:
    """Engines as processes of this machine; safe to use from several threads.

    Args:
        root_dir: holds a folder for each instance.
        engine_binaries: the binary of an engine and version.
        run_as: under whose account an engine runs.
        clock: seconds, never stepping back; backoff and patience follow it.
        start_wait_s: how long `ensure` waits for an engine it has just started.
        host: the address that engines listen on.
        first_port: the first one that a new node tries.
    """

    places = True

    def __init__(
        self,
        root_dir: Path,
        engine_binaries: FindBinary,
        run_as: account.Isolation | None = None,
        clock: Callable[[], float] = time.monotonic,
        *,
        start_wait_s: float = 2.0,
        host: str = "127.0.0.1",
        first_port: int = 9000,
    ) -> None:
        self._root_dir = root_dir
        self._binaries = engine_binaries
        self._run_as = run_as or account.default()
        self._clock = clock
        self._start_wait_s = start_wait_s
        self._host, self._first_port = host, first_port
        self._lock = threading.Lock()
        self._watches: dict[uuid.UUID, _Watch] = {}

    def ensure(self, spec: port.NodeSpec) -> port.NodeStatus:
        """Adopt the running engine, or start it unless its backoff still lasts.

        One that was started with other values (a port, a version) is stopped first.
        """
        with self._watch(spec) as watch:
            run = self._look(spec, watch)
            if run and not run.serves(spec):
                self._stop(spec, watch)
                run = None
            if run is None:
                refused = self._start(spec, watch)
                if refused:
                    return refused
                process.wait_until(
                    lambda: self._settled(spec, watch), self._start_wait_s
                )
            return self._status(spec, watch)

    def status(self, spec: port.NodeSpec) -> port.NodeStatus:
        """What is seen of the node now."""
        with self._watch(spec) as watch:
            self._look(spec, watch)
            return self._status(spec, watch)

    def stop(self, spec: port.NodeSpec) -> None:
        """Stop the engine: SIGTERM, and SIGKILL when its time is over."""
        with self._watch(spec) as watch:
            self._look(spec, watch)
            self._stop(spec, watch)

    def remove(self, spec: port.NodeSpec) -> None:
        """Stop the engine and delete its folder; done if both are gone.

        Raises:
            SetupError: something could not be deleted.
        """
        with self._watch(spec) as watch:
            self._look(spec, watch)
            self._stop(spec, watch)
            self._folder(spec).delete()

    def locate(self, taken: Set[port.Endpoint]) -> port.Endpoint:
        """The first port that is free and no other node's."""
        ports = {one.port for one in taken}
        found = port_lock.pick(self._host, self._first_port, ports)
        return port.Endpoint(self._host, found)

    @contextlib.contextmanager
    def _watch(self, spec: port.NodeSpec) -> Iterator[_Watch]:
        with self._lock:
            watch = self._watches.setdefault(spec.instance_id, _Watch())
        with watch.lock:
            yield watch

    def _folder(self, spec: port.NodeSpec) -> folder.Folder:
        return folder.Folder(self._root_dir, spec.instance_id)

    def _look(self, spec: port.NodeSpec, watch: _Watch) -> folder.Run | None:
        """The living engine of the instance; notes the death of one it knew."""
        if watch.child:
            watch.child.poll()  # reaps it
        if watch.run and process.alive(watch.run.process):
            return watch.run
        if watch.run:
            self._note_death(watch)
        place = self._folder(spec)
        run = place.read_run()
        if not (run and process.alive(run.process) and launch.is_engine(run, place)):
            run = launch.find(spec.engine, place)
        if run:
            watch.run, watch.since, watch.was_ready = run, self._clock(), False
        return run

    def _note_death(self, watch: _Watch) -> None:
        now = self._clock()
        settled = watch.was_ready and now - watch.since >= SETTLED_S
        watch.deaths = 1 if settled else watch.deaths + 1
        wait_s = min(BACKOFF_MOST_S, BACKOFF_FIRST_S * 2 ** (watch.deaths - 1))
        watch.run, watch.child, watch.retry_at = None, None, now + wait_s

    def _start(self, spec: port.NodeSpec, watch: _Watch) -> port.NodeStatus | None:
        """Start the engine; the status that says why not, or None."""
        binary = self._binaries(spec.engine, spec.engine_version)
        if binary is None:
            return _down(port.BINARY_MISSING, _missing(spec))
        if self._clock() < watch.retry_at:
            return self._crashed(spec, watch)
        try:
            with port_lock.take(spec.host, spec.port) as lock:
                self._launch(spec, watch, binary, lock.fileno())
        except port_lock.PortTaken as error:
            return _down(port.PORT_TAKEN, f"{error}; the node keeps its port")
        except (errors.SetupError, OSError, subprocess.SubprocessError) as error:
            self._note_death(watch)
            return _down(port.START_FAILED, f"the engine can't be started: {error}")
        return None

    def _launch(
        self, spec: port.NodeSpec, watch: _Watch, binary: Path, lock: int
    ) -> None:
        place = self._folder(spec)
        config = place.place(spec)
        secret_files = engine_config.secret_files(spec.engine, spec.secrets)
        command = [str(binary), *engine_config.arguments(config)]
        with self._lock:  # two starts at once must not choose one account
            owner = place.prepare(self._run_as)
        place.write_secrets(secret_files, owner)
        environment = {
            "HOME": str(place.home),
            "PATH": os.defpath,
            **engine_config.environment(config),
            **place.secret_environment(),
        }
        child = launch.spawn(command, environment, place, owner, lock)
        watch.child = child
        started = process.identify(child.pid)
        # One that has ended already is noticed, and reaped, at the next look.
        seen = started or process.Process(child.pid, "ended at once")
        watch.run = folder.Run(
            seen, spec.engine, spec.engine_version, spec.host, spec.port
        )
        watch.since, watch.was_ready = self._clock(), False
        try:
            place.write_run(watch.run)
        except OSError:
            # A full disk: nobody would know of it, so it must not live on.
            child.kill()
            child.wait()
            raise

    def _stop(self, spec: port.NodeSpec, watch: _Watch) -> None:
        if watch.run:
            limits = capabilities.of(watch.run.engine, watch.run.engine_version)
            process.terminate(watch.run.process, limits.stop_s)
        if watch.child:
            watch.child.poll()
        self._folder(spec).forget_run()
        watch.run, watch.child, watch.deaths, watch.retry_at = None, None, 0, 0.0

    def _settled(self, spec: port.NodeSpec, watch: _Watch) -> bool:
        return self._look(spec, watch) is None or self._status(spec, watch).ready

    def _status(self, spec: port.NodeSpec, watch: _Watch) -> port.NodeStatus:
        if watch.run is None:
            return self._crashed(spec, watch)
        pid = watch.run.process.pid
        if watch.run.serves(spec) and ready.answers(spec):
            watch.was_ready = True
            return port.NodeStatus(True, True, port.READY, "", pid)
        if not watch.was_ready and self._clock() - watch.since < START_S:
            return port.NodeStatus(
                True, False, port.STARTING, "the engine is starting", pid
            )
        message = f"the engine does not say on port {spec.port} that it is ready"
        return port.NodeStatus(True, False, port.NOT_ANSWERING, message, pid)

    def _crashed(self, spec: port.NodeSpec, watch: _Watch) -> port.NodeStatus:
        if not watch.deaths:
            return _down(port.STOPPED, "the engine is not running")
        wait_s = max(0.0, watch.retry_at - self._clock())
        said = process.last_line(self._folder(spec).log)
        message = f"the engine ended; it is started again in {wait_s:.1f} s"
        return _down(port.CRASHED, f"{message}; its log ends: {said}")


def _down(reason: str, message: str) -> port.NodeStatus:
    return port.NodeStatus(False, False, reason, message)


def _missing(spec: port.NodeSpec) -> str:
    return (
        f"{spec.engine} {spec.engine_version} is not installed here: run"
        f" exordos-storage engine install {spec.engine}"
    )
