"""Texts with wildcards and policy variables, as the engines write them.

Neither engine knows an escape, so that a `*` from `${*}` would be a wildcard again, and
a variable that an engine does not know would stay in the text as it is.
"""

from __future__ import annotations

from exordos_paas_storage.domain.language import patterns, refusals, variables
from exordos_paas_storage.domain.language.engine_keys import USERNAME, constant


def written(
    text: str, engine: str, secure: bool, path: str, wildcards: bool = True
) -> str:
    """A text of a document as an engine gets it.

    Args:
        text: without a problem of the language.
        engine: the engine that gets it.
        secure: whether the instance's endpoint is served by TLS.
        path: where it stands, for errors.
        wildcards: whether `*` and `?` mean something there.

    Raises:
        UnsupportedByEngine: it has a variable, or a character without its meaning,
            that the engine can't take.
    """
    return "".join(
        _piece(one, engine, secure, path, wildcards) for one in variables.read(text)
    )


def _piece(
    one: str | patterns.Wildcard | variables.Variable,
    engine: str,
    secure: bool,
    path: str,
    wildcards: bool,
) -> str:
    if isinstance(one, patterns.Wildcard):
        return one.value
    if isinstance(one, variables.Variable):
        return _variable(one, engine, secure, path)
    if wildcards and ("*" in one or "?" in one):
        raise refusals.refused(refusals.VARIABLE, refusals.WILD, engine, path)
    if "${" in one:
        raise refusals.refused(refusals.VARIABLE, refusals.DOLLAR, engine, path)
    return one


def _variable(one: variables.Variable, engine: str, secure: bool, path: str) -> str:
    fixed = constant(one.key, secure)
    if fixed is not None:
        return fixed
    if one.key not in refusals.FILLED or refusals.find(
        refusals.VARIABLE, one.key, engine
    ):
        raise refusals.refused(refusals.VARIABLE, one.key, engine, path)
    # Every request has one of each, so that a default is never used.
    return f"${{{USERNAME if one.key == 'aws:userid' else one.key}}}"
