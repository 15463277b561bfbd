"""Who may do what: role by resource by field, and the permission names.

The one table that the API, OpenAPI, the manifests and the local issuer read. A field
that is not listed is hidden, and a role that is not listed may nothing.
"""

from __future__ import annotations

import uuid

from exordos_paas_storage.domain import (
    capabilities,
    names,
    policy,
    rules,
    status,
)
from exordos_paas_storage.domain.fields import (  # noqa: F401 - the table's own words
    ALL_READ,
    CREATE,
    DELETE,
    HIDDEN,
    OPERATOR,
    OWNER,
    READ,
    READ_VERB,
    ROLES,
    SET_ONCE,
    UPDATE,
    VIEWER,
    WRITE,
    Field,
    Level,
    Resource,
    Row,
    check,
)

SERVICE = "s3aas"

# All that manifests declare lies in this project of the platform's element manager. It
# is no project of Core's, which lets any user make one of that id and own it
# (exordos_core 0.3.5), so that to hold a role there opens nothing by itself.
DECLARED_PROJECT = uuid.UUID("12345678-c625-4fee-81d5-f691897b8142")

_SHOWN = rules.Rule("is set by the service", {}, lambda value: True)
_TIME = rules.Rule("is a time", {"type": "string", "format": "date-time"}, bool)
_ID = rules.Rule("is a UUID", {"type": "string", "format": "uuid"}, bool)
_TEXT = rules.Rule("is text", {"type": "string"}, bool)
_WHOLE = rules.Rule("is a number", {"type": "integer"}, bool)
_FLAG = rules.Rule("is true or false", {"type": "boolean"}, bool)
_NODES = rules.Rule(
    "is set by the service",
    {
        "type": "array",
        "items": {
            "type": "object",
            "required": ["id", "ip", "port", "state"],
            "properties": {
                "id": {"type": "string", "format": "uuid"},
                "ip": {"type": "string"},
                "port": {"type": "integer"},
                "state": {"type": "string"},
            },
        },
    },
    bool,
)


def _common(labels: Row = (WRITE, WRITE, READ)) -> dict[str, Field]:
    """The fields that every object has."""
    conditions = {"type": "array", "items": status.condition_schema()}
    return {
        "id": Field(_ID, virtual=True),
        "uuid": Field(_ID),
        "kind": Field(_TEXT, virtual=True),
        "project_id": Field(_ID),
        "status": Field(rules.choice(*status.STATUSES)),
        "status_message": Field(_TEXT),
        "conditions": Field(rules.Rule("", conditions, bool)),
        "generation": Field(_WHOLE),
        "created_at": Field(_TIME),
        "updated_at": Field(_TIME),
        "labels": Field(rules.LABELS, labels, default={}, silent=True),
    }


_ANYONE = (OWNER, OPERATOR, VIEWER)
_OPERATING = (OWNER, OPERATOR)
_CRUD = {
    CREATE: _OPERATING,
    READ_VERB: _ANYONE,
    UPDATE: _OPERATING,
    DELETE: _OPERATING,
}
# Actions of single resources.
SUSPEND, RESUME, ROTATE = "suspend", "resume", "rotate"
_BOTH_WRITE = (WRITE, WRITE, READ)
_BOTH_ONCE = (SET_ONCE, SET_ONCE, READ)
_OWNER_WRITES = (WRITE, READ, READ)
_OWNER_ONCE = (SET_ONCE, READ, READ)

_DESCRIPTION = rules.text(255)
_ENCRYPTION = rules.choice("none", "aes256")
_POLICY_NAMES = rules.list_of(names.POLICY, 50)

VERSION = Resource(
    "version",
    "versions",
    {
        **_common(ALL_READ),
        "name": Field(_TEXT),
        "engine": Field(rules.choice(*capabilities.ENGINES)),
        "engine_version": Field(_TEXT),
        "image": Field(rules.nullable(_TEXT)),
        "default": Field(_FLAG),
        "deprecated": Field(_FLAG),
    },
    {READ_VERB: _ANYONE},
)

