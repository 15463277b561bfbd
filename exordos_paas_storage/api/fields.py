"""Whose request it is, and what its role may do with each field."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from gcl_iam import rules, tokens
from restalchemy.api import field_permissions
from restalchemy.common import contexts

from exordos_paas_storage.domain import access, errors


class Caller:
    """Who sent the request: a user, a project and a role, as the token says.

    Raises:
        Unauthorized: no token came.
        Forbidden: the token is for no project, holds no role of this service, or is for
            the project of declared objects and lacks the permission for it.
    """

    def __init__(self) -> None:
        iam = contexts.get_context().iam_context
        if isinstance(iam.token_info, tokens.AnonymousToken):
            raise errors.Unauthorized("token", "is missing; send Authorization: Bearer")
        said = iam.introspection_info()
        project = said.get("project_id")
        if not project:
            raise errors.Forbidden(
                "token", "is for no project; ask for scope=project:<uuid>"
            )
        self.project_id = uuid.UUID(str(project))
        self.user_id = uuid.UUID(str(said["user_info"]["uuid"]))
        self._enforcer = iam.enforcer
        if self.project_id == access.DECLARED_PROJECT:
            self._check_may_reach_declared()
        held = [role for role in access.ROLES if self._allows(access.marker(role))]
        if not held:
            raise errors.Forbidden("token", "holds no role of this service")
        self.role = held[0]

    def _check_may_reach_declared(self) -> None:
        if not self._allows(access.REACH_DECLARED):
            raise errors.Forbidden(
                "token",
                "is for the project of declared objects, which needs the permission "
                + access.REACH_DECLARED,
            )

    def _allows(self, permission: str) -> bool:
        return bool(self._enforcer.enforce(rules.Rule.from_raw(permission)))

    def check(self, resource: access.Resource, verb: str) -> None:
        """Refuse what the token's permissions don't hold.

        Raises:
            Forbidden: names the permission that is missing.
        """
        wanted = access.permission(resource.name, verb)
        if not self._allows(wanted):
            raise errors.Forbidden("token", f"lacks the permission {wanted}")


class FieldsByRole(field_permissions.BasePermissions):
    """The field table of one resource, as restalchemy asks for it."""

    _OF_LEVEL = {
        access.HIDDEN: field_permissions.Permissions.HIDDEN,
        access.READ: field_permissions.Permissions.RO,
        access.SET_ONCE: field_permissions.Permissions.RW,
        access.WRITE: field_permissions.Permissions.RW,
    }

    def __init__(self, resource: access.Resource) -> None:
        super().__init__()
        self._resource = resource

    def resolve(self, req: Any, field_names: Iterable[str]) -> Mapping[str, int]:
        caller = getattr(req, "caller", None)
        # Without a caller nobody's data is read: restalchemy warms up its documents.
        role = caller.role if caller else access.OWNER
        return {
            name: self._OF_LEVEL[self._resource.level(role, name)]
            for name in field_names
        }
