"""TLS before a PostgreSQL that speaks none, as that of the embedded wheel."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

# How libpq 17 and newer are told to begin with TLS, and not with a question for it.
DIRECT = "sslnegotiation=direct"
# What PostgreSQL asks of a client that does:
# https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-SSL
_ALPN = "postgresql"


class Front:
    """Passes on what comes by TLS, and takes nothing else.

    Attributes:
        port: where it listens, on loopback.
        ports: from which it connected to the server.
    """

    port: int

    def __init__(self, server_port: int, certificate: Path) -> None:
        self._server_port, self.ports = server_port, set[int]()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self._context.set_alpn_protocols([_ALPN])

    async def listen(self) -> None:
        """Take connections from now on."""
        self._server = await asyncio.start_server(
            self._take, "127.0.0.1", 0, ssl=self._context
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Take no more, and cut off what is connected."""
        self._server.close()
        cut = asyncio.all_tasks() - {asyncio.current_task()}
        for task in cut:
            task.cancel()
        await asyncio.gather(*cut, return_exceptions=True)

    async def _take(
        self, asked: asyncio.StreamReader, answered: asyncio.StreamWriter
    ) -> None:
        with contextlib.suppress(OSError):
            server = await asyncio.open_connection("127.0.0.1", self._server_port)
            self.ports.add(server[1].get_extra_info("sockname")[1])
            await asyncio.gather(_pass(asked, server[1]), _pass(server[0], answered))


async def _pass(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    """Pass bytes on until one side ends, and end the other one with it."""
    with contextlib.suppress(OSError):
        while data := await source.read(1 << 16):
            target.write(data)
            await target.drain()
    target.close()


@contextlib.contextmanager
def before(server_port: int, certificate: Path) -> Iterator[Front]:
    """A front of a server, with a PEM file of the chain and the key."""
    front = Front(server_port, certificate)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(front.listen())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield front
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(front.close())
        loop.close()
