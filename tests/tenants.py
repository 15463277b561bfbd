"""Tenants of an instance on an installed service: what they make, and what S3 says."""

from __future__ import annotations

import datetime
import threading
import uuid
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from exordos_paas_storage.client import http
from exordos_paas_storage.domain import state
from tests import box

UTC = datetime.timezone.utc
A_SECOND = datetime.timedelta(seconds=1)
# How a request ends. RustFS says of a key that it has let run out itself that the
# request is invalid.
DONE, NO, SILENT = "done", "refused", "no answer"
REFUSED = {"AccessDenied", "InvalidAccessKeyId", "InvalidRequest"}


def now() -> datetime.datetime:
    return datetime.datetime.now(UTC)


def ahead(seconds: float) -> tuple[datetime.datetime, str]:
    """The whole second that lies at least so far ahead, as a time and as text."""
    end = (now() + (seconds + 1) * A_SECOND).replace(microsecond=0)
    return end, f"{end:%Y-%m-%dT%H:%M:%SZ}"


def moment(text: str) -> datetime.datetime:
    """The time that a field of the API names, in whole seconds."""
    return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def unique(word: str) -> str:
    return f"{word}-{uuid.uuid4().hex[:8]}"


def allowing(*actions: str) -> dict[str, Any]:
    """A document that allows the actions everywhere."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


class Key:
    """A key as its maker got it, and S3 as it sees it.

    Args:
        place: where it acts.
        user: the path of its user.
        shown: the answer that made it.
    """

    def __init__(self, place: Place, user: str, shown: Mapping[str, Any]) -> None:
        self.path = f"{user}/access-keys/{shown['access_key']}"
        self.pair = state.Credentials(shown["access_key"], shown["secret_key"])
        self.bucket = place.bucket
        self.s3 = box.s3(place.endpoint, self.pair.access_key, self.pair.secret_key)

    def asks(self, call: str, name: str, **more: Any) -> str:
        """How a request for an object ends: `DONE`, `NO` or `SILENT`."""
        try:
            getattr(self.s3, call)(Bucket=self.bucket, Key=name, **more)
        except BotoCoreError:
            return SILENT
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
                return SILENT
            assert error.response["Error"]["Code"] in REFUSED, error
            return NO
        return DONE

    def gets(self, name: str = "x") -> str:
        return self.asks("get_object", name)

    def puts(self, name: str = "x") -> str:
        return self.asks("put_object", name, Body=b"1")

    def may_put(self) -> bool:
        """Whether it may write; somebody must answer."""
        found = self.puts()
        assert found != SILENT
        return found == DONE

    def lasts_until(self, end: datetime.datetime) -> float:
        """Wait until it is refused, which is not before `end`; how long after, seconds.

        A machine that is busy may see the refusal late.
        """
        assert self.may_put(), "it never acted"
        while self.may_put():
            assert now() < end + 20 * A_SECOND, "it never ended"
        late_s = (now() - end).total_seconds()
        assert late_s >= 0, "it ended too early"
        return late_s


class Tenant:
    """A user with a policy of its own that allows everything, and a key."""

    def __init__(self, place: Place) -> None:
        self.place, self.policy = place, unique("policy")
        self.policy_path = f"{place.at}/policies/{self.policy}"
        body = {"name": self.policy, "document": allowing("s3:*")}
        place.client.create(f"{place.at}/policies", body)
        self.user = place.user(policies=[self.policy])
        self.key = place.key(self.user)
        assert self.key.may_put()

    @property
    def client(self) -> http.Client:
        return self.place.client


class Place:
    """An instance of a running service, with objects `x` and `in/x` in its bucket.

    Args:
        client: an owner's.
        name: of the instance, which has a default bucket.
    """

    def __init__(self, client: http.Client, name: str) -> None:
        self.client, self.at = client, f"/instances/{name}"
        shown = self.wait(self.at)
        self.id, self.endpoint = shown["id"], shown["endpoint"]
        self.bucket = shown["bucket_name"]
        writer = self.key(self.user())
        assert {writer.puts("x"), writer.puts("in/x")} == {DONE}

    def wait(self, path: str) -> Any:
        """The object at that path, once it is ACTIVE."""
        return self.client.wait_active(path, box.ACTIVE_S)

    def user(self, **fields: Any) -> str:
        """A user that is on the engine, by its path."""
        path, name = f"{self.at}/users", unique("user")
        self.client.create(path, {"name": name, **fields})
        self.wait(f"{path}/{name}")
        return f"{path}/{name}"

    def key(self, user: str, **fields: Any) -> Key:
        """A key of the user at that path, on the engine."""
        return self.known(user, self.client.create(f"{user}/access-keys", fields))

    def known(self, user: str, shown: Mapping[str, Any]) -> Key:
        """A key that was just answered, once it is on the engine."""
        key = Key(self, user, shown)
        self.wait(key.path)
        return key

    def on_engine(self, key: Key) -> tuple[str, str]:
        """Status and reason of the key's condition."""
        found = {one["type"]: one for one in self.client.get(key.path)["conditions"]}
        return found["OnEngine"]["status"], found["OnEngine"]["reason"]

    def says_expired(self, key: Key) -> None:
        """Wait until the key's object tells that the engine refuses it."""
        box.wait_until(lambda: self.on_engine(key) == ("False", "Expired"))


class Writer(threading.Thread):
    """Puts one object after another, with `key`, for as long as the block lasts."""

    def __init__(self, key: Key) -> None:
        super().__init__(daemon=True)
        self.key, self.done = key, 0
        self.failed: list[str] = []
        self._ends = threading.Event()

    def run(self) -> None:
        while not self._ends.is_set():
            try:
                self.key.s3.put_object(Bucket=self.key.bucket, Key="loop", Body=b"1")
                self.done += 1
            except (BotoCoreError, ClientError) as error:
                self.failed.append(repr(error))

    def goes_on(self, more: int = 20) -> None:
        """Wait until so many more requests have succeeded, or one has failed."""
        enough = self.done + more
        box.wait_until(lambda: self.failed or self.done >= enough)

    def __enter__(self) -> Writer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self.join()
