"""Conditions as an engine gets them, and what two of them are together.

A policy has one list of values for each operator and key, of which one must match.
What must match twice is written as one list that says the same, or with a prefix that
means the same for a key of one value.
"""

from __future__ import annotations

import ipaddress
import itertools
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from exordos_paas_storage.domain import errors
from exordos_paas_storage.domain.language import condition_keys, refusals, values
from exordos_paas_storage.domain.language.elements import FOR_ALL, FOR_ANY

NULL = "Null"
EQUALS = "StringEquals"
NOT_EQUALS = "StringNotEquals"
ADDRESS = "IpAddress"

_PRESENT, _ABSENT = ("false",), ("true",)
_NEGATED = (NOT_EQUALS, "StringNotEqualsIgnoreCase", "StringNotLike", "NotIpAddress")
_POSITIVE = (EQUALS, "StringEqualsIgnoreCase", "StringLike")


class Form(NamedTuple):
    """One condition as an engine gets it.

    Attributes:
        operator: with its prefix; never with `IfExists`.
        key: in the engine's spelling.
        values: sorted.
    """

    operator: str
    key: str
    values: tuple[str, ...]


# All of these must hold; sorted.
Clause = tuple[Form, ...]
# One of these must hold. None at all never holds, an empty clause always does.
Clauses = tuple[Clause, ...]

NEVER: Clauses = ()
ALWAYS: Clauses = ((),)

# More statements than this from one of a document are more than any engine takes.
MOST_CLAUSES = 250
# Ranges of addresses are compared each with each.
_MOST_PAIRS = 10_000


def present(key: str) -> Form:
    """The form that holds where a request carries a key."""
    return Form(NULL, key, _PRESENT)


def absent(key: str) -> Form:
    """The form that holds where a request does not carry a key."""
    return Form(NULL, key, _ABSENT)


def either(some: Clauses, others: Clauses, path: str) -> Clauses:
    """Where one of both holds.

    Raises:
        PolicyTooLarge: there are more than any engine takes.
    """
    if () in some or () in others:
        return ALWAYS
    return _few(dict.fromkeys((*some, *others)), path)


def both(some: Clauses, others: Clauses, path: str) -> Clauses:
    """Where both hold.

    Raises:
        UnsupportedByEngine: no policy has a place for all the conditions of a key.
        PolicyTooLarge: there are more than any engine takes.
    """
    if some == ALWAYS:
        return others
    if others in (some, ALWAYS):
        return some
    found = (
        clause(one + other, path) for one, other in itertools.product(some, others)
    )
    return _few((one for one in found if one is not None), path)


def _few(found: Iterable[Clause], path: str) -> Clauses:
    """The clauses, each once, as long as they are few enough."""
    kept: dict[Clause, None] = {}
    for one in found:
        kept[one] = None
        if len(kept) > MOST_CLAUSES:
            raise errors.PolicyTooLarge(
                path, f"needs more than {MOST_CLAUSES} statements on an engine"
            )
    return tuple(kept)


def clause(forms: Sequence[Form], path: str) -> Clause | None:
    """Forms that must all hold; None where they can't.

    Raises:
        UnsupportedByEngine: as `both`.
    """
    kept: dict[tuple[str, str], tuple[str, ...]] = {}
    for form in forms:
        operator, wanted = form.operator, form.values
        before = kept.get((operator, form.key))
        if before is not None and before != wanted:
            operator, wanted = _merged(form, before, path)
            if (operator, form.key) != form[:2]:
                _refuse_another(kept.get((operator, form.key)), wanted, path)
        if not (wanted or operator.startswith(FOR_ALL)):
            return None
        kept[operator, form.key] = wanted
    return _settled(kept)


def _merged(
    form: Form, before: tuple[str, ...], path: str
) -> tuple[str, tuple[str, ...]]:
    """Operator and values of a form where its place is taken by others."""
    operator = form.operator
    if operator == NULL:
        return operator, ()
    if operator in _NEGATED:
        return operator, _sorted({*before, *form.values})
    if operator == ADDRESS:
        if len(before) * len(form.values) > _MOST_PAIRS:
            raise _repeated(path)
        return operator, _common_addresses(before, form.values)
    if _is_one_value(form) and not any("${" in one for one in (*before, *form.values)):
        return operator, _sorted({*before} & {*form.values})
    if operator in _POSITIVE:
        return f"{FOR_ANY}:{operator}", form.values
    raise _repeated(path)


def _is_one_value(form: Form) -> bool:
    """Whether one value must be in each of two lists, and so in what they share.

    Of several values of a request one may be in the first list and another in the
    second one, but where all must be in both.
    """
    if form.operator == f"{FOR_ALL}:{EQUALS}":
        return True
    key = condition_keys.find(form.key)
    return form.operator == EQUALS and key is not None and not key.many


def _refuse_another(
    before: tuple[str, ...] | None, wanted: tuple[str, ...], path: str
) -> None:
    if before is not None and before != wanted:
        raise _repeated(path)


def _repeated(path: str) -> Exception:
    return refusals.refused(refusals.VALUE, refusals.REPEATED, "", path)


def _common_addresses(
    some: tuple[str, ...], others: tuple[str, ...]
) -> tuple[str, ...]:
    found = set()
    for one, other in itertools.product(map(_network, some), map(_network, others)):
        if one.version == other.version and one.overlaps(other):
            found.add(str(max(one, other, key=_prefix)))
    return _sorted(found)


def _network(text: str) -> values.Network:
    return ipaddress.ip_network(text)


def _prefix(one: values.Network) -> int:
    return one.prefixlen


def _settled(kept: dict[tuple[str, str], tuple[str, ...]]) -> Clause | None:
    """The forms, without what others of the same key say already."""
    for operator, key in [at for at, wanted in kept.items() if not wanted]:
        # All values are in an empty list only where there are none.
        del kept[operator, key]
        if kept.setdefault((NULL, key), _ABSENT) != _ABSENT:
            return None
    for operator, key in list(kept):
        if operator == NULL and _wants_a_value(kept, key):
            if kept[operator, key] == _ABSENT:
                return None
            del kept[operator, key]
    return tuple(sorted(Form(*at, wanted) for at, wanted in kept.items()))


def _wants_a_value(kept: dict[tuple[str, str], tuple[str, ...]], key: str) -> bool:
    """Whether a form of the key is false wherever the request has no such value."""
    kinds = (*_POSITIVE, condition_keys.NUMERIC, condition_keys.DATE, ADDRESS)
    return any(one == key and operator.startswith(kinds) for operator, one in kept)


def _sorted(found: set[str]) -> tuple[str, ...]:
    return tuple(sorted(found))
