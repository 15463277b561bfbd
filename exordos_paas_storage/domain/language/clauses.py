"""The conditions of a statement as alternatives of what an engine can compare.

A statement holds where one of several clauses does; each becomes a statement of its
own, which is the same for an Allow and for a Deny. Where an engine does not see what a
request carries, an Allow gets less and a Deny more than was written, never the other
way round.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from exordos_paas_storage.domain import capabilities
from exordos_paas_storage.domain.language import (
    condition_keys,
    conditions,
    engine_keys,
    engine_values,
    merging,
    operators,
    ranges,
    refusals,
)
from exordos_paas_storage.domain.language.elements import FOR_ALL, FOR_ANY, Condition
from exordos_paas_storage.domain.language.engine_actions import PUT
from exordos_paas_storage.domain.language.engine_keys import BY_FORM, Supply
from exordos_paas_storage.domain.language.merging import ALWAYS, NEVER, Clauses, Form

# Takes the path of a part of the document, why it is not what it seems to be, and
# whether the engine may allow more than it says.
Report = Callable[[str, str, bool], None]


@dataclass(frozen=True)
class Setting:
    """Where a statement is compiled for.

    Attributes:
        engine: a name of `capabilities.ENGINES`.
        secure: whether the instance's endpoint is served by TLS.
        allow: whether it is an Allow.
        path: path of the statement.
        report: takes what the author should know.
        known: what was found already for some of its conditions.
    """

    engine: str
    secure: bool
    allow: bool
    path: str
    report: Report
    known: dict[Any, Clauses] = field(default_factory=dict, compare=False, repr=False)


def of(
    given: Sequence[Condition], action: str, asked: str, setting: Setting
) -> Clauses:
    """The clauses of which one holds where all conditions do.

    Args:
        given: the conditions of a statement.
        action: one of AWS's; only its requests are meant.
        asked: as what the engine asks them.
        setting: the statement's.

    Raises:
        UnsupportedByEngine: the table of refusals says that the engine can't.
        PolicyTooLarge: it takes more clauses than any engine takes statements.
    """
    left = []
    for one in given:
        fixed = _fixed(one, action, setting)
        if fixed is False:
            return NEVER
        if fixed is None:
            left.append(one)
    at = (tuple(left), asked if asked in engine_keys.BLIND else "")
    if at not in setting.known:
        found = ALWAYS
        for some in _by_range(left):
            found = merging.both(found, _one(some, asked, setting), setting.path)
        setting.known[at] = found
    return setting.known[at]


def telling(engine: str, key: str, carried: bool) -> Clauses:
    """The clauses that hold where a request carries a key, or where it does not.

    Args:
        engine: a name of `capabilities.ENGINES`.
        key: one that the engine knows.
        carried: which of both.
    """
    supply = engine_keys.supply(engine, key)
    if supply is None:
        raise KeyError(f"{engine} does not know {key}")
    return _present(supply) if carried else _absent(supply)


def _fixed(one: Condition, action: str, setting: Setting) -> bool | None:
    """Whether a condition holds, where that is known before any request is."""
    constant = engine_keys.constant(one.key, setting.secure)
    if constant is not None:
        return conditions.holds(one, {one.key: (constant,)})
    if not engine_keys.carried(one.key, action):
        return conditions.holds(one, {})
    return None


def _by_range(given: Sequence[Condition]) -> list[list[Condition]]:
    """The conditions; those of numbers and dates that are about one key together."""
    together: dict[str, list[Condition]] = {}
    for index, one in enumerate(given):
        kind = operators.OPERATORS[one.operator].kind
        ranged = kind in (condition_keys.NUMERIC, condition_keys.DATE)
        together.setdefault(one.key if ranged else str(index), []).append(one)
    return list(together.values())


def _one(given: Sequence[Condition], asked: str, setting: Setting) -> Clauses:
    """The clauses of one condition, or of all that bound one key to ranges."""
    path = _path(given[0], setting)
    supply = engine_keys.supply(setting.engine, given[0].key)
    if supply is None:
        name = given[0].key.partition("/")[0]
        raise refusals.refused(refusals.KEY, name, setting.engine, path)
    if setting.engine == capabilities.RUSTFS and _is_escaped(supply.name):
        raise refusals.refused(refusals.KEY, refusals.ESCAPED, setting.engine, path)
    for one in given:
        engine_values.check_operator(one, setting.engine, _path(one, setting))
    found = _written(given, supply, setting, path)
    if found in (NEVER, ALWAYS):
        return found
    if supply.forged and (asked == PUT or supply.forged != BY_FORM):
        setting.report(
            path,
            f"{setting.engine} can be made to see another value {supply.forged}, so "
            "that a client can get round this",
            True,
        )
    if asked in supply.unseen:
        found = _seen(found, supply, setting, path)
    return _checked(found, supply, setting, path)


def _is_escaped(key: str) -> bool:
    """Whether JSON has another text for a key; RustFS then refuses the document."""
    return json.dumps(key) != f'"{key}"'


def _path(one: Condition, setting: Setting) -> str:
    return f"{setting.path}.Condition.{one.written_operator}.{one.key}"


def _written(
    given: Sequence[Condition], supply: Supply, setting: Setting, path: str
) -> Clauses:
    one = given[0]
    kind = operators.OPERATORS[one.operator].kind
    if kind in (condition_keys.NUMERIC, condition_keys.DATE):
        return _ranged(given, supply, path)
    if kind == operators.NULL:
        return _present_or_not(one, supply)
    operator, wanted = engine_values.of(
        one, setting.engine, setting.secure, setting.allow, path
    )
    form = Form(operator, supply.name, wanted)
    return _compared(one, form, supply, setting.engine, path)


def _ranged(given: Sequence[Condition], supply: Supply, path: str) -> Clauses:
    allowed = ranges.allowed(given[0])
    for one in given[1:]:
        allowed = ranges.both(allowed, ranges.allowed(one))
    kinds = condition_keys.KEYS[given[0].key].kinds
    # Engines tell the time since 1970 as a number, whatever it is compared with.
    kind = (
        condition_keys.NUMERIC
        if condition_keys.NUMERIC in kinds
        else condition_keys.DATE
    )
    found = _absent(supply) if allowed.absent else NEVER
    if kind == condition_keys.DATE:
        allowed = allowed._replace(ranges=ranges.of_dates(allowed.ranges))
    for numbers in allowed.ranges:
        forms = [
            Form(operator, supply.name, (value,))
            for operator, value in ranges.written(kind, numbers).items()
        ]
        found = merging.either(
            found, (tuple(sorted(forms)),) if forms else _present(supply), path
        )
    if allowed.absent and allowed.ranges == ranges.EVERYTHING:
        return ALWAYS
    return found


def _present_or_not(one: Condition, supply: Supply) -> Clauses:
    if len(set(one.values)) == 2:
        return ALWAYS
    return _absent(supply) if one.values[0] == "true" else _present(supply)


def _compared(
    one: Condition, form: Form, supply: Supply, engine: str, path: str
) -> Clauses:
    """The clauses of a comparison with a list of values.

    Both engines take a negated operator for true where there is no value, and a plain
    one for false. Where several values may be, MinIO reads `ForAllValues` before a
    negated operator as AWS means `ForAnyValue` there.
    """
    many = condition_keys.KEYS[one.key.partition("/")[0]].many
    plain: Clauses = ((form,),)
    if operators.OPERATORS[one.operator].negated:
        if one.quantifier != FOR_ANY:
            return plain
        if not many:
            return merging.both(plain, _present(supply), path)
        prefix = FOR_ALL if engine == capabilities.MINIO else FOR_ANY
        return ((form._replace(operator=f"{prefix}:{form.operator}"),),)
    if one.quantifier == FOR_ALL and many:
        return ((form._replace(operator=f"{FOR_ALL}:{form.operator}"),),)
    if one.quantifier == FOR_ALL or (one.if_exists and not one.quantifier):
        return merging.either(plain, _absent(supply), path)
    return plain


def _present(supply: Supply) -> Clauses:
    if supply.always:
        return ALWAYS
    if supply.empty:
        return ((Form(merging.NOT_EQUALS, supply.name, ("",)),),)
    return ((merging.present(supply.name),),)


def _absent(supply: Supply) -> Clauses:
    if supply.always:
        return NEVER
    if supply.empty:
        return ((Form(merging.EQUALS, supply.name, ("",)),),)
    return ((merging.absent(supply.name),),)


def _seen(found: Clauses, supply: Supply, setting: Setting, path: str) -> Clauses:
    """Clauses that give nothing more where the engine does not see the key."""
    does = "allows nothing" if setting.allow else "denies"
    setting.report(
        path,
        f"{setting.engine} does not see it in every request, and {does} where not",
        False,
    )
    if setting.allow:
        return merging.both(found, _present(supply), path)
    return merging.either(found, _absent(supply), path)


def _checked(found: Clauses, supply: Supply, setting: Setting, path: str) -> Clauses:
    """Clauses that a client can't meet by sending the value itself.

    MinIO compares what it takes from a header of the key's name, or from a parameter,
    and fills in the truth where the key is a policy variable.
    """
    if not supply.checked:
        return found
    truth = (f"${{{supply.name}}}",)
    if setting.allow:
        same = Form(f"{FOR_ALL}:{merging.EQUALS}", supply.name, truth)
        return merging.both(found, ((same,),), path)
    other = Form(f"{FOR_ALL}:{merging.NOT_EQUALS}", supply.name, truth)
    return merging.either(found, ((other,),), path)
