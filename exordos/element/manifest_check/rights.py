"""Permissions and grants of S3 storage, by the access table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from exordos_paas_storage.domain import access
from exordos_paas_storage.plugin import place
from manifest_check.manifest import Manifest

_PERMISSIONS = "$core.iam.permissions"
_GRANTS = "$core.iam.permission_bindings"
_ROLES = "$core.iam.roles"
# Whoever makes a project holds this role there (exordos_core 0.3, common/constants.py).
_PROJECT_OWNER = "726f6c65-0000-0000-0000-000000000002"


def problems(found: Manifest) -> Iterator[str]:
    """Where the element grants another thing than the table says."""
    declared = found.section("resources")
    permissions = declared.get(_PERMISSIONS) or {}
    for label, fields in permissions.items():
        if "*" in str(fields.get("name")):
            yield f"{_PERMISSIONS}.${label}: a wildcard grants more than it says"
    if found.name == place.ELEMENT:
        names = {
            label: str(fields.get("name")) for label, fields in permissions.items()
        }
        yield from _names(names)
        yield from _roles(declared, names)


def _names(names: Mapping[str, str]) -> Iterator[str]:
    wanted = set(access.all_permissions())
    given = list(names.values())
    for name in sorted(wanted - set(given)):
        yield f"{_PERMISSIONS}: {name} is not declared"
    for name in sorted(set(given) - wanted):
        yield f"{_PERMISSIONS}: nothing asks for {name}"
    for name in sorted({each for each in given if given.count(each) > 1}):
        yield f"{_PERMISSIONS}: {name} is declared twice"


def _roles(
    declared: Mapping[str, Mapping[str, Mapping[str, str]]], names: Mapping[str, str]
) -> Iterator[str]:
    roles = {
        f"{_ROLES}.${label}:uuid": str(fields.get("name"))
        for label, fields in (declared.get(_ROLES) or {}).items()
    }
    roles[_PROJECT_OWNER] = access.OWNER
    given: dict[str, list[str]] = {role: [] for role in access.ROLES}
    for label, fields in (declared.get(_GRANTS) or {}).items():
        role = roles.get(str(fields.get("role")))
        link = str(fields.get("permission"))
        permission = names.get(link.removeprefix(f"{_PERMISSIONS}.$").split(":")[0])
        if role not in given:
            yield f"{_GRANTS}.${label}: {fields.get('role')} is no role of the table"
        elif permission is not None:
            given[role].append(permission)
    for role, granted in given.items():
        wanted = access.permissions(role)
        for name in sorted(set(wanted) - set(granted)):
            yield f"{_GRANTS}: {role} lacks {name}"
        for name in sorted(set(granted) - set(wanted)):
            yield f"{_GRANTS}: {role} must not have {name}"
        for name in sorted({each for each in granted if granted.count(each) > 1}):
            yield f"{_GRANTS}: {role} has {name} twice"
