"""Ids that stay the same in every release.

The platform knows a declared object by its id. One that changed would be made anew, and
while both are there their name, which is unique, is taken.
"""

from __future__ import annotations

import uuid

from exordos_paas_storage.plugin import declared

_NAMESPACE = uuid.UUID("70897b3a-eb56-4d74-ae2d-50839757e365")

# MetaPaaS's own project; its nodes and rights lie in it.
METAPAAS_PROJECT = uuid.UUID("4d657461-0000-0000-0000-000000000002")
MANIFEST_PROJECT = declared.PROJECT
# Whoever makes a project holds this role there (exordos_core 0.3, common/constants.py).
PROJECT_OWNER = uuid.UUID("726f6c65-0000-0000-0000-000000000002")


def of(kind: str, *names: str) -> uuid.UUID:
    """The id of a declared object, from what it is and is called."""
    return uuid.uuid5(_NAMESPACE, "/".join((kind, *names)))
