"""What the tests of the adapter on Core are made of.

Core is `fake_core`; an engine is a server that answers its readiness path.
"""

from __future__ import annotations

import base64
import dataclasses
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from exordos_paas_storage.domain import capabilities
from exordos_paas_storage.nodes import core_client, port
from tests.contract import fake_core

SECRETS = port.NodeSecrets(
    access_key="ROOT" + "K" * 16,
    secret_key="s" * 20 + "t" * 20,
    sse_master_key=base64.b64encode(bytes(range(32))).decode(),
    iam_master_key=base64.b64encode(bytes(range(32, 64))).decode(),
)
HERE = "127.0.0.1"


class Engine:
    """Answers as a ready engine does, while it is up."""

    def __init__(self):
        self.up, self.looks = True, 0
        engine = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                engine.looks += 1
                ready = capabilities.of("minio", "1").ready_path
                self.send_response(200 if engine.up and self.path == ready else 503)
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer((HERE, 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,)).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


def client(server, now, timeout_s=core_client.TIMEOUT_S, **more):
    """A client of the server as the service has one; `now` holds its clock."""
    values = {
        "url": server.url,
        "username": fake_core.USER,
        "password": fake_core.PASSWORD,
        "project_id": fake_core.PROJECT,
    } | more
    account = core_client.Account(**values)
    return core_client.CoreClient(account, lambda: now[0], timeout_s)


def spec():
    """A node that was never asked for."""
    return port.NodeSpec(
        node_id=uuid.uuid4(),
        instance_id=uuid.uuid4(),
        engine="minio",
        engine_version="1",
        host="",
        port=0,
        secrets=SECRETS,
        sizes=port.Sizes(2, 2048, 20),
        image="urn:images:6f0c5a4e-0d4e-5d55-9f6e-2d2f3a8f0f11",
    )


def asked(spec, **more):
    """The spec after a change that the instance has not worked with yet."""
    return dataclasses.replace(spec, generation=spec.generation + 1, **more)


def placed(spec, seen, **more):
    """The spec as it is asked for next, with the address that was said."""
    host, number = seen.endpoint
    return dataclasses.replace(spec, host=host, port=number, **more)
