"""/v1/types/s3/instances/{instance}/policies"""

from __future__ import annotations

from exordos_paas_storage.api import base
from exordos_paas_storage.models import policy


class PolicyController(base.ChildController):
    """/v1/types/s3/instances/{instance}/policies/"""

    __policy_name__ = "policy"
    __resource__ = base.described(policy.Policy)
    collection = "policies"
