"""What manifests can declare, and the models of the agent that stores it."""

from __future__ import annotations

AGENT_MODELS: dict[str, str] = {}
AGENT_FILTERS: dict[str, str] = {}
