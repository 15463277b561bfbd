"""Taking the steps of a plan on an engine."""

from __future__ import annotations

import secrets
import string
from collections.abc import Iterable, Mapping

from exordos_paas_storage.domain import plan
from exordos_paas_storage.engine import port

_ALPHABET = string.ascii_letters + string.digits


def take(  # noqa: PLR0912 - one case for each step of the plan
    engine: port.Engine,
    steps: Iterable[plan.Step],
    secret_of: Mapping[str, str] | None = None,
) -> None:
    """Take every step, in order; the first that fails ends it.

    Args:
        engine: where.
        steps: of one object's plan.
        secret_of: the secret of each access key that may be added.
    """
    for step in steps:
        match step:
            case plan.CreateBucket(name):
                engine.create_bucket(name)
            case plan.SetVersioning(name, enabled):
                engine.set_versioning(name, enabled)
            case plan.SetEncryption(name, encryption):
                engine.set_encryption(name, encryption)
            case plan.DropBucket(name):
                engine.drop_bucket(name)
            case plan.PutPolicy(policy):
                engine.put_policy(policy)
            case plan.DropPolicy(name):
                engine.drop_policy(name)
            case plan.AddUser(name):
                # Nobody signs with it: only access keys are handed out.
                engine.add_user(name, "".join(map(secrets.choice, [_ALPHABET] * 40)))
            case plan.SetUserStatus(user, enabled):
                engine.set_user_enabled(user, enabled)
            case plan.MapPolicies(user, policies):
                engine.map_policies(user, policies)
            case plan.DropUser(name):
                engine.drop_user(name)
            case plan.AddAccessKey(key):
                engine.add_access_key(key, (secret_of or {})[key.access_key])
            case plan.DropAccessKey(access_key):
                engine.drop_access_key(access_key)
            case _:
                raise AssertionError(f"no step for {type(step).__name__}")
