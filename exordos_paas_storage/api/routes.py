"""The route tree of the service, the same below `/v1/types/s3/` in both homes."""

from __future__ import annotations

from typing import Any

from restalchemy.api import constants, routes

from exordos_paas_storage.api import (
    access_keys,
    attachments,
    base,
    buckets,
    errors,
    instances,
    policies,
    users,
    versions,
)
from exordos_paas_storage.domain import errors as domain_errors

# Actions that are promised and have not come yet.
LATER = {
    "instances": frozenset(("suspend", "resume")),
    "buckets": frozenset(("cancel_delete",)),
    "access_keys": frozenset(("rotate",)),
}


class Route(routes.Route):
    """A route with an optional trailing slash and with PATCH.

    restalchemy wants the slash behind a collection and refuses it behind an object
    (seen on 16.1), so the path is put into that form before it is walked.
    """

    __allow_methods__ = [
        constants.GET,
        constants.FILTER,
        constants.CREATE,
        constants.UPDATE,
        constants.DELETE,
    ]

    def get_method_by_route_type(self, route_type: int) -> str:
        if self._req.method == "PATCH" and route_type == routes.RESOURCE_ROUTE:
            return constants.UPDATE
        return super().get_method_by_route_type(route_type)

    def do(self, parent_resource: Any = None, **kwargs: Any) -> Any:
        self._set_slash()
        return super().do(parent_resource, **kwargs)

    def _set_slash(self) -> None:
        path = self._req.path_info.removeprefix("/").removesuffix("/")
        parts = path.split("/")
        if parts == [""]:
            self._req.path_info = "/"
            return
        first_is_route = self.is_route(parts[0])
        has_objects = constants.GET in self.__allow_methods__
        if "" in parts or not (first_is_route or has_objects):
            raise _unknown_path()
        if len(parts) == 1:
            self._req.path_info = f"/{parts[0]}{'/' if first_is_route else ''}"
        elif not first_is_route:
            self._set_below_object(parts)

    def _set_below_object(self, parts: list[str]) -> None:
        if parts[1] == "actions":
            self._refuse_action(parts[2:])
        if not self.is_route(parts[1]):
            raise _unknown_path()
        if len(parts) == 2:
            self._req.path_info = f"/{parts[0]}/{parts[1]}/"

    def _refuse_action(self, rest: list[str]) -> None:
        name = (rest or [""])[0].replace("-", "_")
        controller = self.get_controller(request=self._req)  # who may nothing ends here
        known = LATER.get(controller.collection, frozenset())
        if name in known and rest[1:] == ["invoke"] and self._req.method == "POST":
            raise domain_errors.NotYetSupported("actions", f"{name} has not come yet")


def _unknown_path() -> domain_errors.NotFound:
    return domain_errors.NotFound("path", "names nothing that exists")


class AnsweringRoute(Route):
    """A route whose whole subtree answers in the error form."""

    def do(self, parent_resource: Any = None, **kwargs: Any) -> Any:
        try:
            return super().do(parent_resource, **kwargs)
        except Exception as error:  # noqa: BLE001 - the edge of the service
            raise errors.as_answer(error) from None


def _read_only(route: type[Route]) -> type[Route]:
    route.__allow_methods__ = [constants.GET, constants.FILTER]
    return route


class AccessKeyRoute(Route):
    __controller__ = access_keys.AccessKeyController


class AttachmentRoute(Route):
    __controller__ = attachments.AttachmentController
    __allow_methods__ = [
        constants.GET,
        constants.FILTER,
        constants.CREATE,
        constants.DELETE,
    ]


class UserRoute(Route):
    __controller__ = users.UserController

    access_keys = routes.route(AccessKeyRoute, resource_route=True)
    policies = routes.route(AttachmentRoute, resource_route=True)


class BucketRoute(Route):
    __controller__ = buckets.BucketController


class PolicyRoute(Route):
    __controller__ = policies.PolicyController


class InstanceRoute(Route):
    __controller__ = instances.InstanceController

    buckets = routes.route(BucketRoute, resource_route=True)
    users = routes.route(UserRoute, resource_route=True)
    policies = routes.route(PolicyRoute, resource_route=True)


@_read_only
class VersionRoute(Route):
    __controller__ = versions.VersionController


class TypeController(base.NamesController):
    """/v1/types/s3/"""

    names = ("instances", "versions")


class TypeRoute(AnsweringRoute):
    """/v1/types/s3/: what both homes mount."""

    __controller__ = TypeController
    __allow_methods__ = [constants.FILTER]

    instances = routes.route(InstanceRoute)
    versions = routes.route(VersionRoute)
