"""A bare application built as MetaPaaS 1.3 builds its own, around our route tree.

What `exordos_metapaas/user_api/api/{app,routes,controllers}.py` do, without the
platform: its registry of types is a table of its own, and here a list of names.
"""

from __future__ import annotations

from typing import Any

from gcl_iam import controllers as iam_controllers
from gcl_iam import middlewares as iam_middlewares
from restalchemy.api import applications, middlewares, routes
from restalchemy.api import controllers as ra_controllers
from restalchemy.api import resources as ra_resources
from restalchemy.api.middlewares import errors as ra_errors
from restalchemy.api.middlewares import logging as ra_logging
from restalchemy.dm import models as dm_models
from restalchemy.dm import properties, types
from restalchemy.openapi import engines as openapi_engines
from restalchemy.openapi import structures as openapi_structures
from restalchemy.storage.sql import orm

from exordos_paas_storage.api import routes as tree


class PaaSType(dm_models.ModelWithUUID, orm.SQLStorableMixin):
    __tablename__ = "types"

    name = properties.property(types.String(), default="")


class PaaSTypeController(
    iam_controllers.PolicyBasedController,
    ra_controllers.BaseResourceControllerPaginated,
):
    __policy_service_name__ = "exordos_metapaas"
    __policy_name__ = "paas_type"
    __resource__ = ra_resources.ResourceByRAModel(
        model_class=PaaSType, convert_underscore=False, process_filters=True
    )


class ApiEndpointController(ra_controllers.RoutesListController):
    __TARGET_PATH__ = "/v1/"


class TypeRoute(routes.Route):
    __controller__ = PaaSTypeController

    s3 = routes.route(tree.TypeRoute)


class ApiEndpointRoute(routes.Route):
    __controller__ = ApiEndpointController
    __allow_methods__ = [routes.FILTER]

    types = routes.route(TypeRoute)


class UserApiApp(routes.RootRoute):
    v1 = routes.route(ApiEndpointRoute)


class PlatformErrors(iam_middlewares.ErrorsHandlerMiddleware):
    """As MetaPaaS has it: gcl_iam's, of a class of its own."""


def build(driver: Any, errors: str) -> Any:
    """The WSGI application.

    Args:
        driver: gcl_iam's driver.
        errors: `platform` for what MetaPaaS 1.3 puts there, `restalchemy` for bare.
    """
    handler = {
        "platform": PlatformErrors,
        "restalchemy": ra_errors.ErrorsHandlerMiddleware,
    }[errors]
    return middlewares.attach_middlewares(
        applications.OpenApiApplication(
            route_class=UserApiApp,
            openapi_engine=openapi_engines.OpenApiEngine(
                info=openapi_structures.OpenApiInfo(),
                paths=openapi_structures.OpenApiPaths(),
            ),
        ),
        [
            middlewares.configure_middleware(
                iam_middlewares.GenesisCoreAuthMiddleware,
                iam_engine_driver=driver,
                skip_auth_endpoints=[iam_middlewares.EndpointComparator(r"/v1/")],
            ),
            handler,
            ra_logging.LoggingMiddleware,
        ],
    )
