"""What the control plane needs from a storage engine, and nothing more."""

from __future__ import annotations

from typing import Protocol

from exordos_paas_storage.domain import capabilities, state


class Engine(Protocol):
    """One engine process, spoken to as its root.

    Every method is idempotent, raises `EngineUnavailable` when the engine did not
    answer (or is still starting) and `EngineRefused` when it answered no. A read
    answers `None` only when the engine said that there is no such thing. Safe to use
    from several threads.
    """

    capabilities: capabilities.Capabilities

    def version(self) -> str:
        """The version that the running process reports of itself."""

    def bucket(self, name: str) -> state.Bucket | None:
        """The bucket with its settings as they are in force."""

    def buckets(self) -> frozenset[str]:
        """The names of every bucket that the engine has; for an audit."""

    def create_bucket(self, name: str) -> None:
        """Create a bucket with the engine's default settings; done if it exists."""

    def set_versioning(self, name: str, enabled: bool) -> None:
        """Enable versioning, or suspend it on a bucket that had it."""

    def set_encryption(self, name: str, encryption: str) -> None:
        """Set what new objects are sealed with; `encryption` of `ENCRYPTIONS`."""

    def encryption_effective(self, name: str) -> bool:
        """Write, read back and remove a probe object: whether it was sealed at rest.

        Leaves neither a version nor a delete marker behind.
        """

    def drop_bucket(self, name: str) -> None:
        """Delete an empty bucket; done if it is gone.

        Raises:
            BucketNotEmpty: it holds objects, versions or delete markers.
        """

    def count_objects(self, name: str, most: int) -> int:
        """Objects, versions and delete markers in a bucket, counted up to `most`."""

    def policy(self, name: str) -> state.Policy | None:
        """The policy of that name with its document."""

    def put_policy(self, policy: state.Policy) -> None:
        """Create or replace a policy."""

    def drop_policy(self, name: str) -> None:
        """Remove a policy; done if it is gone. One still mapped is refused."""

    def user(self, name: str) -> state.User | None:
        """The user with the policies mapped to it."""

    def add_user(self, name: str, secret: str) -> None:
        """Create an enabled user without policies.

        The secret is 40 characters and kept nowhere: only access keys are handed out.
        On a user that exists it replaces the secret.
        """

    def users(self) -> dict[str, state.User]:
        """Every user that the engine has, by name; for an audit."""

    def set_user_enabled(self, name: str, enabled: bool) -> None:
        """Let every key of a user sign, or none of them; a user must be there."""

    def map_policies(self, user: str, policies: frozenset[str]) -> None:
        """Replace the set of policies mapped to a user, by one write."""

    def drop_user(self, name: str) -> None:
        """Remove a user and with it every access key under it; done if it is gone."""

    def access_keys(self) -> frozenset[str]:
        """The ids of every access key under any user that is there; for an audit."""

    def access_key(self, access_key: str) -> state.AccessKey | None:
        """The access key with the user that it acts for, its scope and expiry.

        One that the engine has let run out may be shown without its scope, disabled,
        with an expiry in the past.
        """

    def add_access_key(self, key: state.AccessKey, secret: str) -> None:
        """Create an access key, or make one that the user has what `key` says.

        The whole of it holds afterwards, its scope included. It has its user's rights,
        and of those only what its scope allows. A scope of more than 4,096 bytes as
        compact JSON is refused, and so is an expiry, other than the key has, that is
        past or out of the engine's reach.
        """

    def drop_access_key(self, access_key: str) -> None:
        """Remove an access key; done if it is gone."""

    def refuses_key(self, access_key: str) -> bool:
        """Whether a request signed with that id is refused as an unknown key.

        Asked with a secret that is not the key's, so it grants nothing: a live key
        answers that the signature is wrong.
        """
