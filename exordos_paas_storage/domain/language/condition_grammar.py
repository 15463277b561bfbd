"""The grammar of `Condition`: operators, keys and their values.

Nothing of a condition is ever left out: what is not understood is a problem, as a
statement without one of its conditions would apply to more than its author meant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from exordos_paas_storage.domain.language import condition_keys, operators
from exordos_paas_storage.domain.language.elements import Condition
from exordos_paas_storage.domain.language.findings import (
    Findings,
    listed,
    shown,
    text,
)

_TOO_LARGE = 10**18


def read(
    statement: Mapping[str, Any], field: str, found: Findings
) -> tuple[Condition, ...]:
    """The conditions of a statement, in their order.

    Args:
        statement: as JSON gave it.
        field: path of the statement.
        found: takes the problems.
    """
    if "Condition" not in statement:
        return ()
    inner = f"{field}.Condition"
    return tuple(
        condition
        for operator, keys in _members(statement["Condition"], inner, found)
        for condition in _of_operator(operator, keys, inner, found)
    )


def _members(value: Any, field: str, found: Findings) -> Iterator[tuple[str, Any]]:
    if not isinstance(value, Mapping):
        found.add(field, "must be an object")
    elif not value:
        found.add(field, "must not be empty")
    else:
        yield from value.items()


def _of_operator(
    operator: str, keys: Any, field: str, found: Findings
) -> Iterator[Condition]:
    inner = f"{field}.{shown(operator)}"
    parts = operators.split(operator)
    if parts is None:
        found.add(inner, "is not a condition operator")
        return
    seen: set[str] = set()
    for name, _ in _members(keys, inner, found):
        condition = _of_key(parts, keys, name, inner, found)
        if condition is None:
            continue
        if condition.key in seen:
            found.add(f"{inner}.{shown(name)}", "must not stand twice in any spelling")
        seen.add(condition.key)
        yield condition


def _of_key(
    parts: tuple[str, operators.Operator, bool],
    keys: Mapping[str, Any],
    name: str,
    field: str,
    found: Findings,
) -> Condition | None:
    quantifier, operator, if_exists = parts
    inner = f"{field}.{shown(name)}"
    key = condition_keys.find(name)
    if key is None or not text(name, inner, found):
        found.add(inner, condition_keys.problem(name))
        return None
    if not operators.fits(operator, key):
        kinds = " or ".join(key.kinds)
        found.add(inner, f"can't be compared by {operator.name}: it is {kinds}")
    values = tuple(
        _value(operator, value, f"{inner}[{index}]", found)
        for index, value in enumerate(listed(keys, name, field, found))
    )
    return Condition(
        operator.name, condition_keys.spelled(name), values, if_exists, quantifier
    )


def _value(
    operator: operators.Operator, value: Any, field: str, found: Findings
) -> str:
    """A value as text, in which form AWS compares JSON's numbers and booleans too."""
    if isinstance(value, bool):
        value = "true" if value else "false"
    elif isinstance(value, int | float):
        if not abs(value) < _TOO_LARGE:
            found.add(field, "must be a number of at most 18 digits")
            return ""
        value = str(value) if isinstance(value, int) else _without_exponent(value)
    read_as = text(value, field, found)
    if read_as or value == "":
        found.add(field, operators.problem(operator, read_as))
    return read_as


def _without_exponent(value: float) -> str:
    return format(Decimal(repr(value)), "f")
