"""Idempotency-Key: a POST that is sent again is answered as before, not done again.

The header's name and purpose are those of the IETF draft
`draft-ietf-httpapi-idempotency-key-header`; its form here is any short text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import orjson
import webob

from exordos_paas_storage.api import fields, packer
from exordos_paas_storage.domain import access, errors
from exordos_paas_storage.models import base, idempotency

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
# What of an answer's headers is kept with it.
STORED = ("Location", "ETag")
MOST = 255
_KEY = re.compile(rf"[ -~]{{1,{MOST}}}")


def once(
    req: Any,
    resource: access.Resource,
    place: str,
    body: dict[str, Any],
    act: Callable[[], webob.Response],
) -> webob.Response:
    """Answer a POST by `act`, or as it was answered before under the same key.

    The record of the answer and what `act` stores are committed together, by the
    session that both homes open for each request; where `act` raises, neither is.
    A request under a key that is at work at this moment waits for it.

    Args:
        req: the request, whose `caller` is known.
        resource: what `place` holds objects of.
        place: the collection, or the object and its action; ids stand for names.
        body: the request's body.
        act: does it; its answer has a JSON object for a body.

    Raises:
        InvalidHeader: the key is empty, too long, or not printable ASCII.
        IdempotencyKeyReused: the key came with another body in the last day.
        RequestError: as `act` raises it.
    """
    key = req.headers.get(HEADER)
    if key is None:
        return act()
    if not _KEY.fullmatch(key):
        raise errors.InvalidHeader(HEADER, f"must be 1 to {MOST} printable ASCII")
    caller: fields.Caller = req.caller
    scope = idempotency.Scope(caller.project_id, caller.user_id, place, key)
    with base.transaction() as session:
        kept = idempotency.claim(session, scope, _canonical(body))
        if kept.answer is None:
            answer = act()
            idempotency.keep(session, kept, _shown(resource, answer))
            return answer
        secret = idempotency.secret_again(session, kept)
        return _again(resource, caller.role, kept.answer, secret)


def _canonical(body: dict[str, Any]) -> bytes:
    """Bytes that are the same for bodies that say the same."""
    return orjson.dumps(body, option=orjson.OPT_SORT_KEYS)


def _shown(resource: access.Resource, answer: webob.Response) -> idempotency.Answer:
    """An answer as it may be stored: null for what is shown once."""
    body = answer.json
    made = body["uuid"] if answer.status_code == 201 else None
    body.update(dict.fromkeys(_once_fields(resource, body)))
    headers = {n: answer.headers[n] for n in STORED if n in answer.headers}
    return idempotency.Answer(
        answer.status_code, packer.packed(body).decode(), headers, made
    )


def _once_fields(resource: access.Resource, body: dict[str, Any]) -> list[str]:
    return [
        name for name, field in resource.fields.items() if field.once and name in body
    ]


def _again(
    resource: access.Resource,
    role: str,
    stored: idempotency.Answer,
    secret: str | None,
) -> webob.Response:
    """A stored answer, with what the caller's role may see of it by now."""
    body = orjson.loads(stored.body)
    body.update(dict.fromkeys(_once_fields(resource, body), secret))
    for name in body.keys() & resource.fields.keys():
        if resource.level(role, name) == access.HIDDEN:
            del body[name]
    answer = webob.Response(
        body=packer.packed(body),
        status=stored.status,
        content_type="application/json",
        charset="utf-8",
    )
    answer.headers.update({**stored.headers, REPLAYED: "true"})
    return answer
