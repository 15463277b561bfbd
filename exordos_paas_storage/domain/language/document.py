"""Reading and writing policy documents in AWS's language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from exordos_paas_storage.domain import errors
from exordos_paas_storage.domain.language import grammar, operators
from exordos_paas_storage.domain.language.elements import (
    ALLOW,
    DENY,
    FOR_ALL,
    FOR_ANY,
    Condition,
    Document,
    Problem,
    Statement,
)
from exordos_paas_storage.domain.language.findings import Findings

__all__ = [
    "ALLOW",
    "DENY",
    "FOR_ALL",
    "FOR_ANY",
    "Condition",
    "Document",
    "Problem",
    "Statement",
    "assembled",
    "parse",
    "written",
]


def parse(value: Any, field: str = "document") -> Document:
    """A document as its author sent it, every rule of the language checked.

    Args:
        value: what JSON gave, of any type.
        field: what errors call the document, such as `scope` for a key's.

    Raises:
        InvalidPolicy: leads to the first element that breaks a rule, such as
            `document.Statement[1].Action[0]`, and says the rule. Statements and
            entries are counted from 0, a single value as a list of one. Of what the
            document holds it shows at most the names of elements, operators and keys.
    """
    found = Findings()
    document = grammar.read(value, field, found)
    for problem in found.problems:
        raise errors.InvalidPolicy(problem.field, problem.rule)
    return document


def written(document: Document) -> dict[str, Any]:
    """A document as JSON, every list a list; `parse` gives the document again.

    Raises:
        ValueError: a statement has two conditions of one operator and one key, for
            which JSON has no place.
    """
    top: dict[str, Any] = {"Version": grammar.VERSION}
    if document.id:
        top["Id"] = document.id
    top["Statement"] = [_written(statement) for statement in document.statements]
    return top


def _written(statement: Statement) -> dict[str, Any]:
    found: dict[str, Any] = {"Sid": statement.sid} if statement.sid else {}
    found["Effect"] = statement.effect
    found["NotAction" if statement.not_action else "Action"] = list(statement.actions)
    if statement.resources:
        named = "NotResource" if statement.not_resource else "Resource"
        found[named] = list(statement.resources)
    if statement.conditions:
        found["Condition"] = _conditions(statement.conditions)
    return found


def _conditions(conditions: Sequence[Condition]) -> dict[str, dict[str, list[str]]]:
    found: dict[str, dict[str, list[str]]] = {}
    for one in conditions:
        keys = found.setdefault(one.written_operator, {})
        if one.key in keys:
            raise ValueError(f"{one.written_operator} of {one.key} stands twice")
        keys[one.key] = list(one.values)
    return found


def assembled(value: Mapping[str, Any]) -> Document:
    """A document that the service made itself, such as the guard, as it stands.

    Nothing is checked but what could not be kept: names that AWS does not have, the
    admin actions of an engine and statements without resources are taken.

    Raises:
        ValueError: an element or an operator is not of the language.
        KeyError: an element is missing.
    """
    _known(value, grammar.DOCUMENT)
    statements = tuple(_assembled(one) for one in _listed(value["Statement"]))
    return Document(statements, value.get("Id", ""))


def _assembled(value: Mapping[str, Any]) -> Statement:
    _known(value, grammar.STATEMENT)
    not_action, not_resource = "NotAction" in value, "NotResource" in value
    resources = value.get("NotResource" if not_resource else "Resource", ())
    return Statement(
        value["Effect"],
        tuple(_listed(value["NotAction" if not_action else "Action"])),
        not_action,
        tuple(_listed(resources)),
        not_resource,
        tuple(_assembled_conditions(value.get("Condition", {}))),
        value.get("Sid", ""),
    )


def _assembled_conditions(value: Mapping[str, Any]) -> Iterator[Condition]:
    for operator, keys in value.items():
        parts = operators.split(operator)
        if parts is None:
            raise ValueError(f"{operator} is not a condition operator")
        quantifier, found, if_exists = parts
        for key, values in keys.items():
            texts = tuple(map(_as_text, _listed(values)))
            yield Condition(found.name, key, texts, if_exists, quantifier)


def _known(value: Mapping[str, Any], names: Sequence[str]) -> None:
    if not set(value) <= set(names):
        raise ValueError(f"only {', '.join(names)} are elements here")


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else (value,)


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
