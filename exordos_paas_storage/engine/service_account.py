"""Reading what an engine's admin API says of users and service accounts.

Whatever does not read as it should is refused: a scope that can't be read is not "no
scope", and an expiry that can't be read is not "never".
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from typing import Any

from exordos_paas_storage.domain import errors, state
from exordos_paas_storage.engine import answers, signed

_INFO = "info-service-account"
_LIST = "list-access-keys-bulk"
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)")


def user(name: str, answer: Any) -> state.User:
    """A user of user-info's answer, or of its entry in that of list-users."""
    mapped = answer.get("policyName", "") if isinstance(answer, Mapping) else None
    if not isinstance(mapped, str):
        raise _malformed("user-info")
    return state.User(
        name,
        policies=frozenset(filter(None, mapped.split(","))),
        enabled=answer.get("status") == "enabled",
    )


def read(access_key: str, answer: Mapping[str, Any], never: str) -> state.AccessKey:
    """The account of info-service-account's answer.

    Args:
        access_key: its id.
        answer: the engine's.
        never: the expiry by which this engine says that there is none.

    Raises:
        EngineRefused: the answer is not one.
    """
    return state.AccessKey(
        access_key,
        user=answer.get("parentUser", ""),
        description=answer.get("description") or "",
        enabled=answer.get("accountStatus") == "on",
        scope=_scope(answer),
        expires_at=_expiry(_INFO, answer, never),
    )


def listed(answer: Mapping[str, Any], never: str) -> dict[str, state.AccessKey]:
    """Accounts by their ids, of list-access-keys-bulk's answer.

    It says nothing of their scopes and of whether they are enabled: they are shown
    without and as disabled.
    """
    found = {}
    for parent, kinds in answer.items():
        if not isinstance(kinds, Mapping):
            raise _malformed(_LIST)
        for fields in kinds.get("serviceAccounts") or ():
            if not isinstance(fields, Mapping) or "accessKey" not in fields:
                raise _malformed(_LIST)
            found[fields["accessKey"]] = state.AccessKey(
                fields["accessKey"],
                user=parent,
                description=fields.get("description") or "",
                enabled=False,
                expires_at=_expiry(_LIST, fields, never),
            )
    return found


def moment(when: datetime.datetime) -> str:
    """An aware moment as both engines take it, in whole seconds."""
    return when.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _scope(answer: Mapping[str, Any]) -> Mapping[str, Any] | None:
    # Where there is none, the answer shows the user's policies in its place.
    if answer.get("impliedPolicy") is True:
        return None
    text = answer.get("policy")
    document = signed.json_or_none(text.encode()) if isinstance(text, str) else None
    if not isinstance(document, Mapping):
        raise _malformed(_INFO)
    return document


def _expiry(
    operation: str, answer: Mapping[str, Any], never: str
) -> datetime.datetime | None:
    text = answer.get("expiration")
    if text is None or text == never:
        return None
    parts = _MOMENT.fullmatch(text) if isinstance(text, str) else None
    if parts is None:
        raise _malformed(operation)
    offset = "+00:00" if parts[2] == "Z" else parts[2]
    try:
        when = datetime.datetime.fromisoformat(parts[1] + offset)
        return when.astimezone(datetime.timezone.utc)
    except (ValueError, OverflowError):
        raise _malformed(operation) from None


def _malformed(operation: str) -> errors.StorageError:
    return answers.refusal(operation, 200, answers.MALFORMED)
