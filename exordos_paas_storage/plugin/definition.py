"""What MetaPaaS asks of a plugin.

Every process of MetaPaaS imports this module, and what it raises takes all plugins
down with it. So it imports the host's contract alone, each answer brings what it needs,
and nothing here raises.
"""

from __future__ import annotations

import logging
import uuid
from typing import Any

from exordos_metapaas import registry

from exordos_paas_storage.plugin import declared, place

LOG = logging.getLogger(__name__)


class S3Definition(registry.PaaSDefinition):
    """S3 storage, at `/v1/types/s3/` and as the element `s3aas`."""

    slug = place.SLUG
    element_name = place.ELEMENT

    def get_type_route(self) -> Any:
        """The route tree, of the version that is installed by now."""
        from exordos_paas_storage.plugin import hosted  # noqa: PLC0415

        return hosted.type_route()

    def get_migrations_path(self) -> str:
        """The folder of the database's steps."""
        return str(place.migrations())

    def get_builders(
        self,
        core_username: str,
        core_password: str,
        core_api_base_url: str,
        project_id: str | uuid.UUID,
    ) -> list[Any]:
        """The service that keeps the reconciler running."""
        try:
            from exordos_paas_storage.plugin import service  # noqa: PLC0415

            core = service.Core(
                core_api_base_url, core_username, core_password, str(project_id)
            )
            return [service.ReconcilerService(core)]
        except Exception:
            LOG.exception("the reconciler of %s can't be hosted", place.ELEMENT)
            return []

    def get_agent_models(self) -> dict[str, str]:
        """The model of each kind of object that a manifest can declare."""
        return dict(declared.AGENT_MODELS)

    def get_agent_filters(self) -> dict[str, str]:
        """The column of each that holds the project of declared objects."""
        return dict(declared.AGENT_FILTERS)
