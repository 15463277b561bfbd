"""The route tree of the service, the same below `/v1/types/s3/` in both homes."""

from __future__ import annotations

from typing import Any

from restalchemy.api import constants, routes

from exordos_paas_storage.api import (
    access_keys,
    attachments,
    buckets,
    errors,
    index,
    instances,
    policies,
    users,
    versions,
)
from exordos_paas_storage.domain import errors as domain_errors

# Actions that are promised and have not come yet.
LATER = {"buckets": frozenset(("cancel_delete",))}


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
        parts = self._req.path_info.removeprefix("/").removesuffix("/").split("/")
        name = parts[0]
        if len(parts) == 1 and self._is_call(name):
            controller = self.get_controller(request=self._req)
            return controller.do_call(name.replace("-", "_"), parent_resource)
        if parts[1:2] == ["actions"] and not self.is_route(name):
            controller = self.get_controller(request=self._req)
            action = self._action(parts)
            return controller.do_action(name, action, parent_resource)
        self._set_slash(parts)
        return super().do(parent_resource, **kwargs)

    def _set_slash(self, parts: list[str]) -> None:
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
            if not self.is_route(parts[1]):
                raise _unknown_path()
            if len(parts) == 2:
                self._req.path_info = f"/{parts[0]}/{parts[1]}/"

    def _is_call(self, name: str) -> bool:
        known = getattr(self.get_controller_class(), "calls", ())
        return self._req.method == "POST" and name.replace("-", "_") in known

    def _action(self, parts: list[str]) -> str:
        """The action that a path `{name}/actions/{action}/invoke` asks for.

        Raises:
            NotFound: there is no such path here.
            NotYetSupported: the action is promised and has not come yet.
            MethodNotAllowed: it is asked for by another method than POST.
        """
        controller = self.get_controller_class()
        name = (parts[2:] or [""])[0].replace("-", "_")
        known = getattr(controller, "actions", ())
        later = LATER.get(getattr(controller, "collection", ""), frozenset())
        if "" in parts or parts[3:] != ["invoke"] or name not in {*known, *later}:
            raise _unknown_path()
        if self._req.method != "POST":
            raise domain_errors.MethodNotAllowed("method", "must be POST")
        if name not in known:
            raise domain_errors.NotYetSupported("actions", f"{name} has not come yet")
        return name


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


class TypeController(index.NamesController):
    """/v1/types/s3/"""

    names = ("instances", "versions")


class TypeRoute(AnsweringRoute):
    """/v1/types/s3/: what both homes mount."""

    __controller__ = TypeController
    __allow_methods__ = [constants.FILTER]

    instances = routes.route(InstanceRoute)
    versions = routes.route(VersionRoute)
