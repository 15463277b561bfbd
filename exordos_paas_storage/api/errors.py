"""From errors to answers: one form, whatever went wrong."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from typing import Any

from gcl_iam import exceptions as iam_exc
from restalchemy.common import exceptions as ra_exc
from restalchemy.storage import exceptions as storage_exc

from exordos_paas_storage.domain import errors
from exordos_paas_storage.models import base

LOG = logging.getLogger(__name__)


class ApiError(ra_exc.RestAlchemyException):
    """An error in the form that restalchemy's own middleware renders.

    That middleware answers `{"type": <class name>, "code", "message"}` with the status
    `code`, so the same exception has the same answer in both homes.
    """

    def __init__(self, message: str) -> None:
        self.message = message.replace("%", "%%")
        super().__init__()


_KINDS = {
    name: type(name, (ApiError,), {"code": kind.status, "__doc__": kind.__doc__})
    for name, kind in errors.request_errors().items()
}


# What restalchemy and gcl_iam raise, and what it means here. Their texts are never
# passed on: they print models and SQL.
_FOREIGN: tuple[tuple[Any, Callable[[Any], errors.RequestError]], ...] = (
    (
        UnicodeDecodeError,
        lambda error: errors.InvalidQuery("path", "must be valid UTF-8"),
    ),
    (
        storage_exc.RecordNotFound,
        lambda error: errors.NotFound("path", "names nothing that exists"),
    ),
    (
        storage_exc.ConflictRecords,
        lambda error: errors.NameTaken("name", "is taken"),
    ),
    (
        ra_exc.ValidationFilterSyntaxError,
        lambda error: errors.InvalidQuery("q", error.msg),
    ),
    (
        ra_exc.ValidationFilterTooComplexError,
        lambda error: errors.InvalidQuery("q", "is too long or too deeply nested"),
    ),
    (
        ra_exc.ValidationErrorException,
        lambda error: errors.InvalidQuery("query", error.msg),
    ),
    (
        ra_exc.ParseError,
        lambda error: errors.InvalidQuery("query", "holds a value of the wrong type"),
    ),
    (
        ra_exc.UnsupportedHttpMethod,
        lambda error: errors.MethodNotAllowed("method", "is not taken by this path"),
    ),
    (
        ra_exc.NotFoundError,
        lambda error: errors.NotFound("path", "names nothing that exists"),
    ),
    (
        iam_exc.CommonForbiddenError,
        lambda error: errors.Forbidden("token", "its role does not allow this"),
    ),
    (
        (iam_exc.CredentialsAreInvalidError, iam_exc.ClientAuthenticationError),
        lambda error: errors.Unauthorized("token", "has expired or is invalid"),
    ),
)


def request_error(error: Exception) -> errors.RequestError:
    """What a client is told of any error; a fault of ours is logged with a reference.

    The reference stands in the answer and beside the trace in the log.
    """
    if isinstance(error, errors.RequestError):
        return error
    if base.unreachable(error):
        LOG.warning("the database does not answer: %s", type(error).__name__)
        return errors.Unavailable("service", "can't reach its database; try again")
    if isinstance(error, errors.SetupError):
        LOG.error("can't serve: %s", error)
        return errors.Unavailable("service", "is not set up yet; its log says why")
    for kinds, translate in _FOREIGN:
        if isinstance(error, kinds):
            return translate(error)
    reference = uuid.uuid4().hex[:12]
    LOG.error("fault %s", reference, exc_info=error)
    return errors.InternalError(
        "service", f"failed; its log has the reason under {reference}"
    )


def as_answer(error: Exception) -> ApiError:
    """Any error as the exception that both homes render alike."""
    if isinstance(error, ApiError):
        return error
    known = request_error(error)
    return _KINDS[type(known).__name__](str(known))


def form(error: Exception) -> dict[str, Any]:
    """The error form's body for any error."""
    answer = as_answer(error)
    return {
        "type": type(answer).__name__,
        "code": answer.code,
        "message": answer.msg,
    }
