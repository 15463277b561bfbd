"""Keeps declared values out of the agent's log.

gcl_sdk 3.7 logs the whole view of an object that could not be created
(`services/agent.py`, `_actualize_capability`), and an access key's has its secret. Ours
report failures instead of raising; a commit that fails still raises beyond them.
"""

from __future__ import annotations

import logging

from exordos_paas_storage.plugin import declared

_AGENT = "gcl_sdk.agents.universal.services.agent"
_OURS = declared.kind("")


class _Hidden(logging.Filter):
    """Replaces the views of our objects in what the agent says."""

    def filter(self, record: logging.LogRecord) -> bool:
        said = record.args
        if isinstance(said, tuple) and said and str(said[0]).startswith(_OURS):
            record.args = tuple(
                "(not logged)"
                if isinstance(one, str) and one.lstrip().startswith("{")
                else one
                for one in said
            )
        return True


_HIDDEN = _Hidden()


def hide_views() -> None:
    """Have the agent of this process log no view of an object of ours."""
    logging.getLogger(_AGENT).addFilter(_HIDDEN)