INSTANCE = Resource(
    "instance",
    "instances",
    {
        **_common(),
        "name": Field(names.INSTANCE, _BOTH_WRITE, required=True, silent=True),
        "description": Field(_DESCRIPTION, _BOTH_WRITE, default="", silent=True),
        "version": Field(rules.nullable(rules.text(255, 1)), _BOTH_ONCE),
        "bucket_name": Field(rules.nullable(names.BUCKET), _BOTH_ONCE),
        "encryption": Field(_ENCRYPTION, _BOTH_WRITE, default="none"),
        "versioning": Field(rules.boolean(), _BOTH_WRITE, default=False),
        # Which engine it will ever work on, the instance's model knows.
        "mfa_delete": Field(rules.boolean(), _OWNER_WRITES, False),
        "public_access": Field(
            rules.choice("blocked", "allowed"), _OWNER_WRITES, "blocked", later=True
        ),
        "read_only": Field(rules.boolean(), _BOTH_WRITE, False),
        "deletion_protection": Field(
            rules.boolean(), _OWNER_WRITES, default=False, silent=True
        ),
        "default_user_policies": Field(
            _POLICY_NAMES, _OWNER_WRITES, default=["read-write"], unordered=True
        ),
        "max_key_ttl_s": Field(
            rules.nullable(rules.integer(1, 2**31 - 1)), _OWNER_WRITES, silent=True
        ),
        "s3_bucket_api": Field(
            rules.choice("denied", "allowed"), _OWNER_WRITES, "denied", later=True
        ),
        "cpu": Field(rules.integer(1, 256), _BOTH_WRITE, 1),
        "ram": Field(rules.integer(512, 4_194_304), _BOTH_WRITE, 1024),
        "disk_size": Field(rules.integer(1, 1_000_000), _BOTH_WRITE, 10),
        "nodes_number": Field(rules.integer(1, 16), _BOTH_ONCE, 1),
        "nodes": Field(_NODES, virtual=True),
        "endpoint": Field(rules.nullable(_TEXT), virtual=True),
        "region": Field(_TEXT),
        "engine": Field(rules.choice(*capabilities.ENGINES)),
        "engine_version": Field(_TEXT),
        "suspended": Field(_FLAG),
    },
    # Making and removing a whole server and its data is the owner's.
    {
        CREATE: (OWNER,),
        READ_VERB: _ANYONE,
        UPDATE: _OPERATING,
        DELETE: (OWNER,),
        SUSPEND: _OPERATING,
        RESUME: _OPERATING,
    },
)

BUCKET = Resource(
    "bucket",
    "buckets",
    {
        **_common(),
        "instance": Field(_ID),
        "name": Field(names.BUCKET, _BOTH_ONCE, required=True),
        "versioning": Field(rules.nullable(rules.boolean()), _BOTH_WRITE),
        "encryption": Field(rules.nullable(_ENCRYPTION), _BOTH_WRITE),
        "object_lock": Field(rules.nullable(_SHOWN), _OWNER_WRITES, later=True),
        "lifecycle": Field(rules.nullable(_SHOWN), _BOTH_WRITE, later=True),
        "cors": Field(rules.nullable(_SHOWN), _BOTH_WRITE, later=True),
        "tags": Field(_SHOWN, _BOTH_WRITE, default={}, later=True),
        "policy": Field(rules.nullable(_SHOWN), _OWNER_WRITES, later=True),
        "public": Field(_SHOWN, _OWNER_WRITES, default=False, later=True),
        "quota_bytes": Field(rules.nullable(_SHOWN), _OWNER_WRITES, later=True),
    },
    _CRUD,
)

