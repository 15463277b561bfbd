"""An engine without an engine, for tests and dry runs."""

from __future__ import annotations

import copy
import dataclasses
import datetime
import functools
import json
import threading
from collections.abc import Callable
from typing import Any, TypeVar, cast

from exordos_paas_storage.domain import capabilities as engine_capabilities
from exordos_paas_storage.domain import errors, state
from exordos_paas_storage.engine import port

_Method = TypeVar("_Method", bound=Callable[..., Any])

_DESCRIPTION_BYTES = 256
# What `capabilities` adds to the engines' own bounds of an expiry.
_MARGIN_S = 10


def _alone(method: _Method) -> _Method:
    """Run a method while no other one of the same engine runs."""

    @functools.wraps(method)
    def locked(self: MemoryEngine, *args: Any, **named: Any) -> Any:
        with self._lock:
            return method(self, *args, **named)

    return cast(_Method, locked)


class MemoryEngine(port.Engine):
    """Keeps the port's promises in this process; it grants and stores nothing.

    It refuses what both real engines refuse, with a code of its own.
    """

    def __init__(self, capabilities: engine_capabilities.Capabilities) -> None:
        self.capabilities = capabilities
        self._lock = threading.RLock()
        self._buckets: dict[str, state.Bucket] = {}
        self._objects: dict[str, int] = {}
        self._policies: dict[str, state.Policy] = {}
        self._users: dict[str, state.User] = {}
        self._keys: dict[str, state.AccessKey] = {}

    def put_object(self, bucket: str) -> None:
        """Make a bucket hold one object more; for tests, not of the port."""
        self._objects[bucket] += 1

    def version(self) -> str:
        return "memory"

    # Buckets

    @_alone
    def bucket(self, name: str) -> state.Bucket | None:
        return self._buckets.get(name)

    @_alone
    def buckets(self) -> frozenset[str]:
        return frozenset(self._buckets)

    @_alone
    def create_bucket(self, name: str) -> None:
        self._buckets.setdefault(name, state.Bucket(name))
        self._objects.setdefault(name, 0)

    @_alone
    def set_versioning(self, name: str, enabled: bool) -> None:
        self._set("set versioning", name, versioning=enabled)

    @_alone
    def set_encryption(self, name: str, encryption: str) -> None:
        if encryption not in state.ENCRYPTIONS:
            raise AssertionError(f"no encryption {encryption!r}")
        self._set("set encryption", name, encryption=encryption)

    @_alone
    def encryption_effective(self, name: str) -> bool:
        return self._held("put probe object", name).encryption == "aes256"

    @_alone
    def drop_bucket(self, name: str) -> None:
        if self._objects.get(name):
            raise errors.BucketNotEmpty("drop bucket", 409, "BucketNotEmpty")
        self._buckets.pop(name, None)
        self._objects.pop(name, None)

    @_alone
    def count_objects(self, name: str, most: int) -> int:
        self._held("count objects", name)
        return min(self._objects[name], most)

    def _held(self, operation: str, name: str) -> state.Bucket:
        if name not in self._buckets:
            raise errors.EngineRefused(operation, 404, "NoSuchBucket")
        return self._buckets[name]

    def _set(self, operation: str, name: str, **settings: Any) -> None:
        bucket = self._held(operation, name)
        self._buckets[name] = dataclasses.replace(bucket, **settings)

    # Policies

    @_alone
    def policy(self, name: str) -> state.Policy | None:
        return copy.deepcopy(self._policies.get(name))

    @_alone
    def put_policy(self, policy: state.Policy) -> None:
        self._policies[policy.name] = copy.deepcopy(policy)

    @_alone
    def drop_policy(self, name: str) -> None:
        if any(name in user.policies for user in self._users.values()):
            raise errors.EngineRefused("drop policy", 400, "PolicyInUse")
        self._policies.pop(name, None)

    # Users

    @_alone
    def user(self, name: str) -> state.User | None:
        return self._users.get(name)

    @_alone
    def add_user(self, name: str, secret: str) -> None:
        known = self._users.get(name, state.User(name))
        self._users[name] = dataclasses.replace(known, enabled=True)

    @_alone
    def users(self) -> dict[str, state.User]:
        return dict(self._users)

    @_alone
    def set_user_enabled(self, name: str, enabled: bool) -> None:
        if name not in self._users:
            raise errors.EngineRefused("set user status", 404, "NoSuchUser")
        known = self._users[name]
        self._users[name] = dataclasses.replace(known, enabled=enabled)

    @_alone
    def map_policies(self, user: str, policies: frozenset[str]) -> None:
        if user not in self._users:
            raise errors.EngineRefused("map policies", 404, "NoSuchUser")
        if not policies <= self._policies.keys():
            raise errors.EngineRefused("map policies", 404, "NoSuchPolicy")
        known = self._users[user]
        self._users[user] = dataclasses.replace(known, policies=frozenset(policies))

    @_alone
    def drop_user(self, name: str) -> None:
        self._users.pop(name, None)
        self._keys = {k: key for k, key in self._keys.items() if key.user != name}

    # Access keys

    @_alone
    def access_keys(self) -> frozenset[str]:
        return frozenset(self._keys)

    @_alone
    def access_key(self, access_key: str) -> state.AccessKey | None:
        return copy.deepcopy(self._keys.get(access_key))

    @_alone
    def add_access_key(self, key: state.AccessKey, secret: str) -> None:
        if key.user not in self._users:
            raise errors.EngineRefused("add access key", 404, "NoSuchUser")
        known = self._keys.get(key.access_key)
        if (known and known.user != key.user) or key.access_key in self._users:
            raise errors.EngineRefused("add access key", 409, "AccessKeyTaken")
        if len(key.description.encode()) > _DESCRIPTION_BYTES:
            raise errors.EngineRefused("add access key", 400, "DescriptionTooLong")
        compact = json.dumps(key.scope, separators=(",", ":"), default=dict)
        if len(compact.encode()) > self.capabilities.scope_bytes:
            raise errors.EngineRefused("add access key", 400, "PolicyTooLarge")
        if known is None or known.expires_at != key.expires_at:
            self._refuse_expiry(key.expires_at)
        self._keys[key.access_key] = copy.deepcopy(key)

    def _refuse_expiry(self, expires_at: datetime.datetime | None) -> None:
        if expires_at is None:
            return
        ahead = expires_at - datetime.datetime.now(datetime.timezone.utc)
        least = max(0, self.capabilities.least_expiry_s - _MARGIN_S)
        if not least < ahead.total_seconds() <= self.capabilities.most_expiry_s:
            raise errors.EngineRefused("add access key", 400, "InvalidExpiry")

    @_alone
    def drop_access_key(self, access_key: str) -> None:
        self._keys.pop(access_key, None)

    @_alone
    def refuses_key(self, access_key: str) -> bool:
        return access_key not in self._keys
