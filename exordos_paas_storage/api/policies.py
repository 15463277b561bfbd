"""/v1/types/s3/instances/{instance}/policies"""

from __future__ import annotations

from typing import Any

from exordos_paas_storage.api import base, packer
from exordos_paas_storage.domain import access, errors
from exordos_paas_storage.models import instance, policy, rights

_NAMED = {"type": "string"}
_WARNING = {
    "type": "object",
    "required": ["field", "rule", "laxer"],
    "properties": {"field": _NAMED, "rule": _NAMED, "laxer": {"type": "boolean"}},
}
_LINT = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "document": {"type": "object"},
        "template": access.POLICY.fields["template"].rule.schema,
        "parameters": {"type": "object"},
        "scope": {"type": "object"},
    },
}
_FOUND = {
    "type": "object",
    "required": [
        "valid",
        "problems",
        "warnings",
        "engine",
        "compiled",
        "size_bytes",
        "most_bytes",
    ],
    "properties": {
        "valid": {"type": "boolean"},
        "problems": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["type", "code", "field", "rule"],
                "properties": {
                    "type": _NAMED,
                    "code": {"type": "integer"},
                    "field": _NAMED,
                    "rule": _NAMED,
                },
            },
        },
        "warnings": {"type": "array", "items": _WARNING},
        "engine": _NAMED,
        "compiled": {"type": ["object", "null"]},
        "size_bytes": {"type": ["integer", "null"]},
        "most_bytes": {"type": "integer"},
    },
}


class PolicyController(base.ChildController):
    """/v1/types/s3/instances/{instance}/policies/"""

    __policy_name__ = "policy"
    __resource__ = base.described(policy.Policy)
    collection = "policies"
    calls = ("lint",)
    action_schemas = {"lint": _LINT}
    answer_schemas = {"lint": _FOUND}

    def call_lint(
        self, parent: instance.Instance, body: dict[str, Any]
    ) -> dict[str, Any]:
        """Say what is wrong with a document, a template or a scope; store nothing."""
        packer.refuse_fields(body, "document", "template", "parameters", "scope")
        given = {name: value for name, value in body.items() if value is not None}
        kinds = given.keys() - {"parameters"}
        if len(kinds) != 1 or ("parameters" in given and "template" not in given):
            raise errors.InvalidValue(
                "body",
                "must hold one of document, template (with parameters) and scope",
            )
        return rights.examined(parent.engine, given)
