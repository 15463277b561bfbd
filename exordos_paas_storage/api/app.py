"""The one-box application: the platform's route tree with local tokens in front."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import webob
from gcl_iam import middlewares as iam_middlewares
from restalchemy.api import applications, constants, middlewares, routes
from restalchemy.storage.sql import engines
from webob import dec

from exordos_paas_storage.api import errors, index, openapi, packer, token
from exordos_paas_storage.api import routes as tree
from exordos_paas_storage.domain import errors as domain_errors
from exordos_paas_storage.iam import driver, issuer


class TypesController(index.NamesController):
    """/v1/types/"""

    names = ("s3",)


class V1Controller(index.NamesController):
    """/v1/"""

    names = ("iam", "types")


class RootController(index.NamesController):
    """/"""

    names = ("specifications", "v1")


class TypesRoute(tree.Route):
    """/v1/types/"""

    __controller__ = TypesController
    __allow_methods__ = [constants.FILTER]

    s3 = routes.route(tree.TypeRoute)


class V1Route(tree.Route):
    """/v1/"""

    __controller__ = V1Controller
    __allow_methods__ = [constants.FILTER]

    types = routes.route(TypesRoute)


class SpecificationRoute(tree.Route):
    """/specifications/{version}"""

    __controller__ = openapi.SpecificationController
    __allow_methods__ = [constants.GET, constants.FILTER]


class RootRoute(tree.AnsweringRoute):
    """/"""

    __controller__ = RootController
    __allow_methods__ = [constants.FILTER]

    v1 = routes.route(V1Route)
    specifications = routes.route(SpecificationRoute)


class ErrorForm(middlewares.Middleware):
    """Answers every error in the error form, also those of the token middleware."""

    def process_request(self, req: Any) -> webob.Response:
        try:
            return req.get_response(self.application)
        except Exception as error:  # noqa: BLE001 - the edge of the service
            found = errors.form(error)
            response = webob.Response(
                body=packer.packed(found),
                status=found["code"],
                content_type="application/json",
            )
            if found["code"] == 401:
                response.headers["WWW-Authenticate"] = "Bearer"
            if found["code"] == 503:
                response.headers["Retry-After"] = "1"
            return response


class Doors:
    """What answers without a token: health, and the token call itself."""

    def __init__(self, application: Any, issued_by: issuer.Issuer) -> None:
        self._application = application
        self._doors: dict[str, Callable[[webob.Request], webob.Response]] = {
            "/healthz": lambda req: _said({"status": "ok"}),
            "/readyz": _ready,
            token.PATH: lambda req: token.answer(issued_by, req),
        }

    @dec.wsgify
    def __call__(self, req: webob.Request) -> webob.Response:
        door = self._doors.get(req.path_info.rstrip("/"))
        if door:
            return door(req)
        if req.method in ("POST", "PUT", "PATCH"):
            # restalchemy parses what is, or may be, a form before our routes see it.
            packer.check_type(req)
            req.content_type = "application/json"
        return req.get_response(self._application)


def _said(body: dict[str, Any]) -> webob.Response:
    return webob.Response(body=packer.packed(body), content_type="application/json")


def _ready(req: webob.Request) -> webob.Response:
    try:
        with engines.engine_factory.get_engine().session_manager() as session:
            session.execute("SELECT 1 FROM s3aas_versions LIMIT 1")
    except Exception as error:
        raise domain_errors.Unavailable(
            "service", "can't reach its database; try again"
        ) from error
    return _said({"status": "ok"})


def build(issued_by: issuer.Issuer) -> Any:
    """The WSGI application; one per process, as restalchemy keeps a global map."""
    return middlewares.attach_middlewares(
        applications.WSGIApp(RootRoute),
        [
            middlewares.configure_middleware(
                iam_middlewares.GenesisCoreAuthMiddleware,
                iam_engine_driver=driver.LocalDriver(issued_by),
            ),
            middlewares.configure_middleware(Doors, issued_by),
            ErrorForm,
        ],
    )
