"""The process that answers the HTTP API on one box."""

from __future__ import annotations

import logging
import signal
import sys

import waitress

from exordos_paas_storage.api import app, packer
from exordos_paas_storage.domain import errors
from exordos_paas_storage.iam import issuer
from exordos_paas_storage.onebox import settings

THREADS = 8
LOG = logging.getLogger(__name__)


def main() -> None:
    """Serve until SIGTERM."""
    found, arguments = settings.of_arguments()
    try:
        found.open_models(most=THREADS + 2)
    except errors.SetupError as error:
        LOG.error("%s", error)
        sys.exit(1)
    server = waitress.create_server(
        app.build(issuer.Issuer(found.token_key())),
        listen=f"{settings.HOST}:{arguments.port}",
        threads=THREADS,
        ident=None,
        # Anything larger is cut off before it fills the disk.
        max_request_body_size=packer.MOST_BYTES + packer.MOST_READ_AWAY,
    )
    # waitress ends its loop, its workers and its sockets on this exception.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    LOG.info("answers on %s:%s", settings.HOST, arguments.port)
    server.run()


if __name__ == "__main__":
    main()
