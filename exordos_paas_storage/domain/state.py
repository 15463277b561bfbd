"""What an engine holds, as plain values; desired and observed are the same types."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ENCRYPTIONS = ("none", "aes256")


@dataclass(frozen=True)
class Bucket:
    """A bucket and its settings; `encryption` is one of `ENCRYPTIONS`."""

    name: str
    versioning: bool = False
    encryption: str = "none"


@dataclass(frozen=True)
class Policy:
    """A named identity policy; `document` is AWS's language, actions as lists."""

    name: str
    document: Mapping[str, Any]


@dataclass(frozen=True)
class User:
    """An engine user and the names of the policies mapped to it."""

    name: str
    policies: frozenset[str] = frozenset()
    enabled: bool = True


@dataclass(frozen=True)
class AccessKey:
    """A service account under a user; its secret travels apart from it.

    Attributes:
        access_key: the id that requests are signed with.
        user: whose rights it has.
        description: for whoever lists the engine's accounts.
        enabled: whether the engine lets it sign.
        scope: the compiled document that its user's rights are cut down to; `None`
            for all of them.
        expires_at: when the engine itself stops it, aware, UTC, a whole second;
            `None` for never.
    """

    access_key: str
    user: str
    description: str = ""
    enabled: bool = True
    scope: Mapping[str, Any] | None = None
    expires_at: datetime.datetime | None = None


@dataclass(frozen=True)
class Credentials:
    """A key pair; the secret is in no `repr`."""

    access_key: str
    secret_key: str = field(repr=False)
