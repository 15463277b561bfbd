"""What manifests can declare, and the models of the agent that stores it.

Every process of the host imports this module: it imports names alone.
"""

from __future__ import annotations

from exordos_paas_storage.domain import access
from exordos_paas_storage.plugin import place

# The project of all that manifests declare, whoever installs them (exordos_core 0.3,
# elements/dm/utils.py; the agent's filters of exordos_metapaas 1.3 name it).
PROJECT = access.DECLARED_PROJECT

_MODELS = "exordos_paas_storage.plugin.agent_models"

# By path below `$s3aas.types.s3`. The agent takes them in no order of its own (gcl_sdk
# 3.7 keeps them in a set), so that whatever needs another object has to be tried again.
AGENT_MODELS: dict[str, str] = {
    "versions": f"{_MODELS}:DeclaredVersion",
    "instances": f"{_MODELS}:DeclaredInstance",
    "instances.policies": f"{_MODELS}:DeclaredPolicy",
    "instances.buckets": f"{_MODELS}:DeclaredBucket",
    "instances.users": f"{_MODELS}:DeclaredUser",
    "instances.users.policies": f"{_MODELS}:DeclaredAttachment",
    "instances.users.access_keys": f"{_MODELS}:DeclaredAccessKey",
}

# The column that holds `PROJECT` in the rows that manifests declare.
AGENT_FILTERS: dict[str, str] = dict.fromkeys(AGENT_MODELS, "project_id")


def kind(path: str) -> str:
    """What the platform calls the objects at a path below `$s3aas.types.s3`.

    Source: exordos_core 0.3, elements/dm/models.py, Resource.kind; exordos_metapaas
    1.3, cmd/render_config.py, `_agent_kind`. At most 64 characters (gcl_sdk 3.7).
    """
    return f"em_{place.ELEMENT}_types_{place.SLUG}_{path.replace('.', '_')}"
