"""Access keys: key pairs that act with their user's rights."""

from __future__ import annotations

import datetime
import string
from typing import Any

from restalchemy.dm import properties, types

from exordos_paas_storage.domain import access, errors, expiry, status
from exordos_paas_storage.models import base, child, columns, node, rights, secrets

_ID = string.ascii_uppercase + string.digits
_SECRET = string.ascii_letters + string.digits

# Why a key may not sign.
DISABLED, EXPIRED = "Disabled", "Expired"


class AccessKey(child.Child):
    """A key pair of a user; its secret is shown once and lies here sealed."""

    __tablename__ = "s3aas_access_keys"
    resource = access.ACCESS_KEY
    # User names and key ids share one namespace on an engine.
    shares_instance = False
    unique_field = "access_key"
    taken = errors.AccessKeyTaken

    user_uuid = properties.property(types.UUID(), required=True, read_only=True)
    access_key = properties.property(
        types.AllowNone(types.String()), default=lambda: node.random_text(_ID, 20)
    )
    # Sealed.
    secret = properties.property(types.AllowNone(types.String()), default=None)
    description = properties.property(types.String(), default="")
    enabled = properties.property(types.Boolean(), default=True)
    # The first second at which it signs no more; whole, in UTC.
    expires_at = properties.property(
        types.AllowNone(types.UTCDateTimeZ()), default=None
    )
    # As it was asked for: a document, or a preset with its parameters.
    scope = properties.property(columns.JsonValue(), default=None)
    rotated_from = properties.property(types.AllowNone(types.String()), default=None)
    rotated_to = properties.property(types.AllowNone(types.String()), default=None)

    # The secret in clear, in the process and the moment that made the key.
    secret_key: str | None = None
    # The user's name, as the API shows it.
    user: str | None = None

    def opened(self) -> str:
        """The secret in clear."""
        return secrets.opened(self.__tablename__, self.uuid, "secret", self.secret)

    def unusable(self, now: datetime.datetime) -> str | None:
        """Why it may not sign at this time; `None` where it may."""
        if self.expires_at is not None and self.expires_at <= now:
            return EXPIRED
        return None if self.enabled else DISABLED

    def compiled_scope(self, engine: str) -> rights.Compiled | None:
        """The scope as the engine gets it; `None` for all of its user's rights."""
        if self.scope is None:
            return None
        return rights.scope(engine, self.scope, "scope")

    def _before_insert(self, session: Any) -> None:
        super()._before_insert(session)
        access.check(self.resource, "secret_key", self.secret_key)
        self.access_key = self.access_key or node.random_text(_ID, 20)
        self.secret_key = self.secret_key or node.random_text(_SECRET, 40)
        self.secret = secrets.seal(
            self.__tablename__, self.uuid, "secret", self.secret_key
        )
        self._refuse_deleted_user(session)
        self._check_rights(session, {"expires_at", "scope"})
        if self.named_on_engine(session, self.access_key):
            raise errors.AccessKeyTaken("access_key", "is taken")

    def _before_update(self, session: Any, changed: set[str]) -> None:
        self._check_rights(session, changed)

    def _check_rights(self, session: Any, changed: set[str]) -> None:
        """Check what bounds the key, as its instance has it at this moment."""
        owner = session.execute(
            "SELECT engine, max_key_ttl_s FROM s3aas_instances WHERE uuid = %s",
            (self.instance,),
        ).fetchone()
        if "scope" in changed:
            access.check(self.resource, "scope", self.scope)
            self.compiled_scope(owner["engine"])
        if "expires_at" in changed:
            self._check_expiry(session, owner["max_key_ttl_s"])

    def _check_expiry(self, session: Any, most_s: int | None) -> None:
        access.check(self.resource, "expires_at", self.expires_at)
        before = session.execute(
            "SELECT expires_at AT TIME ZONE 'UTC' AS at FROM s3aas_access_keys "
            "WHERE uuid = %s",
            (self.uuid,),
        ).fetchone()
        if before is None:
            self.expires_at = expiry.of_new(self.expires_at, self.created_at, most_s)
            return
        expiry.moved(self.expires_at, before["at"], self.created_at, base.now(), most_s)

    def _after_insert(self, session: Any) -> None:
        self._keep_end(session)

    def _after_update(self, session: Any, changed: set[str]) -> None:
        if "expires_at" in changed:
            self._keep_end(session)

    def _keep_end(self, session: Any) -> None:
        """Have a turn at the end, whatever becomes of the turns before."""
        session.execute(
            "UPDATE s3aas_access_keys SET wake_at = %s, life_s = %s WHERE uuid = %s",
            (
                self.expires_at,
                expiry.life_s(self.expires_at, self.created_at),
                self.uuid,
            ),
        )

    def rotate(self, overlap_s: int) -> AccessKey:
        """Make the key that follows this one; both sign until the overlap ends.

        Args:
            overlap_s: seconds until this key expires, 0 for at once.

        Returns:
            The new key, stored, with its secret in clear.

        Raises:
            AlreadyRotated: the key has a successor, or its predecessor still signs.
            KeyInactive: it is disabled or has expired.
        """
        with base.transaction() as session:
            self.lock_first(session)
            self.locked(session)
            self._reload(session)
            now = base.now()
            if self.unusable(now):
                raise errors.KeyInactive("access_key", "is disabled or has expired")
            self._refuse_third(session)
            made = self._successor(session, now)
            made.insert(session=session)
            self._hand_over(session, made, expiry.of_predecessor(
                self.expires_at, now, overlap_s
            ))  # fmt: skip
        return made

    def _refuse_third(self, session: Any) -> None:
        """A rotation has two slots: the key that goes and the one that stays.

        One that goes and is disabled counts, as it can be enabled again.
        """
        row = session.execute(
            """
            SELECT 1 FROM s3aas_access_keys
            WHERE user_uuid = %(user)s AND status <> %(deleting)s AND (
                (access_key = %(next)s AND rotated_from = %(this)s)
                OR (access_key = %(before)s AND rotated_to = %(this)s
                    AND (expires_at IS NULL
                        OR expires_at > now() AT TIME ZONE 'UTC')))
            """,
            {
                "user": self.user_uuid,
                "deleting": status.DELETING,
                "this": self.access_key,
                "next": self.rotated_to,
                "before": self.rotated_from,
            },
        ).fetchone()
        if row:
            raise errors.AlreadyRotated(
                "access_key",
                "is in a rotation already; wait until the older of the two has "
                "expired, or give it an earlier expires_at; to rotate the older one "
                "again, delete the newer one",
            )

    def _successor(self, session: Any, now: datetime.datetime) -> AccessKey:
        row = session.execute(
            "SELECT k.life_s, i.max_key_ttl_s FROM s3aas_access_keys k "
            "JOIN s3aas_instances i ON i.uuid = k.instance WHERE k.uuid = %s",
            (self.uuid,),
        ).fetchone()
        return AccessKey(
            project_id=self.project_id,
            instance=self.instance,
            user_uuid=self.user_uuid,
            labels=self.labels,
            description=self.description,
            scope=self.scope,
            rotated_from=self.access_key,
            expires_at=expiry.of_successor(row["life_s"], now, row["max_key_ttl_s"]),
        )

    def _hand_over(
        self, session: Any, made: AccessKey, ends_at: datetime.datetime
    ) -> None:
        self.queue(session, "uuid = %s", (self.uuid,), status.PENDING, asked=True)
        session.execute(
            "UPDATE s3aas_access_keys SET rotated_to = %s, wake_at = %s, "
            "expires_at = %s WHERE uuid = %s",
            (made.access_key, ends_at, ends_at.replace(tzinfo=None), self.uuid),
        )
        if self.project_id == access.DECLARED_PROJECT:
            self._remember(session)

    def _remember(self, session: Any) -> None:
        """Keep a manifest from making the key again, once somebody deletes it."""
        session.execute(
            "INSERT INTO s3aas_rotated_away (instance, key) VALUES (%s, %s), (%s, %s) "
            "ON CONFLICT DO NOTHING",
            (self.instance, self.access_key, self.instance, str(self.uuid)),
        )

    def _refuse_deleted_user(self, session: Any) -> None:
        row = session.execute(
            "SELECT status FROM s3aas_users WHERE uuid = %s FOR SHARE",
            (self.user_uuid,),
        ).fetchone()
        if row is None or row["status"] == status.DELETING:
            raise errors.BeingDeleted("user", "is being deleted")
