"""One engine, asked with policies of one user, statement by statement."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from exordos_paas_storage.domain import policy
from exordos_paas_storage.domain.language import compiler, document
from tests.contract.agreement import calls, deviations, forms, phrases, world

USER = phrases.USERS[0]
IN_FIRST = f"arn:aws:s3:::{phrases.FIRST}"
OBJECTS = f"{IN_FIRST}/*"
BASE = {
    "aws:SourceIp": (phrases.ADDRESS,),
    "aws:CurrentTime": ("2026-01-01T00:00:00Z",),
    "aws:userid": (USER,),
}
VERSION = {"s3:versionid": ("00000000-0000-0000-0000-000000000000",)}
RED = {"s3:RequestObjectTagKeys": ("team",), "s3:RequestObjectTag/team": ("red",)}


Statement = dict[str, Any]


def allow(
    actions: str | list[str],
    resources: str | list[str] = OBJECTS,
    condition: dict[str, Any] | None = None,
) -> Statement:
    """An Allow, of all objects of the first bucket unless another resource is given."""
    found = {"Effect": "Allow", "Action": actions, "Resource": resources}
    return {**found, "Condition": condition} if condition else found


def deny(*given: Any, **named: Any) -> Statement:
    """A Deny; the arguments are those of `allow`."""
    return {**allow(*given, **named), "Effect": "Deny"}


ALL = allow("s3:*", "*")


def call(
    operation: str,
    key: str = "in/a",
    carried: Mapping[str, tuple[str, ...]] | None = None,
    **named: Any,
) -> calls.Call:
    """A call by the first user, on the first bucket or on that with locks."""
    locked = operation in ("retain", "hold")
    at = phrases.LOCKED if locked else phrases.FIRST
    context = {**BASE, **(carried or {})}
    return calls.Call(USER, operation, at, key, context=context, **named)


class Asked:
    """One engine, asked with documents of the one user.

    Attributes:
        laxer: what the compiler says the engine may allow beyond them, in words.
    """

    def __init__(self, engine: str, place: world.World) -> None:
        self.engine, self.place = engine, place
        self.key = place.user_key(USER)
        self.laxer: list[str] = []
        self._written: list[document.Document] = []

    def hold(self, *policies: Sequence[Statement]) -> None:
        """Make the user have one policy of each list of statements."""
        self._written = [
            document.parse({"Version": policy.VERSION, "Statement": list(statements)})
            for statements in policies
        ]
        target = compiler.Target(self.engine, "", False, 1_000_000)
        made = [compiler.compile(one, target) for one in self._written]
        self.laxer = [
            warning.why for one in made for warning in one.warnings if warning.laxer
        ]
        self.place.hold(USER, [one.document for one in made])

    def differs(self, asked: calls.Call, laxer: bool) -> str:
        """Why the engine decides a call otherwise; empty if it does not so."""
        says = calls.allowed(asked, self._written)
        does = self.place.allows(asked, self.key)
        if (says, does) != (not laxer, laxer):
            return ""
        found = deviations.found(self.engine, asked, self._written, laxer)
        return found.name if found else "no reason"

    def forged(
        self,
        made: calls.Call,
        unsigned: Mapping[str, str] | None = None,
        parameters: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """The answer to a call with more in it than the call says."""
        sent = self.place.request(made)
        more = {**sent.parameters, **(parameters or {})}
        sent = dataclasses.replace(sent, parameters=more)
        return self.place.send(self.key, sent, unsigned or {})

    def form(self, fields: Mapping[str, str], signed_too: bool = False) -> int:
        """Upload to the first bucket as a form; the status of the answer.

        Args:
            fields: those of the form, `key` among them.
            signed_too: whether the headers are signed as well.
        """
        sent = forms.upload(phrases.FIRST, fields, self.key)
        if signed_too:
            return self.place.send(self.key, sent).status_code
        return self.place.send_as_it_is(sent).status_code
