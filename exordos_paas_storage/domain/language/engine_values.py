"""Operators and values of conditions as an engine takes them."""

from __future__ import annotations

import re

from exordos_paas_storage.domain import capabilities
from exordos_paas_storage.domain.language import (
    condition_keys,
    engine_keys,
    engine_texts,
    letters,
    operators,
    refusals,
    values,
)
from exordos_paas_storage.domain.language.elements import Condition

# What MinIO lets be compared with these keys, by operators without wildcards.
# Source: github.com/minio/pkg v3.1.3, `policy/condition/stringfunc.go`.
_FIXED = {
    engine_keys.CUSTOMER_ALGORITHM: ("AES256",),
    engine_keys.DIRECTIVE: ("COPY", "REPLACE"),
    engine_keys.ENCRYPTION: ("AES256", "aws:kms"),
}
_HASH = "s3:x-amz-content-sha256"
# What a slash before the bucket may meet.
_SLASH = re.compile(r"\**[/?]")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/.+", re.DOTALL)


def check_operator(one: Condition, engine: str, path: str) -> None:
    """Refuse what no engine compares with a key of that kind.

    Raises:
        UnsupportedByEngine: as the table of refusals says.
    """
    if refusals.find(refusals.OPERATOR, one.operator, engine):
        raise refusals.refused(refusals.OPERATOR, one.operator, engine, path)
    kinds = condition_keys.KEYS[one.key.partition("/")[0]].kinds
    kind = operators.OPERATORS[one.operator].kind
    row = ""
    if kind == condition_keys.STRING:
        row = refusals.DATES if kinds == (condition_keys.DATE,) else ""
    elif kind == condition_keys.IP_ADDRESS:
        row = "" if one.key == engine_keys.SOURCE_IP else refusals.ADDRESSES
    elif kind not in (*kinds, operators.NULL):
        row = refusals.NUMBERS
    if row:
        raise refusals.refused(refusals.OPERATOR, row, engine, path)


def of(
    one: Condition, engine: str, secure: bool, allow: bool, path: str
) -> tuple[str, tuple[str, ...]]:
    """A comparison with texts or addresses, by operator and sorted values.

    Args:
        one: the condition; its operator fits its key.
        engine: the engine that gets it.
        secure: whether the instance's endpoint is served by TLS.
        allow: whether it stands in an Allow.
        path: its path, for errors.

    Raises:
        UnsupportedByEngine: as the table of refusals says.
    """
    if operators.OPERATORS[one.operator].kind == condition_keys.IP_ADDRESS:
        # Without a prefix length, both engines read an address of IPv6 as a /32.
        networks = {str(values.network(value)) for value in one.values}
        return one.operator, tuple(sorted(networks))
    like = one.operator.endswith("Like")
    found = [
        engine_texts.written(value, engine, secure, f"{path}[{index}]", like)
        for index, value in enumerate(one.values)
    ]
    if like:
        _check_letters(one, found, engine, allow, path)
    operator = one.operator
    if one.key == engine_keys.COPY_SOURCE:
        found = _copied(one, found, engine, allow, path)
    if engine == capabilities.MINIO:
        operator, found = _for_minio(one, found, path)
    return operator, tuple(sorted(set(found)))


def _check_letters(
    one: Condition, found: list[str], engine: str, allow: bool, path: str
) -> None:
    """Refuse wildcards by which an engine allows more than was written."""
    gives = allow != operators.OPERATORS[one.operator].negated
    for index, value in enumerate(found):
        if letters.differs(value, gives) and not engine_keys.is_ascii(one.key):
            at = f"{path}[{index}]"
            raise refusals.refused(refusals.VALUE, refusals.SINGLE, engine, at)


def _copied(
    one: Condition, found: list[str], engine: str, allow: bool, path: str
) -> list[str]:
    """Copy sources with and without the slash that clients may put before them."""
    negated = operators.OPERATORS[one.operator].negated
    if negated == allow:
        raise refusals.refused(refusals.VALUE, refusals.COPIED, engine, path)
    if any(map(_SLASH.match, found)):
        raise refusals.refused(refusals.VALUE, refusals.COPIED_SLASH, engine, path)
    if engine == capabilities.MINIO and not all(map(_BUCKET.fullmatch, found)):
        raise refusals.refused(refusals.VALUE, refusals.COPIED_BUCKET, engine, path)
    return [*found, *(f"/{value}" for value in found)]


def _for_minio(one: Condition, found: list[str], path: str) -> tuple[str, list[str]]:
    """What MinIO takes of values; it checks some, and shows absent ones as empty."""
    supply = engine_keys.supply(capabilities.MINIO, one.key)
    never_empty = one.key == _HASH or (supply is not None and supply.empty)
    if never_empty:
        if "" in found:
            raise _refused(refusals.EMPTY, path)
        if one.operator.endswith("Like"):
            found = ["?*" if set(value) == {"*"} else value for value in found]
    if one.key in _FIXED and not one.operator.endswith("Like"):
        return _encryption(one, found, path)
    return one.operator, found


def _encryption(one: Condition, found: list[str], path: str) -> tuple[str, list[str]]:
    fixed = {value.lower(): value for value in _FIXED[one.key]}
    if one.operator.endswith("IgnoreCase"):
        if not all(value.lower() in fixed for value in found):
            raise _refused(refusals.ENCRYPTION, path)
        return one.operator, [fixed[value.lower()] for value in found]
    if set(found) <= {*fixed.values()}:
        return one.operator, found
    # MinIO does not check the values of the operators with wildcards.
    if any("*" in value or "?" in value for value in found):
        raise _refused(refusals.ENCRYPTION, path)
    return one.operator.replace("Equals", "Like"), found


def _refused(rule: str, path: str) -> Exception:
    return refusals.refused(refusals.VALUE, rule, capabilities.MINIO, path)
