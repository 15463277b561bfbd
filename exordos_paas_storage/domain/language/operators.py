"""The condition operators: their names, and the values that they compare.

Source: AWS, IAM User Guide, "IAM JSON policy elements: Condition operators". Names are
taken in AWS's spelling only, as both engines know no other.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from exordos_paas_storage.domain.language import (
    condition_keys,
    patterns,
    values,
    variables,
)
from exordos_paas_storage.domain.language.elements import FOR_ALL, FOR_ANY

IF_EXISTS = "IfExists"
NULL = "Null"


@dataclass(frozen=True)
class Operator:
    """One operator, without prefix and suffix.

    Attributes:
        name: as a document names it, such as `NumericLessThan`.
        kind: what it compares: a kind of `condition_keys`, or `NULL`.
        negated: whether it holds where `compare` is true of none of its values.
        compare: whether a value of the request is what a value of the document wants;
            both as the functions below read them.
    """

    name: str
    kind: str
    negated: bool
    compare: Callable[[Any, Any], bool]

    @property
    def takes_variables(self) -> bool:
        """Whether wildcards and policy variables may mean something in its values."""
        return self.kind in (condition_keys.STRING, condition_keys.ARN)


def _equals(given: str, wanted: patterns.Pattern) -> bool:
    return given == patterns.literal(wanted)


def _equals_in_any_case(given: str, wanted: patterns.Pattern) -> bool:
    return given.lower() == patterns.literal(wanted).lower()


def _like(given: str, wanted: patterns.Pattern) -> bool:
    return patterns.matches(wanted, given)


def _arn_like(given: str, wanted: tuple[patterns.Pattern, ...]) -> bool:
    """Part by part: a `*` before the last colon does not reach across a colon."""
    if len(wanted) == 1:
        return patterns.matches(wanted[0], given)
    parts = given.split(":", 5)
    return len(parts) == len(wanted) and all(map(patterns.matches, wanted, parts))


def _within(given: values.Network, wanted: values.Network) -> bool:
    return given.network_address in wanted


_EITHER: dict[str, dict[str, Callable[[Any, Any], bool]]] = {
    condition_keys.STRING: {
        "Equals": _equals,
        "EqualsIgnoreCase": _equals_in_any_case,
        "Like": _like,
    },
    condition_keys.NUMERIC: {"Equals": operator.eq},
    condition_keys.DATE: {"Equals": operator.eq},
    condition_keys.ARN: {"Equals": _arn_like, "Like": _arn_like},
}
_ORDERS = {
    "LessThan": operator.lt,
    "LessThanEquals": operator.le,
    "GreaterThan": operator.gt,
    "GreaterThanEquals": operator.ge,
}
_ALL = (
    *(
        Operator(f"{kind}{'Not' if negated else ''}{name}", kind, negated, compare)
        for kind, named in _EITHER.items()
        for name, compare in named.items()
        for negated in (False, True)
    ),
    *(
        Operator(f"{kind}{name}", kind, False, compare)
        for kind in (condition_keys.NUMERIC, condition_keys.DATE)
        for name, compare in _ORDERS.items()
    ),
    Operator("Bool", condition_keys.BOOL, False, operator.eq),
    Operator("BinaryEquals", condition_keys.BINARY, False, operator.eq),
    Operator("IpAddress", condition_keys.IP_ADDRESS, False, _within),
    Operator("NotIpAddress", condition_keys.IP_ADDRESS, True, _within),
    Operator(NULL, NULL, False, operator.eq),
)

# Every operator by its name.
OPERATORS = {one.name: one for one in _ALL}

_READERS: dict[str, tuple[Callable[[str], Any], str]] = {
    condition_keys.NUMERIC: (values.number, "must be a decimal number"),
    condition_keys.DATE: (
        values.instant_ns,
        "must be a day, a time with its zone (2030-01-31T23:59:59Z),"
        " or seconds since 1970",
    ),
    condition_keys.BOOL: (values.boolean, "must be true or false"),
    NULL: (values.boolean, "must be true or false"),
    condition_keys.BINARY: (values.binary, "must be base64"),
    condition_keys.IP_ADDRESS: (
        values.network,
        "must be an address or a range in CIDR form",
    ),
}


def split(name: str) -> tuple[str, Operator, bool] | None:
    """An operator as a document names it: quantifier, operator, whether IfExists.

    Returns:
        None where the language has no such operator. `Null` takes neither prefix nor
        suffix.
    """
    quantifier, colon, rest = name.rpartition(":")
    if bool(colon) != (quantifier in (FOR_ANY, FOR_ALL)):
        return None
    found = OPERATORS.get(rest.removesuffix(IF_EXISTS))
    if_exists = rest.endswith(IF_EXISTS)
    if found is None or (found.kind == NULL and (quantifier or if_exists)):
        return None
    return quantifier, found, if_exists


def fits(one: Operator, key: condition_keys.Key) -> bool:
    """Whether it makes sense to compare values of that key by the operator.

    A text may be read as anything, and everything may be compared as a text.
    """
    anything = (condition_keys.STRING, NULL)
    return one.kind in (*anything, *key.kinds) or condition_keys.STRING in key.kinds


def problem(one: Operator, text: str) -> str:
    """The rule that a value of that operator breaks; empty if none."""
    if not one.takes_variables:
        read, rule = _READERS[one.kind]
        return rule if read(text) is None else ""
    broken = variables.problem(text)
    if broken or one.kind == condition_keys.STRING:
        return broken
    if text == "*" or (text.startswith("arn:") and len(wanted(one, text)) == 6):
        return ""
    return "must be an ARN of six parts with colons between them, or *"


def wanted(one: Operator, text: str) -> Any:
    """A value of a document, as it is kept for many requests.

    Raises:
        ValueError: the value has a problem.
    """
    if one.kind == condition_keys.STRING:
        return variables.read(text)
    if one.kind == condition_keys.ARN:
        return _arn_parts(variables.read(text))
    found = _READERS[one.kind][0](text)
    if found is None:
        raise ValueError(f"a value of {one.name} is not of its kind")
    return found


def _arn_parts(template: variables.Template) -> tuple[variables.Template, ...]:
    parts: list[list[Any]] = [[]]
    for piece in template:
        rest = piece
        while type(rest) is str and ":" in rest and len(parts) < 6:
            head, _, rest = rest.partition(":")
            parts[-1].append(head)
            parts.append([])
        parts[-1].append(rest)
    return tuple(tuple(piece for piece in part if piece != "") for part in parts)


def resolved(one: Operator, kept: Any, context: variables.Context) -> Any:
    """What `wanted` kept, for one request; None where a variable has no value."""
    if one.kind == condition_keys.STRING:
        return variables.filled(kept, context)
    if one.kind == condition_keys.ARN:
        parts = tuple(variables.filled(part, context) for part in kept)
        return None if None in parts else parts
    return kept


def given(one: Operator, text: str) -> Any:
    """A value of a request; None where it is not of the operator's kind."""
    if one.takes_variables:
        return text
    if one.kind == condition_keys.IP_ADDRESS:
        return values.address(text)
    return _READERS[one.kind][0](text)
