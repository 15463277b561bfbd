"""The supervisor: brings every part up in order, keeps it up, takes it down again."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
from restalchemy.storage.sql import engines as database_engines

from exordos_paas_storage.client import http
from exordos_paas_storage.domain import errors
from exordos_paas_storage.models import account, migrate, version
from exordos_paas_storage.models import secrets as model_secrets
from exordos_paas_storage.nodes import process, sweep
from exordos_paas_storage.onebox import (
    children,
    database,
    database_url,
    demo,
    engines,
    ports,
    postgres,
    settings,
    statedir,
)
from exordos_paas_storage.sealing import box

# The version that a new instance is of; it names the engine that was chosen.
VERSION = "0.0.1"
PROJECT = "default"
USER = "admin"
API_READY_S = 60.0
LOOK_S = 0.1
DATABASE_AGAIN_S = 1.0
# How often `says` is called until the service is ready.
STEPS = 4

Says = Callable[[str], None]


@dataclass(frozen=True)
class Wanted:
    """What `up` was asked for; `None` leaves the choice to us."""

    state: statedir.StateDir
    engine: engines.Choice
    api_port: int | None = None
    sealing_key_file: Path | None = None
    database: database_url.Address | None = None

    def address(self) -> database_url.Address | None:
        """The operator's own database: named now, or at an earlier start."""
        return self.database or database.remembered(self.state)


