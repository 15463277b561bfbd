"""Which error of ours an engine's answer, or its silence, becomes."""

from __future__ import annotations

from exordos_paas_storage.domain import errors

MALFORMED = "MalformedAnswer"

# The engine is starting, has no quorum or is over its limit, or a proxy stands
# before an engine that is away: the next pass tries again.
_NOT_NOW = frozenset((502, 503, 504))


def refusal(operation: str, status: int, code: str) -> errors.StorageError:
    """The error for an answer of `status` with the engine's error `code`."""
    if status in _NOT_NOW:
        return errors.EngineUnavailable(f"{operation}: {status} {code}")
    return errors.EngineRefused(operation, status, code)


def silence(operation: str, error: Exception) -> errors.EngineUnavailable:
    """The error for no answer at all.

    It names the kind of `error` alone: its text has the engine's inner address, and
    its request may have a secret in the body.
    """
    return errors.EngineUnavailable(f"{operation}: no answer ({type(error).__name__})")
