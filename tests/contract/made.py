"""What the contract's tests make on an engine, under names of their own."""

import datetime
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import boto3
import httpx
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.client import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from exordos_paas_storage.domain import plan, policy, state
from exordos_paas_storage.engine import port, remote

SECRET = "s" * 40


@dataclass(frozen=True)
class Real:
    """A running engine, its adapter and S3 clients of it."""

    engine: remote.RemoteEngine
    url: str
    root: state.Credentials
    # The environment's proxy is not for a neighbour.
    http: httpx.Client = field(
        default_factory=lambda: httpx.Client(trust_env=False, timeout=60)
    )

    def s3(self, keys: state.Credentials) -> Any:
        """A client of these keys, as a tenant would make one."""
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=keys.access_key,
            aws_secret_access_key=keys.secret_key,
            config=Config(
                s3={"addressing_style": "path"},
                retries={"total_max_attempts": 1},
                proxies={},
            ),
        )

    def signed(
        self,
        method: str,
        path: str,
        keys: state.Credentials,
        body: bytes = b"",
    ) -> httpx.Response:
        """The engine's answer to one signed request, whatever it is."""
        request = AWSRequest(method=method, url=self.url + path, data=body)
        pair = Credentials(keys.access_key, keys.secret_key)
        S3SigV4Auth(pair, "s3", "us-east-1").add_auth(request)
        headers = dict(request.headers.items())
        return self.http.request(method, self.url + path, headers=headers, content=body)

    def admin_path(self, route: str) -> str:
        """The path of a route of the engine's admin API."""
        return self.engine.ADMIN.prefix + route


def unique(kind: str) -> str:
    """A name no other test uses; engines are shared by a session."""
    return f"{kind}-{secrets.token_hex(6)}"


def key_id() -> str:
    return "AK" + secrets.token_hex(9).upper()


def made_bucket(engine: port.Engine) -> str:
    name = unique("bucket")
    engine.create_bucket(name)
    return name


def made_user(engine: port.Engine, *documents: dict[str, Any]) -> str:
    """A user with a policy of each document mapped to it."""
    names = [unique("policy") for _ in documents]
    for name, document in zip(names, documents, strict=True):
        engine.put_policy(state.Policy(name, document))
    user = unique("user")
    engine.add_user(user, SECRET)
    if names:
        engine.map_policies(user, frozenset(names))
    return user


def made_key(engine: port.Engine, user: str) -> state.Credentials:
    keys = state.Credentials(key_id(), secrets.token_hex(20))
    engine.add_access_key(state.AccessKey(keys.access_key, user), keys.secret_key)
    return keys


def made_scoped(engine: port.Engine, **settings: Any) -> state.AccessKey:
    """An access key of secret `SECRET` with these settings, of a user that reads."""
    user = made_user(engine, policy.from_template("read-only"))
    key = state.AccessKey(key_id(), user, **settings)
    engine.add_access_key(key, SECRET)
    return key


def holds(engine: port.Engine, wanted: state.AccessKey) -> bool:
    """Whether the engine shows the key as it is wanted, as the reconciler asks."""
    seen = engine.access_key(wanted.access_key)
    return plan.access_key(wanted, seen, ours=True) == []


def ahead(**span: float) -> datetime.datetime:
    """The whole second that lies so far from now."""
    now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    return now + datetime.timedelta(**span)


def until(condition: Callable[[], Any], patience_s: float = 20.0) -> Any:
    """Ask until it is so, and answer what was said then."""
    start = time.monotonic()
    while not (found := condition()):
        assert time.monotonic() - start < patience_s, "it did not come about"
    return found


def guard(engine: port.Engine) -> dict[str, Any]:
    able = engine.capabilities
    return policy.guard(able.guard_actions, able.unsafe_keys, able.version_named)


def refusal(call, **parameters: Any) -> str:
    """The code of the error that a boto3 call answers; empty if it succeeds."""
    try:
        call(**parameters)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return ""
