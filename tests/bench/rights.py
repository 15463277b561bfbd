"""How soon a new key signs and a changed policy decides: ours, and the bare engine's.

Both ways end with the same signed GET of one object, over connections that are warm.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from exordos_paas_storage.client import http
from exordos_paas_storage.domain import policy, state
from exordos_paas_storage.engine import signed
from exordos_paas_storage.engine.connect import connect
from tests import box, engines

IN_FORCE_S = 30.0
# Between two requests that were decided the old way.
PAUSE_S = 0.001

_BUCKET, _KEY, _USER = "rights", "object", "rights-user"
_BARE_USER, _BARE_POLICY = "bare-user", "bare-policy"
# The bare engine's key has its user's rights and no guard: its best case.
_READING = policy.from_template("read-only", _BUCKET)
_WRITING = policy.from_template("write-only", _BUCKET)


@dataclass(frozen=True)
class Sample:
    """One key, or one change of a policy, of each kind; seconds.

    Attributes:
        call_s: until the API answered.
        ours_s: from the same start until a request was decided the new way.
        bare_call_s: until the engine's admin API answered root.
        bare_s: from the same start until a request was decided the new way.
    """

    call_s: float
    ours_s: float
    bare_call_s: float
    bare_s: float


class Rights:
    """A tenant of the service and a user of the bare engine, on one instance.

    Args:
        client: calls as an owner.
        found: the instance, as the API shows it.
        root: the root key pair of its engine.
    """

    def __init__(
        self, client: http.Client, found: dict[str, Any], root: state.Credentials
    ) -> None:
        self._client = client
        self._instance = f"/instances/{found['name']}"
        self._signed = signed.SignedHttp(found["endpoint"])
        self._engine = connect(found["engine"], "", found["endpoint"], root)
        self._admin = engines.admin_of(found["engine"], found["endpoint"], root)
        client.create(f"{self._instance}/buckets", {"name": _BUCKET})
        client.wait_active(f"{self._instance}/buckets/{_BUCKET}", box.ACTIVE_S)
        s3 = box.s3(found["endpoint"], root.access_key, root.secret_key)
        s3.put_object(Bucket=_BUCKET, Key=_KEY, Body=b"1")
        self._make_ours()
        self._make_bare()

    def keys(self, count: int, warm_up: int = 3) -> Iterator[Sample]:
        """From the making of a key until it signs; the keys are removed again.

        Args:
            warm_up: rounds before the first that counts.
        """
        for number in range(-warm_up, count):
            sample = Sample(*self._our_key(), *self._bare_key())
            if number >= 0:
                yield sample

    def edits(self, count: int, warm_up: int = 2) -> Iterator[Sample]:
        """From a change of a policy's document until it decides.

        Every second change gives the right back that the one before took away.
        """
        for number in range(-warm_up, count):
            document, status = [(_WRITING, 403), (_READING, 200)][number % 2]
            sample = Sample(
                *self._our_edit(document, status), *self._bare_edit(document, status)
            )
            if number >= 0:
                yield sample

    def _make_ours(self) -> None:
        named = {"name": "rights-policy", "document": _READING}
        self._client.create(f"{self._instance}/policies", named)
        body = {"name": _USER, "policies": ["rights-policy"]}
        self._client.create(f"{self._instance}/users", body)
        made = self._client.create(self._keys, {})
        path = f"{self._keys}/{made['access_key']}"
        self._client.wait_active(path, box.ACTIVE_S)
        self._ours = state.Credentials(made["access_key"], made["secret_key"])

    def _make_bare(self) -> None:
        self._engine.put_policy(state.Policy(_BARE_POLICY, _READING))
        self._engine.add_user(_BARE_USER, secrets.token_hex(20))
        self._engine.map_policies(_BARE_USER, frozenset([_BARE_POLICY]))
        self._bare = _pair()
        key = state.AccessKey(self._bare.access_key, _BARE_USER)
        self._engine.add_access_key(key, self._bare.secret_key)

    @property
    def _keys(self) -> str:
        return f"{self._instance}/users/{_USER}/access-keys"

    def _our_key(self) -> tuple[float, float]:
        start = time.perf_counter()
        made = self._client.create(self._keys, {})
        call_s = time.perf_counter() - start
        pair = state.Credentials(made["access_key"], made["secret_key"])
        usable_s = self._until(pair, 200, start)
        path = f"{self._keys}/{pair.access_key}"
        self._client.wait_active(path, IN_FORCE_S)
        box.removed(self._client, path)
        return call_s, usable_s

    def _bare_key(self) -> tuple[float, float]:
        pair = _pair()
        body = {
            "targetUser": _BARE_USER,
            "accessKey": pair.access_key,
            "secretKey": pair.secret_key,
        }
        start = time.perf_counter()
        self._admin.tell("PUT", "add-service-account", body=body)
        call_s = time.perf_counter() - start
        usable_s = self._until(pair, 200, start)
        self._engine.drop_access_key(pair.access_key)
        return call_s, usable_s

    def _our_edit(self, document: dict[str, Any], status: int) -> tuple[float, float]:
        path = f"{self._instance}/policies/rights-policy"
        start = time.perf_counter()
        self._client.update(path, {"document": document})
        call_s = time.perf_counter() - start
        in_force_s = self._until(self._ours, status, start)
        self._client.wait_active(path, IN_FORCE_S)
        return call_s, in_force_s

    def _bare_edit(self, document: dict[str, Any], status: int) -> tuple[float, float]:
        start = time.perf_counter()
        self._admin.tell("PUT", "add-canned-policy", {"name": _BARE_POLICY}, document)
        call_s = time.perf_counter() - start
        return call_s, self._until(self._bare, status, start)

    def _until(self, pair: state.Credentials, status: int, start: float) -> float:
        """Seconds from `start` until a GET signed by `pair` is answered so."""
        while True:
            path = f"/{_BUCKET}/{_KEY}"
            answer = self._signed.send("get", "GET", path, {}, signer=pair)
            now_s = time.perf_counter() - start
            if answer.status_code == status:
                return now_s
            assert now_s < IN_FORCE_S, f"{answer.status_code} and not {status}"
            time.sleep(PAUSE_S)


def _pair() -> state.Credentials:
    return state.Credentials("AK" + secrets.token_hex(9).upper(), secrets.token_hex(20))
