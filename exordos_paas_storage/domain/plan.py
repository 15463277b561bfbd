"""Decide what to do to one object on an engine. Pure: no I/O, no clock, no logging.

Every function takes what is wanted and what was seen, `None` for "not there", and lists
the steps between; no steps means converged. `ours` says whether the service recorded
that it was about to create the object: what is found without that record belongs to
somebody else, is never changed and never removed.
"""

from __future__ import annotations

import dataclasses
import datetime
from typing import NamedTuple

from exordos_paas_storage.domain import capabilities, errors, policy, state


class CreateBucket(NamedTuple):
    name: str


class SetVersioning(NamedTuple):
    name: str
    enabled: bool


class SetEncryption(NamedTuple):
    name: str
    encryption: str


class DropBucket(NamedTuple):
    name: str


class PutPolicy(NamedTuple):
    policy: state.Policy


class DropPolicy(NamedTuple):
    name: str


class AddUser(NamedTuple):
    name: str


class SetUserStatus(NamedTuple):
    user: str
    enabled: bool


class MapPolicies(NamedTuple):
    user: str
    policies: frozenset[str]


class DropUser(NamedTuple):
    name: str


class AddAccessKey(NamedTuple):
    key: state.AccessKey


class DropAccessKey(NamedTuple):
    access_key: str


Step = (
    CreateBucket
    | SetVersioning
    | SetEncryption
    | DropBucket
    | PutPolicy
    | DropPolicy
    | AddUser
    | SetUserStatus
    | MapPolicies
    | DropUser
    | AddAccessKey
    | DropAccessKey
)


class ForeignObject(errors.StorageError):
    """An operator: the engine holds an object of that name that is not the service's.

    Args:
        what: the kind of object; `reason` is the stable name made of it.
    """

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{'an' if what[0] in 'aeiou' else 'a'} {what} of this name exists on the "
            "engine and was not created by this service; it is left alone"
        )
        self.reason = f"Foreign{what.title().replace(' ', '')}Exists"


def bucket(
    desired: state.Bucket | None, observed: state.Bucket | None, ours: bool
) -> list[Step]:
    """Steps for one bucket.

    Raises:
        ForeignObject: a bucket of this name is there and is not ours.
    """
    if desired is None:
        return [DropBucket(observed.name)] if observed and ours else []
    if observed and not ours:
        raise ForeignObject("bucket")
    seen = observed or state.Bucket(desired.name)
    steps: list[Step] = [] if observed else [CreateBucket(desired.name)]
    # Encryption first: what is written once the bucket is there must be sealed.
    if desired.encryption != seen.encryption:
        steps.append(SetEncryption(desired.name, desired.encryption))
    if desired.versioning != seen.versioning:
        steps.append(SetVersioning(desired.name, desired.versioning))
    return steps


def identity_policy(
    name: str, desired: state.Policy | None, observed: state.Policy | None
) -> list[Step]:
    """Steps for one policy; its name holds our id, so it is ours whoever wrote it."""
    if desired is None:
        return [DropPolicy(name)] if observed else []
    if observed and policy.same(desired.document, observed.document):
        return []
    return [PutPolicy(desired)]


def user(
    desired: state.User | None, observed: state.User | None, ours: bool
) -> list[Step]:
    """Steps for one engine user and the policies mapped to it.

    A user that is to be disabled is that before anything else changes, and one that
    is to be enabled only when its rights are what they should be.

    Raises:
        ForeignObject: a user of this name is there and is not ours.
    """
    if desired is None:
        return [DropUser(observed.name)] if observed and ours else []
    if observed and not ours:
        raise ForeignObject("user")
    seen = observed or state.User(desired.name)
    steps: list[Step] = [] if observed else [AddUser(desired.name)]
    if seen.enabled and not desired.enabled:
        steps.append(SetUserStatus(desired.name, False))
    if observed is None or desired.policies != seen.policies:
        steps.append(MapPolicies(desired.name, desired.policies))
    if desired.enabled and not seen.enabled:
        steps.append(SetUserStatus(desired.name, True))
    return steps


def access_key(
    desired: state.AccessKey | None, observed: state.AccessKey | None, ours: bool
) -> list[Step]:
    """Steps for one access key.

    Raises:
        ForeignObject: a key of this id is there and is not ours, or is another user's.
    """
    if desired is None:
        return [DropAccessKey(observed.access_key)] if observed and ours else []
    if observed and (not ours or observed.user != desired.user):
        raise ForeignObject("access key")
    if observed and _same_key(desired, observed):
        return []
    return [AddAccessKey(desired)]


def _same_key(one: state.AccessKey, other: state.AccessKey) -> bool:
    if (one.scope is None) != (other.scope is None):
        return False
    if one.scope and other.scope and not policy.same(one.scope, other.scope):
        return False
    return dataclasses.replace(one, scope=None) == dataclasses.replace(
        other, scope=None
    )


def engine_expiry(
    wanted: datetime.datetime | None,
    observed: datetime.datetime | None,
    now: datetime.datetime,
    able: capabilities.Capabilities,
) -> datetime.datetime | None:
    """When the engine itself is to stop a key: a guard behind the service's own.

    It is the wanted moment where the engine takes that. Where it does not, the engine
    keeps what it has, if that is no earlier than wanted; otherwise it gets none, as an
    engine that stops a key too early would break what was promised.

    Args:
        wanted: when the key ends, `None` for never; aware.
        observed: when the engine ends it as things are, `None` for never.
        now: the time of day, aware.
        able: how near and how far the engine takes an expiry.

    Returns:
        A moment in UTC, a whole second, or `None` for no expiry on the engine.
    """
    if wanted is None:
        return None
    ahead_s = (wanted - now).total_seconds()
    if able.least_expiry_s <= ahead_s <= able.most_expiry_s:
        # Up, not down: a fraction of a second later is within what a guard may do.
        end = wanted.astimezone(datetime.timezone.utc)
        end += datetime.timedelta(microseconds=999_999)
        return end.replace(microsecond=0)
    return observed if observed is not None and observed >= wanted else None
