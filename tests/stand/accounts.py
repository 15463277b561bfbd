"""Accounts of this machine."""

from __future__ import annotations

import pwd

from exordos_paas_storage.domain import errors


def uid_of(name: str) -> int:
    """The number of an account.

    Raises:
        SetupError: there is no such account.
    """
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        raise errors.SetupError(f"there is no account {name}: create it") from None
