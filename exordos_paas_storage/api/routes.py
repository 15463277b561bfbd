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
        if "" in parts and parts != [""]:
            raise domain_errors.NotFound("path", "names nothing that exists")
        if parts == [""]:
            self._req.path_info = "/"
        elif len(parts) == 1:
            is_collection = self.is_route(parts[0])
            if not is_collection and constants.GET not in self.__allow_methods__:
                raise domain_errors.NotFound("path", "names nothing that exists")
            self._req.path_info = f"/{parts[0]}{'/' if is_collection else ''}"
        elif len(parts) == 2 and self.is_route(parts[1]):
            self._req.path_info = f"/{parts[0]}/{parts[1]}/"
        elif parts[1] == "actions":
            self._refuse_action(parts[2:])
        if len(parts) > 1 and not self.is_route(parts[0]):
            self._refuse_unknown(parts[1])

    def _refuse_unknown(self, name: str) -> None:
        if not self.is_route(name):
            raise domain_errors.NotFound("path", "names nothing that exists")

    def _refuse_action(self, rest: list[str]) -> None:
        name = (rest or [""])[0].replace("-", "_")
        self.get_controller(request=self._req)  # a caller without rights ends here
        known = LATER.get(self.__controller__.collection, frozenset())
        if name in known and rest[1:] == ["invoke"] and self._req.method == "POST":
            raise domain_errors.NotYetSupported("actions", f"{name} has not come yet")


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