class Service:
    """One service on one state folder.

    Args:
        wanted: see `Wanted`.
        says: told each step in words before it is taken.
    """

    def __init__(self, wanted: Wanted, says: Says) -> None:
        self._wanted, self._state, self._says = wanted, wanted.state, says
        self._settings = settings.Settings(self._state, _key_file(wanted))
        self._address = wanted.address()
        self._database = database.of(self._state, self._address)
        self._database_said, self._database_try_at = "", 0.0
        self._children: list[children.Child] = []
        self._port_lock: socket.socket | None = None

    def run(
        self, stop: threading.Event, ready: Callable[[dict[str, Any]], None]
    ) -> None:
        """Bring the service up, call `ready` with its facts, and keep it until `stop`.

        Raises:
            SetupError: it can't come up; nothing is left running.
        """
        with self._state.lock():
            children.stop_left_over(self._state.path)
            # Also where another database is used from now on.
            postgres.EmbeddedPostgres(self._state).stop_left_over()
            facts = self._remembered()
            try:
                self._bring_up(facts)
                if not stop.is_set():
                    self._state.write_state({**facts, "pid": os.getpid()})
                    ready(facts)
                while not stop.wait(LOOK_S):
                    self._keep_up()
            finally:
                stop.set()  # from here on a signal interrupts nothing
                self._says("stopping")
                self._take_down()

    def _remembered(self) -> dict[str, Any]:
        facts = self._state.read_state()
        facts.pop("pid", None)
        facts.setdefault("project_id", str(uuid.uuid4()))
        facts["username"] = USER
        password = self._state.secret_file(
            "admin-password", lambda: secrets.token_urlsafe(18)
        )
        facts["password_file"] = str(password)
        chosen = self._wanted.engine
        facts["engine"] = {"name": chosen.engine, "version": chosen.version}
        return facts

    def _bring_up(self, facts: dict[str, Any]) -> None:
        port, self._port_lock = ports.take(
            settings.HOST, self._wanted.api_port, facts.get("api_port")
        )
        facts["api_port"] = port
        facts["api_url"] = f"http://{settings.HOST}:{port}"
        facts["token_url"] = facts["api_url"] + http.TOKEN_PATH
        self._state.write_state(facts)
        engines.stage(self._wanted.engine, self._state)
        self._says(self._database.opening)
        self._database.start()
        self._says("bringing the database up to date")
        try:
            self._prepare_database(facts)
        except psycopg.Error as error:
            raise errors.SetupError(database.failed(self._database, error)) from None
        # Remembered only now that both are proved.
        database.remember(self._state, self._address)
        facts["database"] = self._database.place
        facts["sealing_key_file"] = str(self._settings.sealing_key_file)
        self._says("starting the API and the reconciler")
        self._start_children(port)
        client = http.Client(facts["api_url"], self._login(facts))
        self._await_api(facts["api_url"], port)
        self._says("preparing the instance demo")
        facts["demo"] = self._prepared_demo(client, facts)

    def _prepare_database(self, facts: dict[str, Any]) -> None:
        """Migrate, prove the sealing keys, and store what every service has."""
        uri = self._database.uri()
        keys = self._settings.sealing_key_file
        project = uuid.UUID(facts["project_id"])
        ran = bool(facts.get("admin_made"))
        database.check_whose(self._database, self._state, project, ran)
        migrate.connect(uri, 2)
        try:
            migrate.migrate(uri)
            if not keys.exists():
                if model_secrets.in_use():
                    raise errors.SetupError(
                        f"sealing key file {keys} is gone and this database's secrets "
                        "can't be opened without it: restore it from your backup"
                    )
                box.write_new_keys(keys)
            self._settings.use_keys()
            version.offer(
                VERSION, self._wanted.engine.engine, self._wanted.engine.version
            )
            account.add_project(project, PROJECT)
            # Once: whoever removes the account later means it.
            if account.named(USER) is None and not facts.get("admin_made"):
                password = Path(facts["password_file"]).read_text()
                account.add_user(USER, password, project, "owner")
            facts["admin_made"] = True
        finally:
            database_engines.engine_factory.destroy_all_engines()

    def _start_children(self, port: int) -> None:
        given = self._settings.arguments()
        for name, module, arguments in (
            ("api", children.API, [*given, f"--port={port}"]),
            ("reconcile", children.RECONCILE, given),
        ):
            child = children.Child(module, arguments, self._state.logs / f"{name}.log")
            self._children.append(child)
            child.keep()

    def _await_api(self, url: str, port: int) -> None:
        deadline = time.monotonic() + API_READY_S
        api = self._children[0]
        while True:
            with contextlib.suppress(httpx.HTTPError):
                # Whoever else answers there must not be sent the password.
                ours = api.listens_on(port)
                if ours and httpx.get(f"{url}/readyz", timeout=5).is_success:
                    return
            if not api.running() or time.monotonic() > deadline:
                raise errors.SetupError(
                    f"the API did not start; its log {api.log} ends: {api.last_line()}"
                )
            time.sleep(LOOK_S)

    def _login(self, facts: dict[str, Any]) -> http.Login:
        password = Path(facts["password_file"]).read_text()
        return http.Login(USER, password, facts["project_id"])

    def _prepared_demo(
        self, client: http.Client, facts: dict[str, Any]
    ) -> dict[str, Any] | None:
        before = facts.get("demo")
        if "demo" in facts and before is None:
            return None
        try:
            return demo.prepare(client, self._state, before)
        except (http.NotActive, http.ApiRefused, http.ApiUnreachable) as error:
            if before is None:
                raise errors.SetupError(f"the demo does not come up: {error}") from None
            self._says(f"the demo is not ready: {error}")
            return before

    def _keep_up(self) -> None:
        self._keep_database()
        for child in self._children:
            child.keep()

    def _keep_database(self) -> None:
        """Start it again, or connect again; told once for as long as it is the same."""
        if self._database.running():
            if self._database_said:
                self._says(f"{self._database.called} is back")
            self._database_said = ""
        elif time.monotonic() >= self._database_try_at:
            if not self._database_said:
                self._database_said = f"{self._database.called} is gone"
                self._says(f"{self._database_said}; {self._database.opening}")
            try:
                self._database.start()
            except errors.SetupError as error:
                if self._database_said != str(error):
                    self._says(str(error))
                self._database_said = str(error)
                self._database_try_at = time.monotonic() + DATABASE_AGAIN_S

    def _take_down(self) -> None:
        with contextlib.ExitStack() as each:  # the last one pushed goes first
            if self._port_lock:
                each.callback(self._port_lock.close)
            each.callback(self._database.stop)
            each.callback(sweep.stop_all, self._state.instances)
            for child in self._children:
                each.callback(child.stop)


def _key_file(wanted: Wanted) -> Path:
    """The sealing keys: where it was said now, or last time, or in the state folder."""
    before = wanted.state.read_state().get("sealing_key_file")
    inside = wanted.state.secrets / "sealing-keys"
    return wanted.sealing_key_file or (Path(before) if before else inside)


def take_down_left_over(state: statedir.StateDir) -> None:
    """Stop what a killed supervisor left running; the caller saw that none holds it."""
    with state.lock():
        children.stop_left_over(state.path)
        sweep.stop_all(state.instances)
        postgres.EmbeddedPostgres(state).stop_left_over()


def stop(state: statedir.StateDir, within_s: float) -> bool:
    """Stop the service that holds a state folder; whether there was one.

    Raises:
        SetupError: it still runs after `within_s` seconds.
    """
    pid = state.holder() if state.is_held() else None
    found = process.identify(pid) if pid else None
    if found is None:
        return False
    os.kill(found.pid, signal.SIGTERM)
    if not process.wait_until(lambda: not state.is_held(), within_s):
        raise errors.SetupError(
            f"the service (pid {pid}) still stops after {within_s:.0f} s; look at "
            f"{state.logs}"
        )
    process.wait_gone(found, 10.0)
    return True
