"""What manifests call other objects by: a uuid, or the URI that ends with it."""

from __future__ import annotations

import uuid
from typing import Any

from exordos_paas_storage.domain import errors, rules, status
from exordos_paas_storage.plugin import declared


def last(link: Any) -> Any:
    """The last segment of a URI, and anything else as it is."""
    return link.rstrip("/").rpartition("/")[2] if isinstance(link, str) else link


def instance(session: Any, asked: dict[str, Any]) -> uuid.UUID:
    """The instance that a view names.

    Raises:
        MissingField: it names none.
        InvalidValue: there is none of that uuid in the project of declared objects.
    """
    found = _uuid(asked, "instance")
    row = session.execute(
        "SELECT status FROM s3aas_instances WHERE uuid = %s AND project_id = %s",
        (found, declared.PROJECT),
    ).fetchone()
    if row is None or row["status"] == status.DELETING:
        raise errors.InvalidValue(
            "instance", "must be an instance that a manifest declares"
        )
    return found


def user(session: Any, asked: dict[str, Any]) -> uuid.UUID:
    """The user that a view names, who must be of the view's instance.

    Raises:
        MissingField: it names none.
        InvalidValue: the instance has no such user.
    """
    found = _uuid(asked, "user")
    row = session.execute(
        "SELECT status FROM s3aas_users WHERE uuid = %s AND instance = %s",
        (found, _uuid(asked, "instance")),
    ).fetchone()
    if row is None or row["status"] == status.DELETING:
        raise errors.InvalidValue("user", "must be a user of the instance")
    return found


def version(session: Any, link: Any) -> Any:
    """The name of the version that a link leads to; anything but a link is a name."""
    word = last(link)
    if not isinstance(word, str) or not rules.is_uuid(word):
        return word
    row = session.execute(
        "SELECT name FROM s3aas_versions WHERE uuid = %s", (uuid.UUID(word),)
    ).fetchone()
    return word if row is None else row["name"]


def policy(session: Any, asked: dict[str, Any]) -> Any:
    """The name of the policy that a view names by a link; anything else is a name.

    Raises:
        MissingField: the view names no instance.
        InvalidValue: the instance has no policy of that uuid. One of another instance
            may have the name of one of this, which allows something else.
    """
    word = last(asked["policy"])
    if not isinstance(word, str) or not rules.is_uuid(word):
        return word
    row = session.execute(
        "SELECT name FROM s3aas_policies WHERE uuid = %s AND instance = %s",
        (uuid.UUID(word), _uuid(asked, "instance")),
    ).fetchone()
    if row is None:
        raise errors.InvalidValue("policy", "must be a policy of the instance")
    return row["name"]


def check_same(asked: dict[str, Any], field: str, stored: uuid.UUID) -> None:
    """Refuse a view that moves its object to another place.

    Raises:
        ReadOnlyField: it does.
    """
    if _uuid(asked, field) != stored:
        raise errors.ReadOnlyField(field, "can't be changed after creation")


def _uuid(asked: dict[str, Any], field: str) -> uuid.UUID:
    link = asked.get(field)
    if link is None:
        raise errors.MissingField(field, "is required")
    word = last(link)
    if not isinstance(word, str) or not rules.is_uuid(word):
        raise errors.InvalidValue(field, "must be a uuid, or a URI that ends with it")
    return uuid.UUID(word)
