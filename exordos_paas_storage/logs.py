"""What a process of the service logs, and what it keeps to itself."""

from __future__ import annotations

import logging
import sys

_FORM = "%(asctime)s %(levelname)s %(name)s: %(message)s"
# These print every statement with its values, or a line for each request.
_NOISY = ("restalchemy", "gcl_iam", "psycopg.pool", "httpx", "botocore", "bazooka")


def configure() -> None:
    """Log to standard error, from INFO on."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format=_FORM)
    for noisy in _NOISY:
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # A trace for each expired token would bury everything else.
    logging.getLogger("gcl_iam.middlewares").setLevel(logging.CRITICAL)
