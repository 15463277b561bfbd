"""Buckets, objects, users and keys on a real engine, and calls made with them."""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import quote, urlencode

import httpx
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from exordos_paas_storage.domain import policy, state
from exordos_paas_storage.engine import signed
from tests.contract import made
from tests.contract.agreement import phrases, wire
from tests.contract.agreement.calls import MUTATING, Call

_GUARD = "agree-guard"
_SLOTS = 3
_NOTHING = {
    "Version": policy.VERSION,
    "Statement": [
        {
            "Effect": "Deny",
            "Action": ["s3:GetObject"],
            "Resource": ["arn:aws:s3:::-/-"],
        }
    ],
}
# What an engine answers to a call that it allows and can't fulfil.
_ABSENT = (404, 416)


class Unexpected(AssertionError):
    """An engine answered neither yes nor no."""


class World:
    """What the corpus is about, on one engine."""

    def __init__(self, real: made.Real) -> None:
        self.engine, self.root = real.engine, real.root
        self._url = real.url
        self._http = httpx.Client(trust_env=False, timeout=30)
        self._versions: dict[tuple[str, str], str] = {}
        self._uploads: dict[str, str] = {}
        self._keys: dict[str, state.Credentials] = {}
        self._held: dict[str, Mapping[str, Any]] = {}
        self._make_buckets()
        self._make_users()

    def _make_buckets(self) -> None:
        self.engine.create_bucket(phrases.FIRST)
        self.engine.set_versioning(phrases.FIRST, True)
        self.engine.create_bucket(phrases.OTHER)
        locked = {"x-amz-bucket-object-lock-enabled": "true"}
        self._done(wire.Sent("PUT", phrases.LOCKED, headers=locked))
        for key in phrases.KEYS:
            self.restore(key)
            path = f"{phrases.FIRST}/{key}"
            answer = self._done(wire.Sent("POST", path, {"uploads": ""}))
            self._uploads[key] = re.findall("<UploadId>(.*?)<", answer.text)[0]

    def _make_users(self) -> None:
        able = self.engine.capabilities
        guard = policy.guard(able.guard_actions, able.unsafe_keys, able.version_named)
        self.engine.put_policy(state.Policy(_GUARD, guard))
        for user in phrases.USERS:
            names = [_slot(user, index) for index in range(_SLOTS)]
            for name in names:
                self._hold(name, _NOTHING)
            self.engine.add_user(user, made.SECRET)
            self.engine.map_policies(user, frozenset((_GUARD, *names)))
            self._keys[user] = made.made_key(self.engine, user)

    def hold(self, user: str, documents: list[dict[str, Any]]) -> None:
        """Make the user have these compiled documents, the guard beside them."""
        for index in range(_SLOTS):
            some = index < len(documents)
            self._hold(_slot(user, index), documents[index] if some else _NOTHING)

    def _hold(self, name: str, wanted: Mapping[str, Any]) -> None:
        if self._held.get(name) != wanted:
            self.engine.put_policy(state.Policy(name, wanted))
            self._held[name] = wanted

    def move(self, url: str) -> None:
        """Go on at another address, with all that was made."""
        self._url = url

    def user_key(self, user: str) -> state.Credentials:
        """The key that the user has without a scope."""
        return self._keys[user]

    @contextlib.contextmanager
    def key(
        self, user: str, scope: Mapping[str, Any] | None
    ) -> Iterator[state.Credentials]:
        """A key of the user; one of its own where it has a scope."""
        if scope is None:
            yield self._keys[user]
            return
        keys = state.Credentials(made.key_id(), "k" * 40)
        wanted = state.AccessKey(keys.access_key, user, scope=scope)
        self.engine.add_access_key(wanted, keys.secret_key)
        yield keys
        self.engine.drop_access_key(keys.access_key)

    def restore(self, key: str, bucket: str = phrases.FIRST) -> None:
        """Make an object as it is at first, by a new version of it."""
        tags = {"x-amz-tagging": urlencode(phrases.TAGS.get(key, {}))}
        sent = wire.Sent("PUT", f"{bucket}/{key}", headers=tags, body=b"x")
        answer = self._done(sent)
        self._versions[bucket, key] = answer.headers.get("x-amz-version-id", "")

    def _done(self, sent: wire.Sent) -> httpx.Response:
        answer = self.send(self.root, sent)
        assert answer.is_success, (sent, answer.text)
        return answer

    def allows(self, call: Call, keys: state.Credentials) -> bool:
        """Make a call; whether the engine allowed it. What it changed is put back.

        Raises:
            Unexpected: the engine answered neither yes nor AccessDenied.
        """
        if call.versioned and call.operation in ("delete", "delete_many"):
            self.restore(call.key)
        if call.operation in wire.IN_BODY:
            # A version that is locked already can't be locked for less time.
            self.restore(call.key, call.bucket)
        answer = self.send(keys, self.request(call))
        allowed = _allowed(call, answer)
        if allowed and call.operation in MUTATING and call.bucket == phrases.FIRST:
            self.restore(call.key)
        return allowed

    def request(self, call: Call) -> wire.Sent:
        """A call as a request, with the ids that this engine drew."""
        version = self._versions.get((call.bucket, call.source or call.key), "")
        return wire.request(call, version, self._uploads.get(call.key, ""))

    def send(
        self,
        keys: state.Credentials,
        sent: wire.Sent,
        unsigned: Mapping[str, str] = MappingProxyType({}),
    ) -> httpx.Response:
        """Sign and send a request; `unsigned` are headers beside the signature."""
        query = urlencode(sent.parameters, quote_via=quote)
        url = f"{self._url}/{quote(sent.path)}{'?' if query else ''}{query}"
        request = AWSRequest(
            method=sent.method, url=url, data=sent.body, headers=dict(sent.headers)
        )
        signer = Credentials(keys.access_key, keys.secret_key)
        S3SigV4Auth(signer, "s3", signed.REGION).add_auth(request)
        return self._http.request(
            sent.method,
            url,
            headers={**dict(request.headers.items()), **unsigned},
            content=sent.body,
        )

    def send_as_it_is(self, sent: wire.Sent) -> httpx.Response:
        """Send a request without a signature in its headers."""
        url = f"{self._url}/{quote(sent.path)}"
        return self._http.request(
            sent.method, url, headers=dict(sent.headers), content=sent.body
        )


@functools.cache
def of(real: made.Real) -> World:
    """The world on a running engine; made once."""
    return World(real)


def _slot(user: str, index: int) -> str:
    return f"agree-policy-{user}-{index}"


def _allowed(call: Call, answer: httpx.Response) -> bool:
    if answer.status_code == 403:
        denied = "<Code>AccessDenied</Code>" in answer.text or not answer.content
        if denied:
            return False
    elif answer.is_success and call.operation == "delete_many":
        return "<Code>AccessDenied</Code>" not in answer.text
    elif answer.is_success and call.operation == "list_buckets":
        return f"<Name>{phrases.OTHER}</Name>" in answer.text
    elif answer.is_success or answer.status_code in _ABSENT:
        return True
    raise Unexpected(f"{call}: {answer.status_code} {answer.text[:300]}")
