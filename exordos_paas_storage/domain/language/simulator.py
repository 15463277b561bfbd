"""What policy documents mean for a request, by AWS's rules, whatever an engine does.

Source: AWS, IAM User Guide, "Policy evaluation logic": an explicit Deny anywhere wins;
then the policies must allow, and the scope of a key (AWS's session policy) too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from exordos_paas_storage.domain.language import (
    actions,
    conditions,
    grammar,
    patterns,
    variables,
)
from exordos_paas_storage.domain.language.elements import ALLOW, Document, Statement

# The resource of a request that is about no bucket, such as the list of all.
ACCOUNT_RESOURCE = "*"
SCOPE = "scope"

ALLOWED = "Allowed"
DENIED = "ExplicitDeny"
NOT_ALLOWED = "NotAllowedByPolicies"
NOT_IN_SCOPE = "NotAllowedByScope"


@dataclass(frozen=True)
class Principal:
    """Who asks.

    Attributes:
        username: what `aws:username` is; empty for nobody in particular.
        kind: what `aws:PrincipalType` is.
    """

    username: str
    kind: str = "User"


@dataclass(frozen=True)
class Request:
    """One request.

    Attributes:
        principal: who asks; a key asks as its user.
        action: such as `s3:GetObject`.
        resource: `arn:aws:s3:::bucket/key`, `arn:aws:s3:::bucket` or, where it is
            about no bucket, `ACCOUNT_RESOURCE`; `actions.level` says which.
        context: values by condition key in AWS's spelling. What stands here goes
            before what the principal gives. The time is part of it: `aws:CurrentTime`.
    """

    principal: Principal
    action: str
    resource: str
    context: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Policy:
    """A document with the name that a decision shall give."""

    name: str
    document: Document


@dataclass(frozen=True)
class Decision:
    """What comes of a request.

    Attributes:
        allowed: whether it is allowed.
        policy: name of the policy that decided, `SCOPE` for the key's scope; None
            where nothing allows the request.
        statement: index of the statement that decided, from 0; None like `policy`. Of
            several it is the first, policies in the order in which they were given.
        reason: `ALLOWED`, `DENIED`, `NOT_ALLOWED` or `NOT_IN_SCOPE`. A request that
            neither policies nor scope allow is `NOT_ALLOWED`.
    """

    allowed: bool
    policy: str | None
    statement: int | None
    reason: str


# A policy's name and the index of a statement in it.
_Place = tuple[str, int]


def resource(bucket: str = "", key: str = "") -> str:
    """The resource of a request about an object, a bucket or, without both, neither."""
    if not bucket:
        return ACCOUNT_RESOURCE
    return f"{grammar.ARN_PREFIX}{bucket}/{key}" if key else grammar.ARN_PREFIX + bucket


def decide(
    policies: Sequence[Policy], request: Request, scope: Document | None = None
) -> Decision:
    """Whether the request is allowed, and by what.

    Args:
        policies: all that the principal has, the guard among them.
        request: the request.
        scope: what the key is limited to; None for a key without a scope.

    Raises:
        KeyError: a document that was not parsed has an unknown operator.
        ValueError: such a document has a value that its operator does not take.
    """
    context = _context(request)
    deny, allow = _deciding(policies, request, context)
    scoped = None
    if scope is not None and deny is None:
        deny, scoped = _deciding((Policy(SCOPE, scope),), request, context)
    if deny is not None:
        return Decision(False, *deny, DENIED)
    if allow is None:
        return Decision(False, None, None, NOT_ALLOWED)
    if scope is not None and scoped is None:
        return Decision(False, None, None, NOT_IN_SCOPE)
    return Decision(True, *allow, ALLOWED)


def _deciding(
    policies: Sequence[Policy], request: Request, context: variables.Context
) -> tuple[_Place | None, _Place | None]:
    """Where the first Deny and the first Allow of a request stand, if there are any.

    What stands behind a Deny is not looked at.
    """
    allow: _Place | None = None
    for policy in policies:
        for index, statement in enumerate(policy.document.statements):
            if statement.effect == ALLOW and allow is not None:
                continue
            if not applies(statement, request, context):
                continue
            if statement.effect != ALLOW:
                return (policy.name, index), allow
            allow = (policy.name, index)
    return None, allow


def _context(request: Request) -> variables.Context:
    principal = request.principal
    named = {"aws:username": (principal.username,)} if principal.username else {}
    return {"aws:PrincipalType": (principal.kind,), **named, **request.context}


def applies(statement: Statement, request: Request, context: variables.Context) -> bool:
    """Whether a statement, whatever its effect, is about the request.

    Args:
        statement: of any document.
        request: the request; its own context is not read.
        context: the values of the request by condition key.
    """
    named = any(actions.meets(one, request.action) for one in statement.actions)
    if named == statement.not_action:
        return False
    if statement.resources:
        covered = any(
            _covers(variables.read(one), request.resource, context)
            for one in statement.resources
        )
        if covered == statement.not_resource:
            return False
    return all(conditions.holds(one, context) for one in statement.conditions)


def _covers(
    template: variables.Template, wanted: str, context: variables.Context
) -> bool:
    """Whether a resource of a document covers that of a request."""
    pattern = variables.filled(template, context)
    if pattern is None:
        return False
    if wanted == ACCOUNT_RESOURCE:
        return _covers_all(pattern)
    return patterns.matches(pattern, wanted)


def _covers_all(pattern: patterns.Pattern) -> bool:
    """Whether a pattern is `*` or the ARN of everything in S3.

    A request that is about no bucket is within nothing less.
    """
    if pattern and pattern[0] == grammar.ARN_PREFIX:
        pattern = pattern[1:]
    return bool(pattern) and all(one is patterns.Wildcard.RUN for one in pattern)
