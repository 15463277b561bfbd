"""One instance on one engine: asked by the API, seen as a tenant with a key sees it."""

from __future__ import annotations

import datetime
import functools
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import boto3
from botocore.client import Config
from botocore.exceptions import ClientError

from exordos_paas_storage.domain import policy, state
from exordos_paas_storage.engine import connect, port
from exordos_paas_storage.nodes import port as nodes
from tests import figures
from tests.service import fakes, made
from tests.service.effects import moments
from tests.service.effects.asks import Ask

# The versions that `tests/service/conftest.py` offers, by engine.
VERSIONS = {"memory": "0.0.1", "rustfs": "0.0.1", "minio": "minio-version"}
# Calls that change nothing on the engine.
_READ_OF_BUCKETS = (
    "version",
    "buckets",
    "bucket",
    "encryption_effective",
    "count_objects",
)
_READ_OF_KEYS = ("policy", "user", "users", "access_keys", "access_key", "refuses_key")
READING = frozenset((*_READ_OF_BUCKETS, *_READ_OF_KEYS))
# How engines refuse: RustFS says of a key that it has let run out that it is malformed.
REFUSED = frozenset(("AccessDenied", "InvalidAccessKeyId", "InvalidRequest", "403"))


class Sight(Protocol):
    """Whether requests signed with a key succeed."""

    def may(self, pair: state.Credentials, ask: Ask) -> bool: ...


class Recorded:
    """A real engine's adapter that keeps what it was asked, and does `on` first."""

    def __init__(self, engine: port.Engine) -> None:
        self.engine = engine
        self.calls: list[tuple[Any, ...]] = []
        self.on: dict[str, Callable[..., Any]] = {}

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.engine, name)
        if not callable(found):
            return found

        def call(*args: Any) -> Any:
            self.calls.append((name, *args))
            said = self.on[name](*args) if name in self.on else None
            return found(*args) if said is None else said

        return call


class RealSight:
    """S3 on a running engine, asked by boto3."""

    def __init__(self, url: str, root: state.Credentials) -> None:
        self.url, self.root = url, root
        self._there: set[tuple[str, str]] = set()
        self.s3 = functools.cache(self._s3)

    def _s3(self, pair: state.Credentials) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=pair.access_key,
            aws_secret_access_key=pair.secret_key,
            config=Config(
                s3={"addressing_style": "path"},
                retries={"total_max_attempts": 1},
                proxies={},
            ),
        )

    def may(self, pair: state.Credentials, ask: Ask) -> bool:
        self._make_there(ask)
        return not self.refusal(pair, ask)

    def refusal(self, pair: state.Credentials, ask: Ask) -> str:
        """The code by which a request is refused; empty where it succeeds."""
        try:
            getattr(self.s3(pair), ask.call)(**ask.parameters)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code not in REFUSED:
                raise
            return code
        return ""

    def _make_there(self, ask: Ask) -> None:
        """A missing object is refused or not found, depending on other rights."""
        where = ask.parameters.get("Bucket", ""), ask.parameters.get("Key", "")
        if ask.call.startswith(("get_object", "head_object")):
            if where not in self._there:
                bucket, key = where
                self.s3(self.root).put_object(Bucket=bucket, Key=key, Body=b"1")
                self._there.add(where)
        else:
            self._there.discard(where)


class RealWorld:
    """Stands for `fakes.World`: every node leads to one engine that runs already."""

    def __init__(self, name: str, url: str, root: state.Credentials) -> None:
        host, _, number = url.removeprefix("http://").partition(":")
        self.nodes = _Placed(nodes.Endpoint(host, int(number)))
        self._name, self._url, self._root = name, url, root
        self.only = Recorded(connect.connect(name, "", url, root))
        self.sight = RealSight(url, root)

    def connect(self, engine: str, version: str, url: str, root: Any) -> Recorded:
        assert (engine, url) == (self._name, self._url)
        return self.only

    def move(self, url: str) -> None:
        """The same engine serves at another address from now on."""
        self.only.engine = connect.connect(self._name, "", url, self._root)
        self.sight = RealSight(url, self._root)


class _Placed(fakes.Nodes):
    """Nodes that are placed where the engine runs."""

    def __init__(self, endpoint: nodes.Endpoint) -> None:
        super().__init__()
        self._endpoint = endpoint

    def locate(self, taken: Any) -> nodes.Endpoint:
        return self._endpoint


