"""Tokens: the platform's token call, answered from the local accounts."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gcl_iam import algorithms

from exordos_paas_storage.domain import errors
from exordos_paas_storage.models import account
from exordos_paas_storage.sealing import passwords

AUDIENCE = "exordos-storage"
ISSUER = "exordos-storage"
ACCESS_TYPE, REFRESH_TYPE = "Bearer", "Refresh"
DEFAULT_TTL_S = 3600
MOST_TTL_S = 24 * 3600
REFRESH_TTL_S = 30 * 24 * 3600


class GrantRefused(errors.StorageError):
    """The caller: the grant is wrong.

    Args:
        code: the error of RFC 6749, section 5.2.
        description: what is wrong, without naming which half of a pair.
    """

    def __init__(self, code: str, description: str) -> None:
        super().__init__(description)
        self.code, self.description = code, description


@dataclass(frozen=True)
class Grant:
    """What a checked grant stands for; `project` is `None` without a scope."""

    who: account.Account
    project: uuid.UUID | None


class Issuer:
    """Issues tokens signed by one key; `clock` gives seconds since the epoch."""

    def __init__(self, key: str, clock: Callable[[], float] = time.time) -> None:
        self.algorithm = algorithms.HS256(key=key)
        self._clock = clock

    def token(self, form: Mapping[str, Any]) -> dict[str, Any]:
        """Answer the token call.

        Args:
            form: `grant_type` (`password` with `username` and `password`, or
                `refresh_token` with `refresh_token`), and optionally `scope`
                (`project:<uuid>`) and `ttl` (seconds, at most a day).

        Raises:
            GrantRefused: the grant, the scope or the time to live is wrong.
        """
        grants = {"password": self._by_password, "refresh_token": self._by_refresh}
        kind = form.get("grant_type")
        if not isinstance(kind, str) or kind not in grants:
            raise GrantRefused(
                "unsupported_grant_type",
                f"grant_type: must be one of {', '.join(grants)}",
            )
        grant = grants[kind](form)
        ttl = _ttl(form.get("ttl", DEFAULT_TTL_S))
        scope = f"project:{grant.project}" if grant.project else ""
        return {
            "access_token": self._sign(grant, ACCESS_TYPE, ttl),
            "token_type": ACCESS_TYPE,
            "expires_in": ttl,
            "refresh_token": self._sign(grant, REFRESH_TYPE, REFRESH_TTL_S),
            "refresh_expires_in": REFRESH_TTL_S,
            "scope": scope,
        }

    def _by_password(self, form: Mapping[str, Any]) -> Grant:
        name, password = form.get("username"), form.get("password")
        if not isinstance(name, str) or not isinstance(password, str):
            raise GrantRefused("invalid_request", "username, password: are required")
        found = None if "\0" in name else account.named(name)
        known = passwords.matches(password, found.password_hash if found else None)
        if found is None or not known:
            raise GrantRefused("invalid_grant", "the user name or password is wrong")
        return Grant(found, _project(form.get("scope")))

    def _by_refresh(self, form: Mapping[str, Any]) -> Grant:
        wrong = GrantRefused("invalid_grant", "the refresh token is invalid or expired")
        try:
            claims = self.algorithm.decode(
                form.get("refresh_token"), audience=AUDIENCE, ignore_audience=False
            )
        except Exception:  # noqa: BLE001 - whatever a forged token makes of the decoder
            raise wrong from None
        found = account.by_id(uuid.UUID(claims["sub"]))
        if claims["typ"] != REFRESH_TYPE or found is None:
            raise wrong
        before = uuid.UUID(claims["project"]) if claims["project"] else None
        return Grant(found, _project(form.get("scope")) or before)

    def _sign(self, grant: Grant, kind: str, ttl: int) -> str:
        now = int(self._clock())
        return self.algorithm.encode({
            "exp": now + ttl,
            "iat": now,
            "auth_time": now,
            "jti": str(uuid.uuid4()),
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(grant.who.id),
            "typ": kind,
            "otp": False,
            "project": str(grant.project) if grant.project else None,
        })  # fmt: skip


def _project(scope: Any) -> uuid.UUID | None:
    if scope in (None, ""):
        return None
    words = str(scope).split()
    found = [word[len("project:") :] for word in words if word.startswith("project:")]
    try:
        return uuid.UUID(found[0]) if found else None
    except ValueError:
        raise GrantRefused("invalid_scope", "scope: must be project:<uuid>") from None


def _ttl(asked: Any) -> int:
    text = str(asked)
    digits = text.isascii() and text.isdigit() and len(text) <= 9
    if digits and 1 <= int(text) <= MOST_TTL_S:
        return int(text)
    raise GrantRefused("invalid_request", f"ttl: must be 1 to {MOST_TTL_S} seconds")
