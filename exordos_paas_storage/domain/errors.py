"""Errors raised on purpose: the class answers "who must act?".

What a caller must change is a `RequestError`; its class name is the `type` of the
error form and its `status` the HTTP status, so this module is the one table of both
(`docs/reference/errors.md` lists it, and a test compares the two).
"""

from __future__ import annotations


class StorageError(Exception):
    """Base of every error raised on purpose; never raised itself."""


class RequestError(StorageError):
    """The caller must change the request; nothing was stored.

    Args:
        field: path of the field, parameter or header that breaks the rule.
        rule: the rule in words; never a value that may be secret.
    """

    status = 400

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field}: {rule}")
        self.field, self.rule = field, rule


class InvalidValue(RequestError):
    """A value breaks its field's rule."""


class MissingField(RequestError):
    """A required field is absent."""


class UnknownField(RequestError):
    """The body names a field the resource does not have."""


class ReadOnlyField(RequestError):
    """The body sets a field that only the service, or only creation, sets."""


class MalformedBody(RequestError):
    """The body is not a JSON object."""


class InvalidQuery(RequestError):
    """A query parameter is unknown or breaks its rule."""


class InvalidHeader(RequestError):
    """A request header breaks its rule, or stands at a call that does not take it."""


class InvalidPolicy(RequestError):
    """A policy document breaks the language; the field leads to the element."""


class Unauthorized(RequestError):
    """The token is missing, invalid or expired."""

    status = 401


class Forbidden(RequestError):
    """The token's role does not allow this."""

    status = 403


class NotFound(RequestError):
    """There is no such object or route."""

    status = 404


class MethodNotAllowed(RequestError):
    """The route exists and does not take this method."""

    status = 405


class NameTaken(RequestError):
    """The name is in use, perhaps by an object still being deleted."""

    status = 409


class AccessKeyTaken(RequestError):
    """The access key id is in use on this instance."""

    status = 409


class AlreadyAttached(RequestError):
    """The user has this policy already."""

    status = 409


class PolicyInUse(RequestError):
    """The policy is attached to a user, or is a default of the instance."""

    status = 409


class PolicyReserved(RequestError):
    """The policy belongs to the service and can't be changed or deleted."""

    status = 409


class DeletionProtected(RequestError):
    """The object is protected against deletion."""

    status = 409


class BeingDeleted(RequestError):
    """The object, or the one it lies in, is being deleted."""

    status = 409


class AlreadyRotated(RequestError):
    """The key is in a rotation: it has a successor, or its predecessor still lives."""

    status = 409


class KeyInactive(RequestError):
    """The key is disabled or has expired, so it can't be rotated."""

    status = 409


class IdempotencyKeyReused(RequestError):
    """The idempotency key was sent before with another body."""

    status = 409


class PreconditionFailed(RequestError):
    """The object is not at the generation that If-Match names."""

    status = 412


class BodyTooLarge(RequestError):
    """The body is larger than the service reads."""

    status = 413


class UnsupportedMediaType(RequestError):
    """The body is not JSON."""

    status = 415


class NotYetSupported(RequestError):
    """A promised setting whose effect has not come yet."""

    status = 422


class UnsupportedByEngine(RequestError):
    """The instance's engine can't do this."""

    status = 422


class PolicyTooLarge(RequestError):
    """The policy or scope, as the engine gets it, is larger than the engine takes."""

    status = 422


class InternalError(RequestError):
    """A fault of the service; the log has it under the named reference."""

    status = 500


class Unavailable(RequestError):
    """The service can't answer at the moment; try again."""

    status = 503


class EngineUnavailable(StorageError):
    """Nobody: the engine did not answer, and the next pass tries again."""


class EngineRefused(StorageError):
    """An operator: the engine answered no, and retrying changes nothing.

    Args:
        operation: what was asked of the engine, in words, without secrets.
        status: the engine's HTTP status.
        code: the engine's error code, such as `InvalidArgument`.
    """

    def __init__(self, operation: str, status: int, code: str) -> None:
        super().__init__(f"{operation}: the engine answered {status} {code}")
        self.operation, self.status, self.code = operation, status, code


class BucketNotEmpty(EngineRefused):
    """The caller: the bucket holds objects, versions or delete markers."""


class SetupError(StorageError):
    """Whoever runs the service here: what is wrong and what to do, in one line."""


def request_errors() -> dict[str, type[RequestError]]:
    """Every type of the error form by name, in the order of this module."""
    return {
        name: value
        for name, value in globals().items()
        if isinstance(value, type)
        and issubclass(value, RequestError)
        and value is not RequestError
    }
