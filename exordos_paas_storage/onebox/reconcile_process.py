"""The process that makes the engines hold what the rows ask for, on one box."""

from __future__ import annotations

import datetime
import logging
import sys

from exordos_paas_storage.domain import errors
from exordos_paas_storage.nodes import local
from exordos_paas_storage.onebox import engines, settings
from exordos_paas_storage.reconcile import worker

LOG = logging.getLogger(__name__)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)


def main() -> None:
    """Reconcile until SIGTERM; the engines live on."""
    found, _ = settings.of_arguments()
    wanted = worker.Settings()
    stop = settings.until_stopped()
    try:
        found.open_models(most=wanted.workers + 4)
    except errors.SetupError as error:
        LOG.error("%s", error)
        sys.exit(1)
    nodes = local.LocalNodes(found.state.instances, engines.staged(found.state))
    reconciler = worker.Reconciler(found.database_uri(), nodes, wanted, _now)
    reconciler.start()
    LOG.info("reconciles")
    stop.wait()
    reconciler.stop()


if __name__ == "__main__":
    main()
