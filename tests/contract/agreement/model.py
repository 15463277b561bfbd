"""How MinIO and RustFS decide a call, as far as compiled documents depend on it.

Written from their sources and from what they answered; `test_agreement.py` compares it
with both engines, call by call, so that the unit tests may use it in their place.
"""

from __future__ import annotations

import datetime
import ipaddress
import posixpath
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from exordos_paas_storage.domain import capabilities
from tests.contract.agreement.calls import OF_VERSION, RIGHTS, Call

MINIO, RUSTFS = capabilities.MINIO, capabilities.RUSTFS
ARN = "arn:aws:s3:::"

Values = Mapping[str, Sequence[str]]
_SPELLINGS = {"aws:referer": "aws:Referer", "aws:userid": "aws:userid"}


class Ask(NamedTuple):
    """One question of an engine to its policies.

    Attributes:
        action: in the engine's spelling.
        resource: without the beginning of an ARN, as the engine builds it.
        values: by condition key in the engine's spelling.
        deny_only: whether it is enough that no policy denies; a scope must allow.
    """

    action: str
    resource: str
    values: Values
    deny_only: bool = False


def allowed(
    engine: str,
    call: Call,
    documents: Sequence[Mapping[str, Any]],
    scope: Mapping[str, Any] | None = None,
) -> bool:
    """Whether an engine that holds compiled documents allows a call."""
    return any(
        all(_decided(engine, ask, documents, scope) for ask in asks)
        for asks in _ways(engine, call)
    )


def _decided(
    engine: str,
    ask: Ask,
    documents: Sequence[Mapping[str, Any]],
    scope: Mapping[str, Any] | None,
) -> bool:
    statements = [one for each in documents for one in each["Statement"]]
    if not _evaluated(engine, ask, statements, ask.deny_only):
        return False
    return scope is None or _evaluated(engine, ask, scope["Statement"], False)


def _evaluated(
    engine: str, ask: Ask, statements: Sequence[Mapping[str, Any]], deny_only: bool
) -> bool:
    met = [one["Effect"] for one in statements if _applies(engine, ask, one)]
    return "Deny" not in met and (deny_only or "Allow" in met)


# What an engine asks for a call; one of several ways is enough.


def _ways(engine: str, call: Call) -> list[list[Ask]]:
    if call.operation == "list_buckets":
        return _list_buckets(engine, call)
    if engine == MINIO and call.operation == "list_versions":
        # It falls back to the right to list objects, whatever denies the first.
        return [
            [_ask(engine, call, "s3:ListBucketVersions")],
            [_ask(engine, call, "s3:ListBucket")],
        ]
    if call.operation in ("delete", "delete_many"):
        return [_delete(engine, call)]
    return [[_ask(engine, call, one) for one in _asked(engine, call)]]


def _asked(engine: str, call: Call) -> list[str]:
    rights = list(RIGHTS[call.operation])
    if not call.versioned:
        return rights
    if call.operation == "attributes":
        return [OF_VERSION[right] for right in rights]
    if engine == RUSTFS and call.operation in ("get", "copy"):
        return [
            "s3:GetObjectVersion" if one == "s3:GetObject" else one for one in rights
        ]
    return rights


def _list_buckets(engine: str, call: Call) -> list[list[Ask]]:
    """Without the right, both show the buckets that a key may list or locate."""
    values = _values(engine, call)
    shown = {**values, "s3:prefix": [""], "s3:delimiter": ["/"]}
    bucket = _resource(engine, call.bucket, "")
    return [
        [Ask("s3:ListAllMyBuckets", "/", values)],
        [Ask("s3:ListBucket", bucket, shown)],
        [Ask("s3:GetBucketLocation", bucket, shown)],
    ]


def _delete(engine: str, call: Call) -> list[Ask]:
    if engine == RUSTFS:
        right = OF_VERSION["s3:DeleteObject"] if call.versioned else "s3:DeleteObject"
        return [_ask(engine, call, right)]
    asked = _ask(engine, call, "s3:DeleteObject")
    if call.operation == "delete_many":
        # The version stands in the body, which conditions don't see.
        asked = asked._replace(values={**asked.values, "s3:versionid": [""]})
    if not call.versioned:
        return [asked]
    version = asked._replace(action="s3:DeleteObjectVersion", deny_only=True)
    return [version, asked]


def _ask(engine: str, call: Call, action: str) -> Ask:
    key = call.key
    if call.source and action.startswith("s3:GetObject"):
        key = call.source
    unseen = _unseen(engine, call, action)
    values = {
        name: given
        for name, given in _values(engine, call).items()
        if not (unseen and name.startswith(unseen))
    }
    return Ask(action, _resource(engine, call.bucket, key), values)


