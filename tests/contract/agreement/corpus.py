"""A seeded corpus of policies and calls, and of which classes each pair is.

Everything is drawn from short lists, so that what a policy says and what a call does
often meet; about half of the pairs are denied.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from exordos_paas_storage.domain import capabilities, errors, policy
from exordos_paas_storage.domain.language import actions, compiler, document
from tests.contract.agreement import drawn, phrases
from tests.contract.agreement.calls import Call, requests, shows

DENY_OVER_ALLOW = "Deny over Allow"
CONDITION = "Condition"
VARIABLES = "variables"
SCOPE = "scope"
OPPOSITES = "NotAction or NotResource"
CLASSES = (DENY_OVER_ALLOW, CONDITION, VARIABLES, SCOPE, OPPOSITES)


@dataclass(frozen=True)
class Case:
    """A user's policies, a key's scope, and calls that are made with them.

    Attributes:
        user: the user's name.
        policies: 1 to 3 documents.
        scope: the key's; None for a key without.
        calls: the calls.
    """

    user: str
    policies: tuple[dict[str, Any], ...]
    scope: dict[str, Any] | None
    calls: tuple[Call, ...] = field(repr=False)


def cases(engine: str, count: int, calls: int, seed: int) -> list[Case]:
    """Cases that compile for an engine; the same for the same arguments.

    Args:
        engine: a name of `capabilities.ENGINES`.
        count: how many cases.
        calls: how many calls each has.
        seed: of what is drawn.
    """
    chance = random.Random(seed)
    found: list[Case] = []
    while len(found) < count:
        case = _case(chance, calls, scoped=len(found) % 4 == 3)
        if _compiles(engine, case):
            found.append(case)
    return found


def compiled(engine: str, written: dict[str, Any], limit_bytes: int) -> dict[str, Any]:
    """A document as an engine gets it on an endpoint without TLS."""
    target = compiler.Target(engine, "", False, limit_bytes)
    return compiler.compile(document.parse(written), target).document


def _compiles(engine: str, case: Case) -> bool:
    able = capabilities.of(engine, "")
    try:
        for one in case.policies:
            compiled(engine, one, able.policy_bytes)
        if case.scope:
            compiled(engine, case.scope, able.scope_bytes)
    except (errors.UnsupportedByEngine, errors.PolicyTooLarge):
        return False
    return True


def _case(chance: random.Random, count: int, scoped: bool) -> Case:
    user = chance.choice(phrases.USERS)
    policies = tuple(_policy(chance) for _ in range(chance.choice((1, 1, 2, 3))))
    scope = _scope(chance) if scoped else None
    case = Case(user, policies, scope, ())
    return replace(case, calls=tuple(_call(chance, case) for _ in range(count)))


def _call(chance: random.Random, case: Case) -> Call:
    """A call of which an engine's answer tells whether it was allowed."""
    written = [document.parse(one) for one in case.policies]
    scope = document.parse(case.scope) if case.scope else None
    while True:
        found = drawn.call(chance, case.user)
        if found.operation != "list_buckets" or not shows(found, written, scope):
            return found


def _policy(chance: random.Random) -> dict[str, Any]:
    statements = [statement(chance, "Allow")]
    if chance.random() < 0.42:
        # Something broad, so that a Deny beside it has something to take.
        broad = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
        statements.append(broad)
    while chance.random() < 0.55 and len(statements) < 4:
        statements.append(statement(chance, chance.choice(("Allow", "Deny"))))
    return {"Version": policy.VERSION, "Statement": statements}


def _scope(chance: random.Random) -> dict[str, Any]:
    if chance.random() < 0.5:
        name = chance.choice(tuple(policy.TEMPLATES))
        return policy.from_template(name, phrases.FIRST, chance.choice(("", "in/")))
    statements = [statement(chance, "Allow"), statement(chance, "Allow")]
    if chance.random() < 0.3:
        statements.append(statement(chance, "Deny"))
    return {"Version": policy.VERSION, "Statement": statements}


def statement(chance: random.Random, effect: str) -> dict[str, Any]:
    """A statement of the language."""
    found: dict[str, Any] = {"Effect": effect}
    named = "NotAction" if chance.random() < 0.15 else "Action"
    found[named] = list(chance.choice(phrases.ACTIONS))
    if named == "NotAction" and found[named][0] in ("*", "s3:*"):
        found[named] = ["s3:Put*"]
    if chance.random() < 0.2:
        found["NotResource"] = list(chance.choice(phrases.NOT_RESOURCES))
    else:
        found["Resource"] = list(chance.choice(phrases.RESOURCES))
    if chance.random() < 0.5:
        found["Condition"] = chance.choice(phrases.CONDITIONS)
    return found


# Classes.


def classes(
    case: Case,
    call: Call,
    policies: Sequence[document.Document],
    scope: document.Document | None,
) -> list[str]:
    """The classes of the corpus to which a pair of policies and call belongs.

    A part of a document counts where it is about the action of the call.
    """
    rights = [request.action for request in requests(call)]
    about = [
        statement
        for one in (*policies, *([scope] if scope else []))
        for statement in one.statements
        if any(_names(statement, right) for right in rights)
    ]
    effects = {statement.effect for statement in about}
    found = {
        DENY_OVER_ALLOW: effects == {document.ALLOW, document.DENY},
        CONDITION: any(statement.conditions for statement in about),
        VARIABLES: any("${" in text for one in about for text in _texts(one)),
        SCOPE: scope is not None,
        OPPOSITES: any(one.not_action or one.not_resource for one in about),
    }
    return [name for name, belongs in found.items() if belongs]


def _texts(statement: document.Statement) -> Iterator[str]:
    yield from statement.resources
    for one in statement.conditions:
        yield from one.values


def _names(statement: document.Statement, action: str) -> bool:
    return (action in actions.matching(statement.actions)) != statement.not_action
