"""What a policy document is made of, as values that can be compared and hashed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

ALLOW = "Allow"
DENY = "Deny"
FOR_ANY = "ForAnyValue"
FOR_ALL = "ForAllValues"


@dataclass(frozen=True)
class Condition:
    """One operator applied to one key of the request.

    Attributes:
        operator: a name of `operators.OPERATORS`, without prefix and suffix, such as
            `StringEquals`.
        key: the condition key in AWS's spelling, such as `s3:ExistingObjectTag/team`.
        values: at least one; numbers and booleans of JSON as text (`10`, `true`).
        if_exists: whether the operator has the suffix `IfExists`.
        quantifier: `ForAnyValue`, `ForAllValues` or empty.
    """

    operator: str
    key: str
    values: tuple[str, ...]
    if_exists: bool = False
    quantifier: str = ""

    @property
    def written_operator(self) -> str:
        """The operator as a document names it, such as `ForAnyValue:StringLike`."""
        prefix = f"{self.quantifier}:" if self.quantifier else ""
        return f"{prefix}{self.operator}{'IfExists' if self.if_exists else ''}"


@dataclass(frozen=True)
class Statement:
    """One statement; it applies where actions, resources and all conditions match.

    Attributes:
        effect: `Allow` or `Deny`.
        actions: names in AWS's spelling (`s3:GetObject`), patterns as they were
            written (`s3:get*`, matched in any case), or `*`.
        not_action: whether it applies to every action but those.
        resources: `*` or ARNs, with wildcards and policy variables. Empty only in a
            document that was not parsed: then it applies to every resource.
        not_resource: whether it applies to every resource but those.
        conditions: in the order they were written; all must hold.
        sid: the statement's own name; empty for none.
    """

    effect: str
    actions: tuple[str, ...]
    not_action: bool = False
    resources: tuple[str, ...] = ()
    not_resource: bool = False
    conditions: tuple[Condition, ...] = ()
    sid: str = ""


@dataclass(frozen=True)
class Document:
    """A policy document of version 2012-10-17.

    Attributes:
        statements: at least one, in the order they were written.
        id: the document's own name; empty for none.
    """

    statements: tuple[Statement, ...]
    id: str = ""


class Problem(NamedTuple):
    """One rule of the language that a document breaks.

    Attributes:
        field: path of the element, such as `document.Statement[1].Action[0]`. Elements
            are counted from 0, a scalar as a list of one.
        rule: the rule in words; no value of the document but names of actions,
            condition keys and operators.
    """

    field: str
    rule: str
