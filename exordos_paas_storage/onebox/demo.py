"""The instance `demo`: what a newcomer tries first, made through the public API."""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping
from typing import Any

from exordos_paas_storage.client import http
from exordos_paas_storage.domain import status
from exordos_paas_storage.onebox import statedir

NAME = "demo"
BUCKET = "demo-bucket"
WITHIN_S = 120.0
_ID = string.ascii_uppercase + string.digits
_SECRET = string.ascii_letters + string.digits


def prepare(
    client: http.Client, state: statedir.StateDir, before: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    """The demo's facts for `status`; it is made once and never again.

    Args:
        before: the facts of the last start; `None` on the first.

    Returns:
        The facts, or `None` when its owner has deleted it.

    Raises:
        NotActive: it does not come up.
    """
    if before and _is_gone(client.find(f"/instances/{before['instance_id']}")):
        return None
    if before is None:
        _create(client, state)
    which = before["instance_id"] if before else NAME
    path = f"/instances/{which}"
    found = client.wait_active(path, WITHIN_S, through_errors=before is None)
    if before is None:
        key = _key_id(state)
        user = f"/instances/{NAME}/users/{NAME}"
        client.wait_active(user, WITHIN_S)
        client.wait_active(f"{user}/access-keys/{key}", WITHIN_S)
    return {
        "instance_id": found["id"],
        "endpoint": found["endpoint"],
        "bucket": BUCKET,
        "access_key": _key_id(state),
        "secret_key_file": str(_secret_file(state)),
    }


def _is_gone(found: dict[str, Any] | None) -> bool:
    return found is None or found["status"] == status.DELETING


def _create(client: http.Client, state: statedir.StateDir) -> None:
    """Create what is missing; a start that was interrupted is gone on with."""
    secret = _secret_file(state).read_text()
    for collection, name, body in (
        (
            "/instances",
            NAME,
            {
                "name": NAME,
                "description": "a first instance to try things on",
                "bucket_name": BUCKET,
                "encryption": "aes256",
                "versioning": True,
            },
        ),
        (f"/instances/{NAME}/users", NAME, {"name": NAME}),
        (
            f"/instances/{NAME}/users/{NAME}/access-keys",
            _key_id(state),
            {"access_key": _key_id(state), "secret_key": secret},
        ),
    ):
        if client.find(f"{collection}/{name}") is None:
            client.create(collection, body)


def _key_id(state: statedir.StateDir) -> str:
    return state.secret_file("demo-access-key", lambda: _random(_ID, 20)).read_text()


def _secret_file(state: statedir.StateDir) -> Any:
    return state.secret_file("demo-secret-key", lambda: _random(_SECRET, 40))


def _random(alphabet: str, length: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))
