"""The one route tree of both homes, with this home's keys behind it."""

from __future__ import annotations

from exordos_paas_storage.api import routes
from exordos_paas_storage.plugin import keys


def route() -> type[routes.TypeRoute]:
    """What MetaPaaS mounts at `/v1/types/s3/`."""
    keys.load()
    return routes.TypeRoute
