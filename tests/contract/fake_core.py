"""A server that answers node sets and configs as Exordos Core does, for the adapter.

What it does, and where it is from (exordos_core 0.3.5 unless said otherwise; bodies
and statuses were compared with a running Core):

* 401 `{"error": "invalid_token"}` for a token it did not give or that ended; 400
  `{"error": "invalid_grant"}` for a wrong password: gcl_iam 1.4.0, `middlewares.py`.
* 404 `{"type": "RecordNotFound", "code": 404, "message": …}` and 409 with
  `ConflictRecords` for an id that exists: restalchemy 16.1.4,
  `api/middlewares/errors.py`, `storage/exceptions.py`.
* 501 `NotImplementedError` for a path that it does not know, whatever the method:
  restalchemy 16.1.4, `api/routes.py`.
* An object of another project is not found; POST with another project is 403: gcl_iam,
  `api/controllers.py`.
* A set is `NEW`, then `IN_PROGRESS`, and `ACTIVE` when its machine is; `nodes` is
  `{node: {"ipv4": …}}` and empty before there are machines; PUT makes it
  `IN_PROGRESS`; DELETE is 204: `user_api/compute/api/controllers.py`,
  `compute/builders/node_set.py`.
* A config is `NEW`; a new one whose machine is unknown is deleted by Core, and no other
  is, also after its machine: `config/service.py`, `_actualize_new_config`.

The test moves it on: nothing here happens by itself.
"""

from __future__ import annotations

import json
import secrets
import threading
import uuid
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

PROJECT = uuid.UUID("4d657461-0000-0000-0000-000000000002")
USER, PASSWORD = "metapaas", "a password of tests"
TOKEN_PATH = "/v1/iam/clients/default/actions/get_token/invoke"
SETS, CONFIGS = "/v1/compute/sets/", "/v1/config/configs/"

Answer = tuple[int, Any]
Reply = Callable[[str, str], Answer | None]


class Core:
    """What Core has, and how it answers.

    Attributes:
        sets: node sets by id; `configs` alike.
        calls: method and path of every call but logins, in their order.
        logins: how many there were.
        down: every connection is cut before anything is done.
        instead: asked first with method and path; what it gives is the answer.
        lose_answer: asked when a call is done; True cuts the connection instead of
            answering.
        lingers: GETs of a deleted set that still show it.
    """

    def __init__(self) -> None:
        self.sets: dict[str, dict[str, Any]] = {}
        self.configs: dict[str, dict[str, Any]] = {}
        self.calls: list[tuple[str, str]] = []
        self.logins = 0
        self.down = False
        self.instead: Reply = lambda method, path: None
        self.lose_answer: Callable[[str, str], bool] = lambda method, path: False
        self.lingers = 0
        self._lingering: dict[str, dict[str, Any]] = {}
        self._token = ""
        self._lock = threading.Lock()
        core = self

        class Handler(_Handler):
            served = core

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Core:
        threading.Thread(target=self._server.serve_forever, args=(0.02,)).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def boot(self, set_id: Any, ipv4: str | None, status: str = "ACTIVE") -> str:
        """Have the set's machine, a new one, at this address; its id."""
        node = str(uuid.uuid4())
        facts = {"ipv4": ipv4} if ipv4 else {}
        self.sets[str(set_id)] |= {"status": status, "nodes": {node: facts}}
        return node

    def say(self, set_id: Any, status: str) -> None:
        """Have the set in another status."""
        self.sets[str(set_id)]["status"] = status

    def end_token(self) -> None:
        """Let the token that was given have ended."""
        self._token = "ended"

    def count(self, method: str, below: str = "/") -> int:
        """How many calls of that method there were to paths that begin so."""
        return len([1 for m, path in self.calls if m == method and below in path])

    def answer(self, method: str, path: str, auth: str, body: bytes) -> Answer:
        """Do what a call asks for."""
        with self._lock:
            if path == TOKEN_PATH:
                return self._login(parse_qs(body.decode()))
            self.calls.append((method, path))
            if auth != f"Bearer {self._token}":
                return 401, {"error": "invalid_token", "error_description": "no"}
            for top, table in ((SETS, self.sets), (CONFIGS, self.configs)):
                if path.startswith(top):
                    given = json.loads(body) if body else {}
                    return self._object(method, table, path.removeprefix(top), given)
        return 501, _error("NotImplementedError", 501)

    def _login(self, form: dict[str, list[str]]) -> Answer:
        self.logins += 1
        wanted = {
            "grant_type": ["password"],
            "username": [USER],
            "password": [PASSWORD],
            "scope": [f"project:{PROJECT}"],
        }
        if {name: form.get(name) for name in wanted} != wanted:
            return 400, {"error": "invalid_grant", "error_description": "no"}
        self._token = secrets.token_hex(8)
        return 200, {"access_token": self._token, "refresh_token": "unused"}

    def _object(
        self, method: str, table: dict[str, Any], name: str, given: dict[str, Any]
    ) -> Answer:
        if method == "POST":
            return self._create(table, given)
        if method == "GET" and self._lingering.get(name) and self.lingers:
            self.lingers -= 1
            return 200, self._lingering[name]
        found = table.get(name)
        if found is None or found["project_id"] != str(PROJECT):
            return 404, _error("RecordNotFound", 404)
        if method == "DELETE":
            self._lingering[name] = table.pop(name)
            return 204, None
        if method == "PUT":
            if "project_id" in given and given["project_id"] != str(PROJECT):
                return 403, _error("Forbidden", 403)
            found |= given
            found["status"] = "IN_PROGRESS" if table is self.sets else "NEW"
        return 200, found

    def _create(self, table: dict[str, Any], given: dict[str, Any]) -> Answer:
        if given.get("project_id") != str(PROJECT):
            return 403, _error("Forbidden", 403)
        if given["uuid"] in table:
            return 409, _error("ConflictRecords", 409)
        more: dict[str, Any] = {"nodes": {}} if table is self.sets else {}
        table[given["uuid"]] = {**given, **more, "status": "NEW", "description": ""}
        made = table[given["uuid"]]
        known = {node for one in self.sets.values() for node in one["nodes"]}
        if table is self.configs and made["target"]["node"] not in known:
            del table[given["uuid"]]
        return 201, made


def _error(kind: str, code: int) -> dict[str, Any]:
    return {"type": kind, "code": code, "message": f"{kind}: SENT BODY"}


class _Handler(BaseHTTPRequestHandler):
    served: Core
    protocol_version = "HTTP/1.1"
    # An answer in one piece, or the client waits for the second one's delay.
    wbufsize = -1

    def log_message(self, *_: Any) -> None:
        pass

    def _answer(self) -> None:
        core, length = self.served, int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if core.down:
            self.close_connection = True
            return
        said = core.instead(self.command, self.path)
        if said is None:
            said = core.answer(
                self.command, self.path, self.headers.get("Authorization", ""), body
            )
        if core.lose_answer(self.command, self.path):
            self.close_connection = True
            return
        status, found = said
        text = b"" if found is None else json.dumps(found).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = do_DELETE = _answer
