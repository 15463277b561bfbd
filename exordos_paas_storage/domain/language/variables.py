"""Policy variables: `${aws:username}`, with a default `${aws:username, 'nobody'}`.

`${*}`, `${?}` and `${$}` stand for those characters where they would mean something.

Source: AWS, IAM User Guide, "IAM policy elements: Variables and tags". A variable
without a value is no text at all: nothing is equal to it or like it, so a positive
operator and a resource don't match, and a negated operator does. A value that the
request has several of is none.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from exordos_paas_storage.domain.language import condition_keys, patterns

_VARIABLE = re.compile(r"\$\{([^{}]*)\}")
_DEFAULT = re.compile(r"'[^']*'")
_CHARACTERS = ("*", "?", "$")

Context = Mapping[str, Sequence[str]]


class Variable(NamedTuple):
    """A variable in a text.

    Attributes:
        key: the condition key that it stands for, in AWS's spelling.
        default: what it is where the request has no value; None for none.
    """

    key: str
    default: str | None


Template = tuple[str | patterns.Wildcard | Variable, ...]


@functools.lru_cache(maxsize=4096)
def read(text: str) -> Template:
    """A text of a document as literal texts, wildcards and variables.

    What looks like a variable and is none (see `problem`) is literal text.
    """
    pieces: list[str | patterns.Wildcard | Variable] = []
    end = 0
    for found in _VARIABLE.finditer(text):
        pieces += patterns.read(text[end : found.start()])
        pieces.append(_variable(found[1]) or found[0])
        end = found.end()
    pieces += patterns.read(text[end:])
    return patterns.joined(pieces)


def _variable(inside: str) -> Variable | str | None:
    if inside in _CHARACTERS:
        return inside
    key, comma, default = (part.strip() for part in inside.partition(","))
    if not key or bool(comma) != bool(_DEFAULT.fullmatch(default)):
        return None
    return Variable(condition_keys.spelled(key), default[1:-1] if comma else None)


def problem(text: str) -> str:
    """The rule about variables that a text breaks; empty if none."""
    if "${" in _VARIABLE.sub("", text):
        return "has a policy variable that is not closed, or one inside another"
    for found in _VARIABLE.finditer(text):
        variable = _variable(found[1])
        if variable is None:
            return "has a policy variable that is not ${key} or ${key, 'default'}"
        if isinstance(variable, Variable):
            key = condition_keys.find(variable.key)
            if key is None:
                return "has a policy variable that is no condition key of AWS or S3"
            if key.many:
                return f"has the policy variable {key.name}, which has several values"
    return ""


def names(text: str) -> tuple[str, ...]:
    """The condition keys whose variables a text has, in AWS's spelling."""
    return tuple(piece.key for piece in read(text) if isinstance(piece, Variable))


def filled(template: Template, context: Context) -> patterns.Pattern | None:
    """A template with the request's values; None where one is missing."""
    pieces: list[str | patterns.Wildcard] = []
    for piece in template:
        if isinstance(piece, Variable):
            value = _value(piece, context)
            if value is None:
                return None
            pieces.append(value)
        else:
            pieces.append(piece)
    return patterns.joined(pieces)


def _value(variable: Variable, context: Context) -> str | None:
    given = context.get(variable.key, ())
    return given[0] if len(given) == 1 else variable.default
