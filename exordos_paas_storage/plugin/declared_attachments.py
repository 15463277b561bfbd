"""Which attachments manifests declare: their rows say so and have the declared uuid."""

from __future__ import annotations

import uuid
from typing import Any

from restalchemy.dm import filters

from exordos_paas_storage.domain import status
from exordos_paas_storage.models import attachment, policy, user


def policies_of(session: Any, owner: uuid.UUID) -> list[str]:
    """Names of the policies that declared attachments attach to a user."""
    rows = session.execute(
        """
        SELECT p.name FROM s3aas_attachments a
        JOIN s3aas_policies p ON p.uuid = a.policy_uuid
        WHERE a.user_uuid = %s AND a.declared AND a.status <> 'DELETING'
        ORDER BY p.name
        """,
        (owner,),
    ).fetchall()
    return [row["name"] for row in rows]


def attach(session: Any, owner: user.User, asked: str, own: uuid.UUID) -> Any:
    """Attach the policy `asked` to a user by a declared object of the uuid `own`.

    What a list or the API attached becomes the declared object's.

    Raises:
        InvalidValue: the instance has no such policy.
        AlreadyAttached: another declared object attaches it.
        BeingDeleted: the user is being deleted.
    """
    owner.lock_first(session)
    owner.locked(session)
    found = policy.named(session, owner.instance, asked, "policy")["uuid"]
    if not _adopted(session, owner, found, own):
        row = attachment.attach(session, owner, asked)
        # Core knows it by the uuid in the manifest; here it is its user and policy.
        session.execute(
            "UPDATE s3aas_attachments SET uuid = %s, declared = true WHERE uuid = %s",
            (own, row.uuid),
        )
    return attachment.one(session, owner, str(own))


def _adopted(
    session: Any, owner: user.User, attached: uuid.UUID, own: uuid.UUID
) -> bool:
    row = session.execute(
        """
        UPDATE s3aas_attachments SET uuid = %s, declared = true
        WHERE user_uuid = %s AND policy_uuid = %s
            AND NOT declared AND status <> 'DELETING'
        RETURNING uuid
        """,
        (own, owner.uuid, attached),
    ).fetchone()
    if row is None:
        return False
    # A turn that began before knows the attachment by its former uuid.
    owner.queue(session, "uuid = %s", (owner.uuid,), status.PENDING)
    return True


def mark(session: Any, own: uuid.UUID) -> None:
    """Say that a stored attachment is declared; before migration 0003 none said so."""
    session.execute(
        "UPDATE s3aas_attachments SET declared = true "
        "WHERE uuid = %s AND NOT declared AND status <> 'DELETING'",
        (own,),
    )


def unmark(session: Any, own: uuid.UUID) -> None:
    """Say that an attachment is declared no more."""
    session.execute(
        "UPDATE s3aas_attachments SET declared = false, waits_for_user = false "
        "WHERE uuid = %s",
        (own,),
    )


def leave(session: Any, own: uuid.UUID) -> bool:
    """Leave an attachment that is declared no more to `settle`.

    Returns:
        Whether its user is declared; there is no `settle` for another.
    """
    row = session.execute(
        "UPDATE s3aas_attachments SET declared = false "
        "WHERE uuid = %s AND waits_for_user AND status <> 'DELETING' RETURNING uuid",
        (own,),
    ).fetchone()
    return row is not None


def settle(session: Any, owner: uuid.UUID, listed: list[Any], holds: bool) -> None:
    """Detach what was left to a declared user, but for what its own list names.

    Args:
        session: of the transaction that changes the user.
        owner: the user.
        listed: the policies that the user's manifest lists.
        holds: whether that list is stored. What one that is refused names still waits.
    """
    left = session.execute(
        """
        SELECT a.uuid, p.name FROM s3aas_attachments a
        JOIN s3aas_policies p ON p.uuid = a.policy_uuid
        WHERE a.user_uuid = %s AND a.waits_for_user AND NOT a.declared
            AND a.status <> 'DELETING'
        """,
        (owner,),
    ).fetchall()
    for row in left:
        if row["name"] not in listed:
            attachment.Attachment.objects.get_one(
                session=session, filters={"uuid": filters.EQ(row["uuid"])}
            ).delete(session=session)
    waiting = [row["uuid"] for row in left if row["name"] in listed and not holds]
    session.execute(
        "UPDATE s3aas_attachments SET waits_for_user = declared WHERE user_uuid = %s "
        "AND waits_for_user <> declared AND NOT uuid = ANY(%s)",
        (owner, waiting),
    )
