"""Attachments: one policy on one user. The user's row carries them to the engine."""

from __future__ import annotations

import uuid as uuids
from typing import Any

from restalchemy.dm import filters, properties, types

from exordos_paas_storage.domain import access, errors, rules, status
from exordos_paas_storage.models import base, child, due, policy


class Attachment(child.Child):
    """One policy attached to one user.

    It has no work of its own in the queue: adding and removing one queues the user,
    whose whole set of policies is one write on the engine.
    """

    __tablename__ = "s3aas_attachments"
    resource = access.ATTACHMENT
    unique_field = "policy"
    taken = errors.AlreadyAttached
    taken_rule = "is attached to the user already"

    user_uuid = properties.property(types.UUID(), required=True, read_only=True)
    policy_uuid = properties.property(types.UUID(), required=True, read_only=True)

    # Names as the API shows them; whoever reads the row leaves them here.
    user: str | None = None
    policy: str | None = None

    def _settable(self) -> set[str]:
        return set()

    def _after_delete(self, session: Any) -> None:
        _queue_user(session, self.user_uuid)


def attach(session: Any, user: Any, asked: str) -> Attachment:
    """Attach the policy `asked` to a user, whose own list of policies begins by it.

    Raises:
        InvalidValue: the instance has no such policy.
        AlreadyAttached: the user has it already.
        BeingDeleted: the user is being deleted.
    """
    user.lock_first(session)
    user.locked(session)
    found = policy.named(session, user.instance, asked, "policy")
    _put(session, user, found["uuid"])
    session.execute(
        "UPDATE s3aas_users SET inherits_policies = false WHERE uuid = %s",
        (user.uuid,),
    )
    _queue_user(session, user.uuid)
    row = one(session, user, asked)
    if row is None:
        raise errors.NotFound("policy", "is gone")
    return row


def replace(session: Any, user: Any, names: list[str]) -> None:
    """Make `names` the policies attached to a user whose row is locked.

    Raises:
        InvalidValue: the instance has no policy of one of the names.
    """
    before = set(names_of([user.uuid], session).get(user.uuid, []))
    Attachment.queue(
        session,
        "user_uuid = %s AND status <> 'DELETING' AND policy_uuid IN "
        "(SELECT uuid FROM s3aas_policies WHERE instance = %s AND NOT name = ANY(%s))",
        (user.uuid, user.instance, names),
        status.DELETING,
    )
    for added in sorted(set(names) - before):
        _put(
            session,
            user,
            policy.named(session, user.instance, added, "policies")["uuid"],
        )


def _put(session: Any, user: Any, policy_id: uuids.UUID) -> None:
    """Store an attachment; one that is still on its way out is brought back."""
    revived = session.execute(
        """
        UPDATE s3aas_attachments SET status = 'PENDING', generation = generation + 1,
            updated_at = now() AT TIME ZONE 'UTC'
        WHERE user_uuid = %s AND policy_uuid = %s AND status = 'DELETING'
        RETURNING uuid
        """,
        (user.uuid, policy_id),
    ).fetchone()
    if revived is None:
        Attachment(
            project_id=user.project_id,
            instance=user.instance,
            user_uuid=user.uuid,
            policy_uuid=policy_id,
        ).insert(session=session)


def _queue_user(session: Any, user: uuids.UUID) -> None:
    due.queue(session, "s3aas_users", "uuid = %s", (user,), status.PENDING, asked=True)


def name(found: list[Attachment], user: Any, session: Any = None) -> None:
    """Leave the names of the user and of each policy on a user's attachments."""
    with base.transaction(session) as held:
        rows = held.execute(
            "SELECT uuid, name FROM s3aas_policies WHERE uuid = ANY(%s)",
            ([row.policy_uuid for row in found],),
        ).fetchall()
    names = {row["uuid"]: row["name"] for row in rows}
    for row in found:
        row.user, row.policy = user.name, names[row.policy_uuid]


def one(session: Any, user: Any, asked: str) -> Attachment | None:
    """A user's attachment, by its policy's name or id or by its own id."""
    row = session.execute(
        """
        SELECT a.uuid FROM s3aas_attachments a
        JOIN s3aas_policies p ON p.uuid = a.policy_uuid
        WHERE a.user_uuid = %s AND (p.name = %s OR %s IN (a.uuid, p.uuid))
        """,
        (user.uuid, asked, uuids.UUID(asked) if rules.is_uuid(asked) else None),
    ).fetchone()
    if row is None:
        return None
    found = Attachment.objects.get_one(
        filters={"uuid": filters.EQ(row["uuid"])}, session=session
    )
    name([found], user, session)
    return found


def names_of(
    users: list[uuids.UUID], session: Any = None
) -> dict[uuids.UUID, list[str]]:
    """Names of the policies attached to each of `users`, tombstones left out."""
    with base.transaction(session) as held:
        rows = held.execute(
            """
            SELECT a.user_uuid, p.name FROM s3aas_attachments a
            JOIN s3aas_policies p ON p.uuid = a.policy_uuid
            WHERE a.user_uuid = ANY(%s) AND a.status <> 'DELETING' ORDER BY p.name
            """,
            (users,),
        ).fetchall()
    found: dict[uuids.UUID, list[str]] = {}
    for row in rows:
        found.setdefault(row["user_uuid"], []).append(row["name"])
    return found
