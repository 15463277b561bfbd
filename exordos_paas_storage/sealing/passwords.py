"""Password hashes of the local accounts: argon2id by argon2-cffi."""

from __future__ import annotations

import argon2
from argon2 import exceptions

_HASHER = argon2.PasswordHasher()
# Checked when no such user exists, so that both answers take the same time.
_NOBODY = _HASHER.hash("nobody has this password")


def hashed(password: str) -> str:
    """The argon2id hash of a password, salt and costs included."""
    return _HASHER.hash(password)


def matches(password: str, password_hash: str | None) -> bool:
    """Whether the password is the hashed one; `None` stands for an unknown user."""
    try:
        return _HASHER.verify(password_hash or _NOBODY, password) and bool(
            password_hash
        )
    except exceptions.VerificationError:
        return False
