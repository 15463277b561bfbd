"""Permissions, roles and grants: the access table as the platform has it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from exordos_paas_storage.domain import access
from s3aas_element import identity

_VERBS = {
    access.CREATE: "Create",
    access.READ_VERB: "Read",
    access.UPDATE: "Change",
    access.DELETE: "Delete",
    access.SUSPEND: "Suspend",
    access.RESUME: "Resume",
    access.ROTATE: "Rotate",
}
_OBJECTS = {
    access.VERSION.name: "versions",
    access.INSTANCE.name: "instances",
    access.BUCKET.name: "buckets",
    access.USER.name: "users",
    access.POLICY.name: "policies",
    access.ATTACHMENT.name: "attachments of policies to users",
    access.ACCESS_KEY.name: "access keys",
}
_MARKERS = {
    access.OWNER: "See and set every field",
    access.OPERATOR: "See and set the fields that keep things running",
    access.VIEWER: "See the fields that are no secret, and set none",
}
_ROLES = {
    access.OPERATOR: "Keeps S3 storage running without coming by its data",
    access.VIEWER: "Looks at S3 storage without changing it",
}


@dataclass(frozen=True)
class Permission:
    """One permission.

    Attributes:
        label: what links in the manifest call it; it has no dot.
        name: as the API asks for it.
    """

    label: str
    id: uuid.UUID
    name: str
    description: str


@dataclass(frozen=True)
class Role:
    """A role of ours; who owns a project holds the platform's own."""

    label: str
    id: uuid.UUID
    name: str
    description: str


@dataclass(frozen=True)
class Grant:
    """One permission of one role.

    Attributes:
        role: the role's id, or a link to a role of ours.
    """

    label: str
    id: uuid.UUID
    role: str
    permission: Permission


def permissions() -> list[Permission]:
    """Every permission that the API may ask for, each once."""
    found = [
        _permission(
            access.permission(resource.name, verb),
            f"{_VERBS[verb]} {_OBJECTS[resource.name]} of S3 storage",
        )
        for resource in access.RESOURCES
        for verb in resource.verbs
    ]
    marked = [
        _permission(access.marker(role), f"{_MARKERS[role]} of S3 storage")
        for role in access.ROLES
    ]
    declared = _permission(
        access.REACH_DECLARED, "Reach what manifests declared of S3 storage by the API"
    )
    return [*found, *marked, declared]


def roles() -> list[Role]:
    """The roles that the platform does not have yet."""
    return [
        Role(name, identity.of("role", name), name, description)
        for name, description in _ROLES.items()
    ]


def grants() -> list[Grant]:
    """Every permission of every role, one by one: never a wildcard."""
    by_name = {one.name: one for one in permissions()}
    return [
        _grant(role, by_name[name])
        for role in access.ROLES
        for name in access.permissions(role)
    ]


def _permission(name: str, description: str) -> Permission:
    label = name.replace(".", "_")
    return Permission(label, identity.of("permission", name), name, description)


def _grant(role: str, permission: Permission) -> Grant:
    if role == access.OWNER:
        held = str(identity.PROJECT_OWNER)
    else:
        held = f"$core.iam.roles.${role}:uuid"
    identifier = identity.of("grant", role, permission.name)
    return Grant(f"{role}_{permission.label}", identifier, held, permission)
