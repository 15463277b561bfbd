"""Declared access keys that were rotated away, and when declared keys end."""

from __future__ import annotations

import uuid
from typing import Any

from exordos_paas_storage.api import packer
from exordos_paas_storage.domain import errors, expiry
from exordos_paas_storage.models import access_key, base


def refuse_rotated(session: Any, instance: uuid.UUID, key: str) -> None:
    """Refuse to make a key again that was rotated away: its secret may have leaked.

    Args:
        session: of the transaction that makes the key.
        instance: where it is to be made.
        key: its id, or its uuid where the id is left to the service.

    Raises:
        AlreadyRotated: it was rotated away in this instance.
    """
    row = session.execute(
        "SELECT 1 FROM s3aas_rotated_away WHERE instance = %s AND key = %s",
        (instance, key),
    ).fetchone()
    if row:
        raise errors.AlreadyRotated(
            "access_key", "was rotated away; declare a key of another id and secret"
        )


def settle_end(session: Any, row: access_key.AccessKey, body: dict[str, Any]) -> None:
    """Leave out an end that does not hold, and name the one of a ceiling.

    A key that is rotated away ends by its rotation, or earlier. No end is the
    ceiling's where the instance has one, as it was for a new key; one that lies
    further, as the ceiling was higher then, is left alone.

    Args:
        session: of the transaction that changes the key.
        row: the key as it is stored.
        body: what is asked of it; `expires_at` is taken out or replaced.
    """
    if "expires_at" not in body:
        return
    asked = body["expires_at"]
    if row.rotated_to is not None and _is_later(asked, row):
        del body["expires_at"]
        return
    if asked is not None or row.expires_at is None:
        return
    owner = session.execute(
        "SELECT max_key_ttl_s FROM s3aas_instances WHERE uuid = %s", (row.instance,)
    ).fetchone()
    ends = expiry.of_new(None, row.created_at, owner["max_key_ttl_s"])
    if ends is None:
        return
    del body["expires_at"]
    if row.expires_at < ends and base.now() < ends:
        body["expires_at"] = packer.plain(ends)


def _is_later(asked: Any, row: access_key.AccessKey) -> bool:
    """Whether an end is later than the key's own; one that is no time is not."""
    if asked is None or row.expires_at is None:
        return asked is None
    rule = row.resource.fields["expires_at"].rule
    return rule.holds(asked) and bool(rule.read(asked) > row.expires_at)
