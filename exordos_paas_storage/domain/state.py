"""What an engine holds, as plain values; desired and observed are the same types."""

from __future__ import annotations

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
    """A service account under a user; its secret travels apart from it."""

    access_key: str
    user: str
    description: str = ""
    enabled: bool = True


@dataclass(frozen=True)
class Credentials:
    """A key pair; the secret is in no `repr`."""

    access_key: str
    secret_key: str = field(repr=False)
