"""What Core hands to the agent of a machine, asked for as that agent asks.

Source: gcl_sdk 3.7, `clients/http/base.py` and `agents/universal/orch_api`.
"""

from __future__ import annotations

import base64
import configparser
import json
import secrets

import httpx
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from exordos_paas_storage.nodes import image
from tests.functional import stand

_CONFIG = "/etc/exordos_universal_agent/exordos_universal_agent.conf"
_KEY = "/var/lib/exordos/universal_agent/private_key"
_SEALED = "application/x-genesis-agent-chacha20-poly1305-encrypted"
_NODE, _NONCE = "X-Genesis-Node-UUID", "X-Genesis-Nonce"


class Agent:
    """The agent of one machine.

    Args:
        breaker: looks into the machine.
        address: of the machine.

    Attributes:
        id: of the machine, and so of its agent.
    """

    def __init__(self, breaker: stand.Stand, address: str) -> None:
        self._breaker, self._address = breaker, address
        listed = map(json.loads, breaker("machine", "list").splitlines())
        self.id: str = next(one["id"] for one in listed if one["address"] == address)
        self._key = base64.b64decode(self._read(_KEY))
        config = configparser.ConfigParser()
        config.read_string(self._read(_CONFIG))
        self._core = config["universal_agent"]["orch_endpoint"]

    def secrets(self) -> set[str]:
        """What the engine of the machine works with and nobody else may know."""
        reading = f"for one in {image.SECRETS_DIR}/*; do cat $one; echo; done"
        found = set(self._run("sh", "-c", reading).split())
        assert len(found) >= 3, f"{self._address} has {len(found)} secrets"
        return found

    def handed(self, of: str | None = None) -> str:
        """What Core answers, as text: its own target, or that of another agent."""
        nonce, cipher = secrets.token_bytes(12), ChaCha20Poly1305(self._key)
        answer = httpx.request(
            "GET",
            f"{self._core}/v1/agents/{of or self.id}/actions/get_payload",
            content=cipher.encrypt(nonce, b"{}", None),
            headers={
                "Content-Type": _SEALED,
                _NODE: self.id,
                _NONCE: base64.b64encode(nonce).decode(),
            },
            timeout=60,
            trust_env=False,
        )
        assert answer.status_code == 200, answer.text
        answered = base64.b64decode(answer.headers[_NONCE])
        return cipher.decrypt(answered, answer.content, None).decode()

    def _read(self, path: str) -> str:
        return self._run("cat", path).strip()

    def _run(self, *words: str) -> str:
        return self._breaker("machine", "exec", self._address, "--", *words)
