"""Statuses and conditions: how far the engine is from what was asked."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any, TypedDict

PENDING = "PENDING"
CREATING = "CREATING"
ACTIVE = "ACTIVE"
ERROR = "ERROR"
DELETING = "DELETING"
STATUSES = (PENDING, CREATING, ACTIVE, ERROR, DELETING)

ENGINE_READY = "EngineReady"
NODES_READY = "NodesReady"
DATA_PRESENT = "DataPresent"
SIZES_ENFORCED = "SizesEnforced"
ENCRYPTION_EFFECTIVE = "EncryptionEffective"
DELETE_REFUSED = "DeleteRefused"
ON_ENGINE = "OnEngine"
FULLY_EFFECTIVE = "FullyEffective"

TRUE, FALSE, UNKNOWN = "True", "False", "Unknown"


class Condition(TypedDict):
    """One fact about an object; `since` is RFC 3339 in UTC."""

    type: str
    status: str
    reason: str
    message: str
    since: str


def stamp(now: datetime.datetime) -> str:
    """A time with a zone as conditions show it: RFC 3339 in UTC, whole seconds."""
    said = now.astimezone(datetime.timezone.utc).isoformat(timespec="seconds")
    return said.replace("+00:00", "Z")


def with_condition(
    conditions: Sequence[Condition],
    kind: str,
    status: str,
    reason: str,
    message: str,
    now: str,
) -> list[Condition]:
    """The conditions with one set; `since` moves only when its status changes."""
    before = next((one for one in conditions if one["type"] == kind), None)
    since = before["since"] if before and before["status"] == status else now
    fresh = Condition(
        type=kind, status=status, reason=reason, message=message, since=since
    )
    return [*without_condition(conditions, kind), fresh]


def without_condition(conditions: Sequence[Condition], kind: str) -> list[Condition]:
    """The conditions but for those of one type."""
    return [one for one in conditions if one["type"] != kind]


def condition_schema() -> dict[str, Any]:
    """JSON schema of one condition."""
    text = {"type": "string"}
    return {
        "type": "object",
        "required": ["type", "status", "reason", "message", "since"],
        "properties": {
            "type": text,
            "status": {"type": "string", "enum": [TRUE, FALSE, UNKNOWN]},
            "reason": text,
            "message": text,
            "since": {"type": "string", "format": "date-time"},
        },
    }
