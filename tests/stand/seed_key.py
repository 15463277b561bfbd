"""What a machine does first when it boots from the network: it asks for its own key."""

from __future__ import annotations

import sys
from pathlib import Path

import httpx

from exordos_paas_storage.nodes import process
from tests.stand import places

_KEY = Path("/var/lib/exordos/universal_agent/private_key")
_LIMIT_S = 60.0


def fetch(node: str) -> bool:
    """Ask once; whether the key is there.

    Source: exordos_core 0.3.5, boot API, `refresh_secret`.
    """
    url = f"http://{places.CORE}:11013/v1/nodes/{node}/actions/refresh_secret/invoke"
    try:
        answer = httpx.post(url, json={}, timeout=10.0)
    except httpx.HTTPError:
        return False
    if not answer.is_success:
        return False
    _KEY.parent.mkdir(parents=True, exist_ok=True)
    _KEY.touch(mode=0o400)
    _KEY.write_text(answer.json()["key"])
    return True


if __name__ == "__main__":
    sys.exit(0 if process.wait_until(lambda: fetch(sys.argv[1]), _LIMIT_S) else 1)
