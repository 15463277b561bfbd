"""What an engine can't decide by, and why: the one table of all such refusals.

A policy that is here only for another engine compiles for this one. What is not here
and yet not known to an engine is a fault; `tests/unit/test_compiler_tables.py` compares
the table with all that AWS has. `docs/reference/policies.md` shows it.
"""

from __future__ import annotations

from typing import NamedTuple

from exordos_paas_storage.domain import capabilities, errors
from exordos_paas_storage.domain.language import refused_keys

RUSTFS = (capabilities.RUSTFS,)
MINIO = (capabilities.MINIO,)
BOTH = capabilities.ENGINES

KEY = "condition key"
OPERATOR = "operator"
VARIABLE = "policy variable"
VALUE = "value"
RESOURCE = "resource"


class Refusal(NamedTuple):
    """One row.

    Attributes:
        kind: what is refused: `KEY`, `OPERATOR`, `VARIABLE`, `VALUE` or `RESOURCE`.
        names: the names it is about; of rules that are about no name, a short text.
        engines: the engines that can't.
        why: ends a sentence "the engine can't decide by this …: ".
    """

    kind: str
    names: tuple[str, ...]
    engines: tuple[str, ...]
    why: str


WILD = "* or ? as a character"
DOLLAR = "${$} before a brace"
ADDRESSES = "IpAddress or NotIpAddress on another key than aws:SourceIp"
NUMBERS = "a Numeric, Date or Bool operator on a key that holds text"
DATES = "a String operator on a key that holds a date"
EMPTY = "an empty text"
ENCRYPTION = "an encryption in another spelling"
COPIED = "a copy source that must not match"
COPIED_BUCKET = "a copy source with wildcards in its bucket"
COPIED_SLASH = "a copy source that begins with a slash or ?"
REPEATED = "too many conditions of one kind on one key"
FOLDER = "an ending of * and a slash"
ESCAPED = refused_keys.ESCAPED
SINGLE = "a ? that a letter beyond ASCII may meet"

_BYTES = (
    "the engines take ? for one byte, so that it misses a letter with an accent and ?? "
    "takes one for two; that would allow more here"
)

TABLE = (
    *(Refusal(KEY, *row) for row in refused_keys.ROWS),
    Refusal(
        OPERATOR,
        ("ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"),
        BOTH,
        "MinIO has no such operator, and RustFS compares ARNs as plain texts",
    ),
    Refusal(
        OPERATOR,
        ("BinaryEquals",),
        BOTH,
        "no key of S3 holds bytes",
    ),
    Refusal(
        OPERATOR,
        (ADDRESSES,),
        BOTH,
        "addresses are compared with aws:SourceIp alone",
    ),
    Refusal(
        OPERATOR,
        (NUMBERS,),
        BOTH,
        "only a key that holds numbers is compared as a number, and a date as a date",
    ),
    Refusal(
        OPERATOR,
        (DATES,),
        BOTH,
        "the engines write dates in different ways; compare it by Date operators",
    ),
    Refusal(
        VARIABLE,
        (WILD,),
        BOTH,
        "the engines have no way to write * and ? that are no wildcards",
    ),
    Refusal(
        VARIABLE, (DOLLAR,), BOTH, "the engines would take it for a policy variable"
    ),
    Refusal(VARIABLE, ("aws:SourceIp",), RUSTFS, "RustFS fills it in nowhere"),
    Refusal(
        VALUE,
        (EMPTY,),
        MINIO,
        "MinIO shows a header that is not there as an empty one",
    ),
    Refusal(
        VALUE,
        (ENCRYPTION,),
        MINIO,
        "MinIO takes the names of encryptions in their own spelling alone",
    ),
    Refusal(
        VALUE,
        (COPIED,),
        BOTH,
        "the engines compare the header as the client has encoded it, so that what "
        "must not match can be written otherwise",
    ),
    Refusal(
        VALUE,
        (COPIED_BUCKET,),
        MINIO,
        "MinIO takes a copy source only as a bucket's name, a slash and a key",
    ),
    Refusal(
        VALUE,
        (COPIED_SLASH,),
        BOTH,
        "clients may write a slash before the bucket or leave it out, which must mean "
        "the same; write it without",
    ),
    Refusal(VALUE, (REPEATED,), BOTH, "a policy has no place for so many of one key"),
    Refusal(VALUE, (SINGLE,), BOTH, _BYTES),
    Refusal(
        RESOURCE,
        (FOLDER,),
        RUSTFS,
        "RustFS drops the slash at the end of a key, so that it can't tell folders "
        "from objects",
    ),
    Refusal(RESOURCE, (SINGLE,), BOTH, _BYTES),
)

# Of every other policy variable.
UNFILLED = Refusal(
    VARIABLE,
    ("every other variable",),
    BOTH,
    "the engines don't know it, or read wildcards in what a client sent",
)
# The only variables that an engine fills in with what AWS means.
FILLED = ("aws:SourceIp", "aws:userid", "aws:username")


def find(kind: str, name: str, engine: str) -> Refusal | None:
    """The row that is about a name on an engine; None where it can decide by it.

    Args:
        kind: `KEY`, `OPERATOR`, `VARIABLE`, `VALUE` or `RESOURCE`.
        name: as a row has it.
        engine: a name of `capabilities.ENGINES`; empty for a row about both.
    """
    for row in TABLE:
        about = engine in row.engines if engine else row.engines == BOTH
        if about and row.kind == kind and name in row.names:
            return row
    return None


def refused(kind: str, name: str, engine: str, path: str) -> errors.UnsupportedByEngine:
    """The error of what the table says of a name; the arguments are those of `find`.

    Args:
        path: path of the part of the document.

    Raises:
        KeyError: the table has no such row, so the caller asks for what it may not
            refuse.
    """
    row = find(kind, name, engine)
    if row is None and kind == VARIABLE and name not in FILLED:
        row = UNFILLED
    if row is None:
        raise KeyError(f"no reason why {engine} can't decide by {kind} {name}")
    who = engine or "the engines"
    return errors.UnsupportedByEngine(
        path, f"{who} can't decide by this {kind}: {row.why}"
    )
