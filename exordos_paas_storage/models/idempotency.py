"""Answers that are given again where a POST is sent again under the same key.

All times are the database's own, so that they hold for every process of the API.
"""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import hmac
import uuid
from typing import Any, NamedTuple

from psycopg.types import json
from restalchemy.dm import filters

from exordos_paas_storage.domain import errors, status
from exordos_paas_storage.models import access_key, secrets

# How long an answer is given again, and for how long its secret with it.
KEPT = datetime.timedelta(hours=24)
SECRET_KEPT = datetime.timedelta(minutes=10)
# How many records that are past their time one keyed POST removes.
MOST_REMOVED = 100

_TABLE = "s3aas_idempotency"


class Scope(NamedTuple):
    """What a key is unique in: a user in a project, and what it asks for.

    `place` is a path whose names are replaced by ids.
    """

    project_id: uuid.UUID
    user_id: uuid.UUID
    place: str
    key: str


class Answer(NamedTuple):
    """An answer as it is stored: JSON text, and null where it shows a secret once.

    `made` is the object that it tells of, where it was made by this call.
    """

    status: int
    body: str
    headers: dict[str, str]
    made: str | None


@dataclasses.dataclass(frozen=True)
class Record:
    """A claimed key: without an answer it is the claimer's to act and to `keep` one."""

    id: uuid.UUID
    answer: Answer | None = None
    # Whether the secret may be shown again, by the record's age.
    with_secret: bool = False


def claim(session: Any, scope: Scope, body: bytes) -> Record:
    """Take a key, or read what was answered under it; waits while it is at work.

    Nothing else may be locked yet: whoever waits here for another request must not
    hold what that one needs.

    Args:
        session: of the transaction that also stores what the request asks for.
        scope: the key and what it is unique in.
        body: the same bytes for bodies that say the same.

    Raises:
        IdempotencyKeyReused: it was answered to another body.
    """
    digest = hashlib.sha256(body).hexdigest()
    own = uuid.uuid4()
    # A body may hold a secret, which its plain digest would let others guess.
    sealed = secrets.seal(_TABLE, own, "body", digest)
    if session.execute(_CLAIM, (own, *scope, sealed, KEPT)).fetchone():
        return Record(own)
    row = session.execute(_READ, (SECRET_KEPT, *scope)).fetchone()
    before = secrets.opened(_TABLE, row["uuid"], "body", row["body"])
    if not hmac.compare_digest(before, digest):
        raise errors.IdempotencyKeyReused(
            "Idempotency-Key", "was sent before with another body"
        )
    answer = Answer(row["status"], row["answer"], row["headers"], row["made"])
    return Record(row["uuid"], answer, row["with_secret"])


# A conflicting row is locked even where it is left as it is, so it can be read next.
_CLAIM = """
    INSERT INTO s3aas_idempotency AS kept
        (uuid, project_id, user_uuid, place, key, body)
    VALUES (%s, %s, %s, %s, %s, %s)
    ON CONFLICT (project_id, user_uuid, place, key) DO UPDATE SET
        uuid = excluded.uuid, body = excluded.body, created_at = now(),
        status = NULL, answer = NULL, headers = NULL, made = NULL
    WHERE kept.created_at <= now() - %s
    RETURNING uuid
"""
_READ = """
    SELECT *, created_at > now() - %s AS with_secret FROM s3aas_idempotency
    WHERE project_id = %s AND user_uuid = %s AND place = %s AND key = %s
"""


def keep(session: Any, record: Record, answer: Answer) -> None:
    """Store the answer under its claimed key, and remove some that are past theirs."""
    session.execute(
        "UPDATE s3aas_idempotency SET status = %s, answer = %s, headers = %s, "
        "made = %s WHERE uuid = %s",
        (
            answer.status,
            answer.body,
            json.Jsonb(answer.headers),
            answer.made,
            record.id,
        ),
    )
    session.execute(_REMOVE, (KEPT, MOST_REMOVED))


# What another request has locked is left to it, so that nobody waits here.
_REMOVE = """
    DELETE FROM s3aas_idempotency WHERE uuid IN (
        SELECT uuid FROM s3aas_idempotency WHERE created_at <= now() - %s
        ORDER BY created_at LIMIT %s FOR UPDATE SKIP LOCKED
    )
"""


def secret_again(session: Any, record: Record) -> str | None:
    """The secret of the access key that an answer made; `None` where that is over.

    It is opened where the key itself has it and stored nowhere else, so it is gone
    with the key.
    """
    if not (record.answer and record.answer.made and record.with_secret):
        return None
    found = access_key.AccessKey.objects.get_one_or_none(
        filters={"uuid": filters.EQ(record.answer.made)}, session=session
    )
    if found is None or found.status == status.DELETING:
        return None
    return found.opened()
