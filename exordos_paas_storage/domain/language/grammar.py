"""The grammar of policy documents: what every element must be.

Source: AWS, IAM User Guide, "Grammar of the IAM JSON policy language", for policies of
an identity. Stricter than AWS in this: the version must be given, as AWS takes a
document without one as 2008-10-17, which has no policy variables; names of actions,
operators and condition keys must exist; and what would have no effect is refused, such
as an empty list.

Everything wrong is gathered in the order in which it stands, so that the first problem
and the list of all come from the same code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from exordos_paas_storage.domain.language import actions, condition_grammar, variables
from exordos_paas_storage.domain.language.elements import (
    ALLOW,
    DENY,
    Document,
    Statement,
)
from exordos_paas_storage.domain.language.findings import (
    MOST_ENTRIES,
    Findings,
    entries,
    listed,
    shown,
    text,
)

VERSION = "2012-10-17"
ANY_RESOURCE = "*"
ARN_PREFIX = "arn:aws:s3:::"

DOCUMENT = ("Version", "Id", "Statement")
STATEMENT = (
    "Sid",
    "Effect",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
)
_PRINCIPALS = ("Principal", "NotPrincipal")
_SID = re.compile(r"[A-Za-z0-9]{0,128}")


def read(value: Any, field: str, found: Findings) -> Document:
    """A document; only of use if `found` stayed empty.

    Args:
        value: what JSON gave.
        field: path of the document, to which those of its elements are added.
        found: takes the problems.
    """
    if not isinstance(value, Mapping):
        found.add(field, "must be an object in AWS's policy language")
        return Document(())
    if entries(value) > MOST_ENTRIES:
        found.add(field, f"must have at most {MOST_ENTRIES} entries in all its lists")
        return Document(())
    _only(value, DOCUMENT, field, found)
    _version(value, f"{field}.Version", found)
    name = text(value.get("Id", ""), f"{field}.Id", found)
    sids: set[str] = set()
    statements = tuple(
        _statement(one, f"{field}.Statement[{index}]", sids, found)
        for index, one in enumerate(listed(value, "Statement", field, found))
    )
    return Document(statements, name)


def _only(
    value: Mapping[str, Any], known: Sequence[str], field: str, found: Findings
) -> None:
    for name in value:
        if name in _PRINCIPALS:
            found.add(
                f"{field}.{name}",
                "must be left out: the principal is the user that has the policy",
            )
        elif name not in known:
            found.add(
                f"{field}.{shown(name)}",
                f"is no element here; there are {', '.join(known)}",
            )


def _version(value: Mapping[str, Any], field: str, found: Findings) -> None:
    if "Version" not in value:
        found.add(
            field,
            f"is required and must be {VERSION}; AWS takes a document without it as"
            " 2008-10-17, which has no policy variables",
        )
    elif value["Version"] != VERSION:
        found.add(field, f"must be {VERSION}")


def _statement(value: Any, field: str, sids: set[str], found: Findings) -> Statement:
    if not isinstance(value, Mapping):
        found.add(field, "must be an object")
        return Statement(DENY, ())
    _only(value, STATEMENT, field, found)
    sid = _sid(value.get("Sid", ""), f"{field}.Sid", sids, found)
    effect = _effect(value, f"{field}.Effect", found)
    not_action, named = _either(value, "Action", field, _action, found)
    not_resource, resources = _either(value, "Resource", field, _resource, found)
    conditions = condition_grammar.read(value, field, found)
    return Statement(
        effect, named, not_action, resources, not_resource, conditions, sid
    )


def _sid(value: Any, field: str, sids: set[str], found: Findings) -> str:
    if not (isinstance(value, str) and _SID.fullmatch(value)):
        found.add(field, "must be at most 128 letters and digits")
        return ""
    if value in sids:
        found.add(field, "must not be that of an earlier statement")
    if value:
        sids.add(value)
    return value


def _effect(value: Mapping[str, Any], field: str, found: Findings) -> str:
    if "Effect" not in value:
        found.add(field, f"is required: {ALLOW} or {DENY}")
    elif value["Effect"] not in (ALLOW, DENY):
        found.add(field, f"must be {ALLOW} or {DENY}")
    return ALLOW if value.get("Effect") == ALLOW else DENY


def _either(
    value: Mapping[str, Any],
    name: str,
    field: str,
    read_one: Callable[[Any, str, Findings], str],
    found: Findings,
) -> tuple[bool, tuple[str, ...]]:
    """An element or its opposite, not both: whether it is the opposite, its texts."""
    opposite = f"Not{name}"
    if name in value and opposite in value:
        found.add(f"{field}.{opposite}", f"must not stand beside {name}")
    elif name not in value and opposite not in value:
        found.add(f"{field}.{name}", f"is required, or {opposite}")
        return False, ()
    used = opposite if opposite in value else name
    return used == opposite, tuple(
        read_one(one, f"{field}.{used}[{index}]", found)
        for index, one in enumerate(listed(value, used, field, found))
    )


def _action(value: Any, field: str, found: Findings) -> str:
    named = text(value, field, found)
    if not named and value != "":
        return ""
    rule = actions.problem(named)
    found.add(field, rule)
    return "" if rule else actions.spelled(named)


def _resource(value: Any, field: str, found: Findings) -> str:
    arn = text(value, field, found)
    if not arn and value != "":
        return ""
    found.add(field, _resource_problem(arn))
    return arn


def _resource_problem(arn: str) -> str:
    if arn == ANY_RESOURCE:
        return ""
    name = arn.removeprefix(ARN_PREFIX)
    if name == arn or not name or name.startswith("/"):
        return (
            f"must be {ANY_RESOURCE}, or {ARN_PREFIX} and a bucket, and perhaps a key"
        )
    return variables.problem(arn)