USER = Resource(
    "user",
    "users",
    {
        **_common(),
        "instance": Field(_ID),
        "name": Field(names.USER, _BOTH_ONCE, required=True),
        "description": Field(_DESCRIPTION, _BOTH_WRITE, default="", silent=True),
        "enabled": Field(rules.boolean(), _BOTH_WRITE, default=True),
        "policies": Field(
            rules.nullable(_POLICY_NAMES), _BOTH_WRITE, virtual=True, unordered=True
        ),
    },
    _CRUD,
)

POLICY = Resource(
    "policy",
    "policies",
    {
        **_common(),
        "instance": Field(_ID),
        "name": Field(names.POLICY, _BOTH_ONCE, required=True),
        "template": Field(
            rules.nullable(rules.choice(*policy.TEMPLATES)), _OWNER_WRITES
        ),
        "parameters": Field(rules.any_object(), _OWNER_WRITES, default={}),
        "document": Field(
            rules.nullable(rules.json_object()), _OWNER_WRITES, virtual=True
        ),
        "reserved": Field(_FLAG),
    },
    # What a policy allows is decided by the owner; operators attach what there is.
    {CREATE: (OWNER,), READ_VERB: _ANYONE, UPDATE: (OWNER,), DELETE: (OWNER,)},
)

ATTACHMENT = Resource(
    "attachment",
    "policies",
    {
        **_common(ALL_READ),
        "user": Field(_TEXT, virtual=True),
        "policy": Field(names.POLICY, _BOTH_ONCE, required=True, virtual=True),
    },
    {CREATE: _OPERATING, READ_VERB: _ANYONE, DELETE: _OPERATING},
)

ACCESS_KEY = Resource(
    "access_key",
    "access-keys",
    {
        **_common(),
        "instance": Field(_ID),
        "user": Field(_TEXT, virtual=True),
        "access_key": Field(rules.nullable(names.ACCESS_KEY), _OWNER_ONCE),
        "secret_key": Field(
            rules.nullable(names.SECRET_KEY),
            (SET_ONCE, HIDDEN, HIDDEN),
            once=True,
            virtual=True,
        ),
        "description": Field(_DESCRIPTION, _BOTH_WRITE, default="", silent=True),
        "enabled": Field(rules.boolean(), _BOTH_WRITE, default=True),
        "expires_at": Field(rules.nullable(rules.time()), _OWNER_WRITES),
        "scope": Field(rules.nullable(rules.json_object()), _OWNER_WRITES),
        "rotated_from": Field(rules.nullable(_TEXT)),
        "rotated_to": Field(rules.nullable(_TEXT)),
    },
    # A secret is shown to whoever makes the key: that is the owner alone. Taking a
    # key away is everyday work.
    {
        CREATE: (OWNER,),
        READ_VERB: _ANYONE,
        UPDATE: _OPERATING,
        DELETE: _OPERATING,
        ROTATE: (OWNER,),
    },
)

RESOURCES = (VERSION, INSTANCE, BUCKET, USER, POLICY, ATTACHMENT, ACCESS_KEY)


def permission(resource: str, verb: str) -> str:
    """The permission's name, as roles are bound to it on the platform."""
    return f"{SERVICE}.{resource}.{verb}"


def marker(role: str) -> str:
    """The permission that says which column of the field tables holds."""
    return f"{SERVICE}.role.{role}"


# Needed beside a role in the project of declared objects; no role comes with it.
REACH_DECLARED = permission("declared", "reach")


def all_permissions() -> list[str]:
    """Every permission that the API may ask for, each once."""
    verbs = [
        permission(resource.name, verb)
        for resource in RESOURCES
        for verb in resource.verbs
    ]
    return [*verbs, *(marker(role) for role in ROLES), REACH_DECLARED]


def permissions(role: str) -> list[str]:
    """Every permission of a role, expanded: never a wildcard.

    gcl_iam's enforcer mixes wildcards and specific grants up (seen on 1.4.0), so a
    role is always the whole list.
    """
    granted = [
        permission(resource.name, verb)
        for resource in RESOURCES
        for verb in resource.verbs
        if resource.may(role, verb)
    ]
    return [*granted, marker(role)]