@dataclass(frozen=True)
class Key:
    """A key as its maker got it."""

    path: str
    pair: state.Credentials


class Stand:
    """An instance with a bucket, whose engine is `world.only`.

    Args:
        api: an owner's.
        kind: `memory`, `minio` or `rustfs`.
        world: the engine that the reconciler works on.
        sight: how keys see it.
    """

    def __init__(self, api: made.Api, kind: str, world: Any, sight: Sight) -> None:
        self.api, self.kind, self.world, self.sight = api, kind, world, sight
        self.bucket = made.unique("bucket")
        shown = api.make(
            "/instances",
            name=made.unique("stand"),
            version=VERSIONS[kind],
            bucket_name=self.bucket,
        )
        self.at = f"/instances/{shown['name']}"
        api.wait(self.at)

    @property
    def engine(self) -> Any:
        """The engine, with `calls` and `on`."""
        return self.world.only

    # Objects of the API; each is there on the engine when it is given.

    def policy(self, *statements: dict[str, Any]) -> str:
        """A policy of these statements, by name."""
        name = made.unique("policy")
        path = f"{self.at}/policies"
        self.api.make(path, name=name, document=self.document(*statements))
        self.api.wait(f"{path}/{name}")
        return name

    def document(self, *statements: dict[str, Any]) -> dict[str, Any]:
        return self._filled({"Version": policy.VERSION, "Statement": list(statements)})

    def _filled(self, value: Any) -> Any:
        return json.loads(json.dumps(value).replace("<bucket>", self.bucket))

    def user(self, *policies: str, name: str = "", **more: Any) -> str:
        """A user with these policies attached, by its path."""
        name = name or made.unique("anna")
        path = f"{self.at}/users"
        self.api.make(path, name=name, **{"policies": list(policies), **more})
        self.api.wait(f"{path}/{name}")
        return f"{path}/{name}"

    def key(self, user: str, **fields: Any) -> Key:
        """A key of the user at that path."""
        if isinstance(fields.get("scope"), dict):
            fields["scope"] = self._filled(fields["scope"])
        shown = self.api.make(f"{user}/access-keys", **fields)
        self.api.wait(self.path_of(user, shown))
        return self.key_of(user, shown)

    @staticmethod
    def path_of(user: str, shown: dict[str, Any]) -> str:
        return f"{user}/access-keys/{shown['access_key']}"

    def key_of(self, user: str, shown: dict[str, Any]) -> Key:
        """The key that an answer shows with its secret."""
        pair = state.Credentials(shown["access_key"], shown["secret_key"])
        return Key(self.path_of(user, shown), pair)

    # What a tenant sees.

    def may(self, key: Key, ask: Ask) -> bool:
        """Whether a request that is signed with the key succeeds."""
        filled = {
            name: self.bucket if value == "<bucket>" else value
            for name, value in ask.parameters.items()
        }
        asked = Ask(ask.action, ask.call, filled, ask.context)
        return self.sight.may(key.pair, asked)

    def rights(self, key: Key, asks: Iterable[Ask]) -> dict[str, bool]:
        """Which of some requests succeed, by their text."""
        return {str(ask): self.may(key, ask) for ask in asks}

    def soon(self, what: str, key: Key, ask: Ask, allowed: bool) -> None:
        """Wait until a request is decided so, and keep how long it took.

        It is called as soon as the API has answered.
        """
        began = time.monotonic()
        wanted = "allowed" if allowed else "refused"
        made.until(lambda: self.may(key, ask) == allowed, why=f"{ask} is {wanted}")
        figures.took(self.kind, what, time.monotonic() - began)

    def lasts_until(self, key: Key, ask: Ask, end: datetime.datetime) -> None:
        """Wait until a key that is in use is refused, which is not before `end`."""
        assert self.may(key, ask), "it never acted"
        patience_s = (end - moments.now()).total_seconds() + made.PATIENCE_S
        made.until(lambda: not self.may(key, ask), patience_s, "the key has ended")
        late_s = (moments.now() - end).total_seconds()
        assert late_s >= 0, "it ended too early"
        figures.took(self.kind, "end of a key", late_s)

    def writes(self, since: int) -> list[str]:
        """The calls that changed the engine, after the first `since` of all."""
        return [call[0] for call in self.engine.calls[since:] if call[0] not in READING]
