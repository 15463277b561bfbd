"""Policy documents as the engine of their instance gets them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exordos_paas_storage.domain import capabilities, errors, names, rules
from exordos_paas_storage.domain import policy as templates
from exordos_paas_storage.domain.language import compiler, document, lint

Compiled = compiler.Compiled

# Of every endpoint, until instances have certificates.
SCHEME = "http"
_LONGEST_PREFIX = 512


def compiled_policy(engine: str, written: Any, field: str) -> compiler.Compiled:
    """A policy's document, checked and compiled for an engine.

    Args:
        engine: `rustfs` or `minio`.
        written: as the tenant wrote it.
        field: what holds it, for the error.

    Raises:
        InvalidPolicy: it breaks the language.
        UnsupportedByEngine: it says what the engine can't decide by.
        PolicyTooLarge: compiled it is larger than the engine takes.
    """
    return _compiled(engine, written, field, capabilities.of(engine, "").policy_bytes)


def scope(engine: str, asked: Mapping[str, Any], field: str) -> Compiled:
    """A key's scope, by document or preset, checked and compiled for an engine.

    Raises:
        InvalidValue: a preset or its parameters break their rules.
        RequestError: as `compiled_policy`.
    """
    written: Any = asked
    if not asked.keys() & {"preset", "Statement"}:
        raise errors.InvalidValue(field, _SCOPE)
    if _is_preset(asked):
        parameters = {name: asked[name] for name in asked.keys() - {"preset"}}
        check_template(asked["preset"], parameters, f"{field}.preset", field, _SCOPE)
        written = templates.from_template(asked["preset"], **parameters)
    most = capabilities.of(engine, "").scope_bytes
    return _compiled(engine, written, field, most)


def examined(engine: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """What a policy or a scope comes to on an engine, without storing it.

    Args:
        engine: `rustfs` or `minio`.
        given: one of `document`, `template` (beside it perhaps `parameters`), `scope`.

    Returns:
        `valid`; `problems`, each with `type`, `code`, `field` and `rule` of the error
        that writing it would answer; `warnings`, each with `field`, `rule` and
        `laxer`, whether the engine may allow more than is written; `engine`;
        `compiled`, what the engine would get, and its `size_bytes`, both
        `None` where there are problems; `most_bytes`, the engine's limit.
    """
    able = capabilities.of(engine, "")
    found, problems = _tried(engine, given)
    document = found.document if found else None
    return {
        "valid": not problems,
        "problems": list(map(_shown, problems)),
        "warnings": [
            {"field": one.path, "rule": one.why, "laxer": one.laxer}
            for one in (found.warnings if found else ())
        ],
        "engine": engine,
        "compiled": document,
        "size_bytes": compiler.size_bytes(document) if document else None,
        "most_bytes": able.scope_bytes if "scope" in given else able.policy_bytes,
    }


def _tried(
    engine: str, given: Mapping[str, Any]
) -> tuple[Compiled | None, list[errors.RequestError]]:
    """What is given, compiled, or all that is wrong with it."""
    try:
        return _given(engine, given), []
    except errors.InvalidPolicy:
        (field,) = given.keys() & {"document", "scope"}
        return None, [
            errors.InvalidPolicy(*one) for one in lint.problems(given[field], field)
        ]
    except errors.RequestError as refusal:
        return None, [refusal]


def _shown(problem: errors.RequestError) -> dict[str, Any]:
    return {
        "type": type(problem).__name__,
        "code": problem.status,
        "field": problem.field,
        "rule": problem.rule,
    }


def _given(engine: str, given: Mapping[str, Any]) -> Compiled:
    if "scope" in given:
        rules.json_object().check("scope", given["scope"])
        return scope(engine, given["scope"], "scope")
    if "document" in given:
        rules.json_object().check("document", given["document"])
        return compiled_policy(engine, given["document"], "document")
    parameters = given.get("parameters", {})
    rules.any_object().check("parameters", parameters)
    check_template(given["template"], parameters, "template", "parameters")
    written = templates.from_template(given["template"], **parameters)
    return compiled_policy(engine, written, "template")


def _is_preset(scope: Any) -> bool:
    return isinstance(scope, Mapping) and "preset" in scope


def _compiled(
    engine: str, written: Any, field: str, most_bytes: int
) -> compiler.Compiled:
    target = compiler.Target(engine, "", SCHEME == "https", most_bytes)
    return compiler.compile(document.parse(written, field), target, field)


_PARAMETERS = (
    "must hold at most bucket and prefix, both strings; prefix only beside bucket"
)
_SCOPE = (
    "must be a policy document, or hold preset and at most bucket and prefix, all "
    "strings; prefix only beside bucket"
)


def check_template(
    name: Any,
    parameters: Mapping[str, Any],
    name_field: str,
    field: str,
    words: str = _PARAMETERS,
) -> None:
    """Refuse a template that is not there, or parameters that it does not take.

    Raises:
        InvalidValue: names the field under `name_field` or `field`.
    """
    if not isinstance(name, str) or name not in templates.TEMPLATES:
        known = ", ".join(templates.TEMPLATES)
        raise errors.InvalidValue(name_field, f"must be one of {known}")
    unknown = set(parameters) - {"bucket", "prefix"}
    texts = all(isinstance(value, str) for value in parameters.values())
    if unknown or not texts or set(parameters) == {"prefix"}:
        raise errors.InvalidValue(field, words)
    if "bucket" in parameters:
        names.BUCKET.check(f"{field}.bucket", parameters["bucket"])
    if not _is_plain(parameters.get("prefix", "")):
        raise errors.InvalidValue(
            f"{field}.prefix",
            f"must be at most {_LONGEST_PREFIX} characters without '*', '?', '$' and "
            "control characters",
        )


def _is_plain(prefix: str) -> bool:
    return len(prefix) <= _LONGEST_PREFIX and not any(
        character in "*?$" or character < " " or "\ud800" <= character <= "\udfff"
        for character in prefix
    )