def _unseen(engine: str, call: Call, action: str) -> str:
    """The beginning of the keys that an engine does not see though they are sent."""
    # RustFS looks at tags where it asks for an upload only, and not into a body.
    tagged = call.operation in ("put_tags", "copy", "put", "create_upload")
    if engine == RUSTFS and tagged and action != "s3:PutObject":
        return "s3:RequestObjectTag"
    if call.operation == "hold" or (engine == RUSTFS and call.operation == "retain"):
        return "s3:object-lock-"
    return ""


def _resource(engine: str, bucket: str, key: str) -> str:
    found = f"{bucket}/{key}"
    return posixpath.normpath(found) if engine == RUSTFS else found


def _values(engine: str, call: Call) -> Values:
    found: dict[str, Sequence[str]] = {
        _SPELLINGS.get(name, name): given for name, given in call.context.items()
    }
    found["aws:username"] = found["aws:userid"] = [call.user]
    if call.operation == "delete_many":
        found.pop("s3:versionid", None)
        if engine == RUSTFS and call.versioned:
            found["s3:versionid"] = call.context["s3:versionid"]
    if engine == MINIO:
        for name in ("aws:Referer", "aws:UserAgent", "s3:versionid"):
            found.setdefault(name, [""])
    return found


# How a statement is compared with a question.


def _applies(engine: str, ask: Ask, statement: Mapping[str, Any]) -> bool:
    named = statement.get("Action", statement.get("NotAction"))
    met = any(_same_action(one, ask.action) for one in named)
    if met == ("NotAction" in statement):
        return False
    arns = statement.get("Resource", statement.get("NotResource"))
    if arns is not None:
        covered = any(_covers(engine, one, ask) for one in arns)
        if covered == ("NotResource" in statement):
            return False
    return all(
        _holds(engine, operator, ask.values.get(key, []), wanted, ask.values)
        for operator, keys in statement.get("Condition", {}).items()
        for key, wanted in keys.items()
    )


def _same_action(named: str, asked: str) -> bool:
    if (named, asked) == ("s3:GetObjectVersion", "s3:GetObject"):
        return True
    return _like(named, asked)


def _covers(engine: str, arn: str, ask: Ask) -> bool:
    pattern = _filled(arn.removeprefix(ARN), ask.values)
    return pattern == posixpath.normpath(ask.resource) or _like(pattern, ask.resource)


def _filled(text: str, values: Values) -> str:
    for key in ("aws:username", "aws:SourceIp", "aws:CurrentTime", "aws:EpochTime"):
        text = text.replace(f"${{{key}}}", values.get(key, [""])[0])
    for key in ("s3:authType", "s3:signatureversion"):
        text = text.replace(f"${{{key}}}", values.get(key, [""])[0])
    return text


def _like(pattern: str, text: str) -> bool:
    expression = "".join(
        {"*": ".*", "?": "."}.get(one, re.escape(one)) for one in pattern
    )
    return re.fullmatch(expression, text, re.DOTALL) is not None


def _holds(
    engine: str, operator: str, given: Sequence[str], wanted: Any, values: Values
) -> bool:
    listed = wanted if isinstance(wanted, list) else [wanted]
    if operator == "Null":
        return (not given) == (listed == ["true"])
    if operator.startswith(("Numeric", "Date")):
        (one,) = listed
        return bool(given) and _ordered(operator, given[0], one)
    if operator.endswith("IpAddress"):
        within = any(
            ipaddress.ip_address(one) in ipaddress.ip_network(network)
            for one in given
            for network in listed
        )
        return within != operator.startswith("Not")
    filled = [_filled(one, values) for one in listed]
    return _compared(engine, operator, given, filled)


def _ordered(operator: str, given: str, wanted: str) -> bool:
    kind = "Numeric" if operator.startswith("Numeric") else "Date"
    left, right = (
        int(one) if kind == "Numeric" else datetime.datetime.fromisoformat(one)
        for one in (given.replace("Z", "+00:00"), wanted.replace("Z", "+00:00"))
    )
    return {
        "Equals": left == right,
        "LessThan": left < right,
        "GreaterThanEquals": left >= right,
    }[operator.removeprefix(kind)]


def _compared(
    engine: str, operator: str, given: Sequence[str], wanted: Sequence[str]
) -> bool:
    quantifier, _, name = operator.rpartition(":")
    negated = "Not" in name
    plain = name.replace("Not", "")

    def among(one: str) -> bool:
        if plain == "StringLike":
            return any(_like(pattern, one) for pattern in wanted)
        if plain == "StringEqualsIgnoreCase":
            return one.lower() in [each.lower() for each in wanted]
        assert plain == "StringEquals", operator
        return one in wanted

    if not quantifier:
        return any(map(among, given)) != negated
    quantified = all if quantifier == "ForAllValues" else any
    if engine == MINIO:
        return quantified(map(among, given)) != negated
    return quantified(among(one) != negated for one in given)
