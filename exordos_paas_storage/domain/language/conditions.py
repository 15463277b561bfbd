"""Whether a condition holds for a request.

Source: AWS, IAM User Guide, "IAM JSON policy elements: Condition operators" and
"Conditions with multiple context keys or values". A key that the request does not carry
makes a positive operator false, a negated one true, and any with `IfExists` true.
`ForAnyValue` of no value is false and `ForAllValues` true; the suffix changes neither
(found so by the authors of `@cloud-copilot/iam-simulate`; AWS says nothing).
"""

from __future__ import annotations

import functools
from typing import Any

from exordos_paas_storage.domain.language import operators, variables
from exordos_paas_storage.domain.language.elements import FOR_ALL, FOR_ANY, Condition


def holds(condition: Condition, context: variables.Context) -> bool:
    """Whether the condition holds.

    Args:
        condition: of a known operator, with values of its kind.
        context: what the request carries, by condition key in AWS's spelling. A key
            without values counts as absent.

    Raises:
        KeyError: the operator is unknown.
        ValueError: a value of the condition is not of the operator's kind.
    """
    one = operators.OPERATORS[condition.operator]
    carried = context.get(condition.key, ())
    if one.kind == operators.NULL:
        return (not carried) in _wanted(condition)
    results = (_compares(one, condition, value, context) for value in carried)
    if condition.quantifier == FOR_ANY:
        return any(results)
    if condition.quantifier == FOR_ALL:
        return all(results)
    if not carried:
        return one.negated or condition.if_exists
    return all(results) if one.negated else any(results)


def _compares(
    one: operators.Operator,
    condition: Condition,
    value: str,
    context: variables.Context,
) -> bool:
    """Whether one value of the request meets the operator, negation included."""
    given = operators.given(one, value)
    if given is None:
        return one.negated
    met = any(
        one.compare(given, wanted)
        for wanted in (
            operators.resolved(one, kept, context) for kept in _wanted(condition)
        )
        if wanted is not None
    )
    return met != one.negated


@functools.lru_cache(maxsize=4096)
def _wanted(condition: Condition) -> tuple[Any, ...]:
    one = operators.OPERATORS[condition.operator]
    return tuple(operators.wanted(one, value) for value in condition.values)
