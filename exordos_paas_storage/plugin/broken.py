"""What answers where the API itself could not be loaded; imports restalchemy alone."""

from __future__ import annotations

from typing import Any

from restalchemy.api import constants, controllers, routes
from restalchemy.common import exceptions


class Unavailable(exceptions.RestAlchemyException):
    """The service can't answer now."""

    code = 503
    message = "service: could not be loaded; its log says why"


class BrokenController(controllers.Controller):
    """Has nothing to list."""


class BrokenRoute(routes.Route):
    """Answers every call below it with 503 in the error form."""

    __controller__ = BrokenController
    __allow_methods__ = [constants.FILTER]

    def do(self, parent_resource: Any = None, **kwargs: Any) -> Any:
        """Raise what the host's own middleware renders."""
        raise Unavailable()
