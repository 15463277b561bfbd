"""The passwords of one stand: random, and closed to others."""

from __future__ import annotations

import base64
import dataclasses
import json
import secrets
from dataclasses import dataclass, field

from tests.stand import places

# The platform's migration seeds them, and its clients have them built in.
CLIENT_ID, CLIENT_SECRET = "GenesisCoreClientId", "GenesisCoreSecret"
CLIENT = "00000000-0000-0000-0000-000000000000"


def _word() -> str:
    return secrets.token_urlsafe(18)


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


@dataclass(frozen=True)
class Secrets:
    """Everything that would be chosen by who installs the platform.

    Attributes:
        admin: password of Core's user `admin`.
        tenant: password of the stand's user `tenant`.
        salt: of password hashes.
        tokens: the key that seals signing keys on their way; without padding.
        core_node, metapaas_node: what agents of these machines seal their calls with.
    """

    admin: str = field(default_factory=_word, repr=False)
    tenant: str = field(default_factory=_word, repr=False)
    salt: str = field(default_factory=_key, repr=False)
    tokens: str = field(
        default_factory=lambda: secrets.token_urlsafe(32).rstrip("="), repr=False
    )
    database_root: str = field(default_factory=_word, repr=False)
    core_database: str = field(default_factory=_word, repr=False)
    metapaas_database: str = field(default_factory=_word, repr=False)
    core_node: str = field(default_factory=_key, repr=False)
    metapaas_node: str = field(default_factory=_key, repr=False)


def make() -> Secrets:
    """New ones, kept for the calls that follow."""
    made = Secrets()
    places.SECRETS.touch(mode=0o600)
    places.SECRETS.write_text(json.dumps(dataclasses.asdict(made)))
    return made


def read() -> Secrets:
    """Those of the stand that runs."""
    return Secrets(**json.loads(places.SECRETS.read_text()))
