"""What keys may do on an engine in memory: the simulator asked over what it holds."""

from __future__ import annotations

import datetime
from typing import Any

from exordos_paas_storage.domain import state
from exordos_paas_storage.domain.language import document, simulator
from exordos_paas_storage.engine import memory
from tests.service import fakes
from tests.service.effects.asks import Ask

CONTEXT = {"aws:SourceIp": ("127.0.0.1",), "aws:SecureTransport": ("false",)}


class Sight:
    """Decides as an engine would that holds what the one in memory holds."""

    def __init__(self, world: fakes.World) -> None:
        self._world = world

    def may(self, pair: state.Credentials, ask: Ask) -> bool:
        key = self._held("access_key", pair.access_key)
        user = key and self._held("user", key.user)
        now = datetime.datetime.now(datetime.timezone.utc)
        if not user or not user.enabled or not key.enabled:
            return False
        if key.expires_at is not None and key.expires_at <= now:
            return False
        held = [self._held("policy", name) for name in sorted(user.policies)]
        policies = [
            simulator.Policy(one.name, document.assembled(one.document))
            for one in held
            if one is not None  # as the real ones, it ignores what is not there
        ]
        asked = {**CONTEXT, **ask.context}
        principal = simulator.Principal(user.name)
        request = simulator.Request(principal, ask.action, ask.resource, asked)
        scope = None if key.scope is None else document.assembled(key.scope)
        return simulator.decide(policies, request, scope).allowed

    def _held(self, method: str, name: str) -> Any:
        # Past what is recorded: these are not calls of the service.
        return getattr(memory.MemoryEngine, method)(self._world.only, name)
