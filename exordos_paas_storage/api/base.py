"""Base controllers: what every resource does alike."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import webob
from gcl_iam.api import controllers as iam
from restalchemy.api import constants, resources
from restalchemy.api import controllers as ra
from restalchemy.dm import filters

from exordos_paas_storage.api import (
    fields,
    idempotency,
    packer,
    preconditions,
    queries,
)
from exordos_paas_storage.domain import access, errors, rules

# A path that a proxy took off; nothing that could change whose address it is.
_PREFIX = re.compile(r"(/[A-Za-z0-9._~%-]+)*")


def described(model: Any) -> resources.ResourceByRAModel:
    """A model as restalchemy's resource, its fields open by our table alone."""
    return resources.ResourceByRAModel(
        model_class=model,
        convert_underscore=False,
        process_filters=True,
        fields_permissions=fields.FieldsByRole(model.resource),
    )


class ResourceController(
    iam.PolicyBasedControllerMixin, ra.BaseResourceControllerPaginated
):
    """A collection of objects and the objects in it, addressed by name or id.

    `by` is the natural key; `inside` the column that holds the parent's id, or `None`
    for what lies in the project itself.
    """

    __policy_service_name__ = access.SERVICE
    __packer__ = packer.Packer

    by: ClassVar[str] = "name"
    inside: ClassVar[str | None] = "instance"
    collection: ClassVar[str]
    # What can be done to an object beside the four verbs, each by a method
    # `act_<name>(found, parent, body)` and under a permission of that name. It gives
    # the object to answer, and whether it is a new one: 201 with `Location`.
    actions: ClassVar[tuple[str, ...]] = ()
    # Those of `actions` that answer a new object.
    creating: ClassVar[tuple[str, ...]] = ()
    # What can be asked of the collection without storing anything, each by a method
    # `call_<name>(parent, body)` that gives the answer's body; reading is enough.
    calls: ClassVar[tuple[str, ...]] = ()
    # JSON schemas of the bodies that actions and calls take, and of calls' answers.
    action_schemas: ClassVar[dict[str, dict[str, Any]]] = {}
    answer_schemas: ClassVar[dict[str, dict[str, Any]]] = {}

    def __init__(self, request: Any) -> None:
        request.caller = fields.Caller()
        super().__init__(request)
        self.caller = request.caller

    @property
    def resource(self) -> access.Resource:
        """The resource's row of the access table."""
        return self.model.resource

    # What a resource does in its own way.

    def make(self, parent: Any, values: dict[str, Any]) -> Any:
        """An object with checked values, not stored yet."""
        raise NotImplementedError

    def complete(self, parent: Any, found: Iterable[Any]) -> None:
        """Read what a page of objects shows from other tables, at once."""

    # The calls.

    def do_collection(self, parent_resource: Any = None) -> webob.Response:
        method = self.request.method
        if method == "GET":
            return self._list(parent_resource)
        if method == "POST":
            return self._create(parent_resource)
        raise errors.MethodNotAllowed("method", "is not taken by this path")

    def do_resource(self, uuid: str, parent_resource: Any = None) -> webob.Response:
        method = self.request.method
        if method == "GET":
            queries.check_fields(self.resource, self.caller.role, self.request.GET)
            found = self._read(uuid, parent_resource)
            self._match(found)
            return self._answer(found)
        if method in ("PUT", "PATCH"):
            return self._update(uuid, parent_resource)
        if method == "DELETE":
            return self._delete(uuid, parent_resource)
        raise errors.MethodNotAllowed("method", "is not taken by this path")

    def do_action(self, name: str, action: str, parent: Any) -> webob.Response:
        """Do one of `actions` to the object of that name or id."""
        self.caller.check(self.resource, action)
        found = self._read(name, parent)
        body = packer.read_object(self.request, optional=True)

        def act() -> webob.Response:
            self._match(found)
            done, created = getattr(self, f"act_{action}")(found, parent, body)
            self.complete(parent, [done])
            return self._made(done) if created else self._answer(done)

        return self._once(f"{found.uuid}/actions/{action}", body, act)

    def do_call(self, call: str, parent: Any) -> webob.Response:
        """Answer one of `calls` of this collection."""
        self.caller.check(self.resource, access.READ_VERB)
        preconditions.refuse(self.request)
        # It stores nothing, so that sent again it is simply answered again.
        body = packer.read_object(self.request)
        found = getattr(self, f"call_{call}")(parent, body)
        return self._create_response(found, 200, {})

    def get_resource_by_uuid(self, uuid: str, parent_resource: Any = None) -> Any:
        found = self._read(uuid, parent_resource)
        # The names that lead to an object, for `Location`.
        self.request.path_names = [
            *getattr(self.request, "path_names", []),
            self.collection.replace("_", "-"),
            str(getattr(found, self.by)),
        ]
        return found

    def _list(self, parent: Any) -> webob.Response:
        self.caller.check(self.resource, access.READ_VERB)
        preconditions.refuse(self.request)
        self.request.api_context.set_active_method(constants.FILTER)
        params = self.request.GET
        queries.check(self.resource, self.caller.role, self.model, params)
        self._pagination_limit = queries.limit(params)
        asked = queries.marker(params)
        self._pagination_marker = uuid.UUID(asked) if asked else None
        wanted = params.copy()
        for one in params.getall("id"):
            wanted.add("uuid", one)
        for name in {*queries.SPECIAL, "id"} & set(wanted):
            del wanted[name]
        chosen = self._prepare_filters(wanted)
        chosen.update(self._inside(parent))
        labelled = queries.labels(params)
        if labelled is not None:
            chosen["labels"] = labelled
        with queries.expression():
            self._query_filter = self._prepare_query_filter(params)
        ordered = {"uuid" if k == "id" else k: v for k, v in queries.order(params)}
        found = self._process_storage_filters(chosen, ordered)
        self.complete(parent, found)
        return self._create_response(found, 200, {})

    def _create(self, parent: Any) -> webob.Response:
        self.caller.check(self.resource, access.CREATE)
        preconditions.refuse(self.request)
        self.request.api_context.set_active_method(constants.CREATE)
        body = packer.read_object(self.request)

        def act() -> webob.Response:
            values = packer.created(self.resource, self.caller.role, body)
            made = self.store(parent, self.make(parent, values))
            self.complete(parent, [made])
            return self._made(made)

        return self._once(self._place(parent), body, act)

    def _once(
        self, place: str, body: dict[str, Any], act: Callable[[], webob.Response]
    ) -> webob.Response:
        return idempotency.once(self.request, self.resource, place, body, act)

    def _place(self, parent: Any) -> str:
        """This collection's path, with its parent's id for the names above it."""
        return f"{parent.uuid}/{self.collection}" if parent else self.collection

    def store(self, parent: Any, made: Any) -> Any:
        """Store a new object; what comes back is what is answered."""
        made.insert()
        return made

    def _update(self, name: str, parent: Any) -> webob.Response:
        self.caller.check(self.resource, access.UPDATE)
        found = self._read(name, parent)
        self.request.api_context.set_active_method(constants.UPDATE)
        body = packer.read_object(self.request)
        # Before the fields: what was read before another's change holds old values of
        # fields that can't be set, and its sender is to hear of the change.
        self._match(found)
        values = packer.changed(self.resource, self.caller.role, body, found)
        for field, value in values.items():
            setattr(found, field, value)
        if values:
            found.update()
            self.complete(parent, [found])
        return self._answer(found)

    def _delete(self, name: str, parent: Any) -> webob.Response:
        self.caller.check(self.resource, access.DELETE)
        found = self.find(name, parent)
        # Compared under the lock alone: what is being deleted already stays a 204.
        found.only_at = preconditions.only_at(self.request)
        found.delete()
        return webob.Response(status=204, content_type=None)

    def _match(self, found: Any) -> None:
        """Let an object be written only where If-Match has it; it may be too late."""
        found.only_at = preconditions.only_at(self.request)
        found.check_at(found.generation)

    def _read(self, name: str, parent: Any) -> Any:
        self.caller.check(self.resource, access.READ_VERB)
        self.request.api_context.set_active_method(constants.GET)
        found = self.find(name, parent)
        self.complete(parent, [found])
        return found

    def find(self, name: str, parent: Any) -> Any:
        """The object of that name or id.

        Raises:
            NotFound: there is none, or it lies in another project.
        """
        chosen: dict[str, Any] = self._inside(parent)
        if rules.is_uuid(name):
            chosen["uuid"] = filters.EQ(uuid.UUID(name))
        elif "\0" not in name:
            chosen[self.by] = filters.EQ(name)
        else:
            raise self._unknown()
        found = self.model.objects.get_one_or_none(filters=chosen)
        if found is None:
            raise self._unknown()
        return found

    def _unknown(self) -> errors.NotFound:
        return errors.NotFound(self.resource.name, "does not exist")

    def _inside(self, parent: Any) -> dict[str, filters.AbstractClause]:
        if self.inside is None:
            return {"project_id": filters.EQ(self.caller.project_id)}
        return {self.inside: filters.EQ(parent.uuid)}

    def _answer(
        self, found: Any, code: int = 200, headers: dict[str, str] | None = None
    ) -> webob.Response:
        self._pagination_limit = 0
        tagged = {"ETag": preconditions.etag(found), **(headers or {})}
        return self._create_response(found, code, tagged)

    def _made(self, made: Any) -> webob.Response:
        # Secrets are shown here and nowhere else.
        self.request.creating = True
        return self._answer(made, 201, {"Location": self._location(made)})

    def _location(self, made: Any) -> str:
        before = getattr(self.request, "path_names", [])
        path = self.request.path.split("/instances", 1)[0]
        own = [self.collection.replace("_", "-"), str(getattr(made, self.by))]
        return "/".join([self._outside() + path, *before, *own])

    def _outside(self) -> str:
        """What stands before the path for the caller; a proxy tells what it took off.

        What is no scheme or no path is not taken: anybody may send these headers.

        Source: exordos_metapaas 1.3.0, exordos/manifests/metapaas.yaml.j2.
        """
        told = self.request.headers
        # Each proxy of a chain adds its own; the first one is the caller's.
        scheme = told.get("X-Forwarded-Proto", "").split(",")[0].strip().lower()
        if scheme not in ("http", "https"):
            scheme = self.request.scheme
        prefix = told.get("X-Forwarded-Prefix", "").rstrip("/")
        if not _PREFIX.fullmatch(prefix):
            prefix = ""
        return f"{scheme}://{self.request.host}{prefix}"


class ChildController(ResourceController):
    """Objects that lie in an instance."""

    def make(self, parent: Any, values: dict[str, Any]) -> Any:
        stored = {k: v for k, v in values.items() if k in self.model.properties}
        made = self.model(project_id=parent.project_id, instance=parent.uuid, **stored)
        for name in values.keys() - stored.keys():
            if not self.resource.fields[name].later:
                setattr(made, name, values[name])
        return made
