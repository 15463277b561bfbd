"""The two ways to a usable bucket, measured: ours, and the bare engine's own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from tests import box
from tests.bench import rights

INSTANCE = "bench"
USABLE_S = 30.0
# Between two tries that the engine refused.
PAUSE_S = 0.001
_SEALED = {
    "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
}


@dataclass(frozen=True)
class Sample:
    """One bucket of each kind; seconds.

    Attributes:
        post_s: until the API answered 201.
        first_put_s: from the same start until an object was accepted.
        usable_s: from the same start until one was stored as the bucket was asked
            for, versioned and sealed; a tenant that does not wait for ACTIVE may be
            in time for a bucket that has its name alone.
        bare_s: the same bucket made by boto3 as root, until its first object.
    """

    post_s: float
    first_put_s: float
    usable_s: float
    bare_s: float


class Bench:
    """Warm connections to one instance: the API, a tenant's key, and root's.

    Attributes:
        engine: of the instance.
        version: of that engine.
        rights: what is measured of keys and policies there.
    """

    def __init__(self, made: box.Box) -> None:
        self._client = made.client()
        settings = {"versioning": True, "encryption": "aes256"}
        self._client.create("/instances", {"name": INSTANCE, **settings})
        found = self._client.wait_active(f"/instances/{INSTANCE}", box.ACTIVE_S)
        self.engine, self.version = found["engine"], found["engine_version"]
        key = box.user_with_key(self._client, INSTANCE, INSTANCE)
        root = made.root(found["id"])
        self.rights = rights.Rights(self._client, found, root)
        self._tenant = box.s3(found["endpoint"], *key)
        self._root = box.s3(found["endpoint"], root.access_key, root.secret_key)

    def fill(self, buckets: int) -> None:
        """Have so many more buckets, all of them ACTIVE."""
        for number in range(buckets):
            self._client.create(_buckets(), {"name": f"fill-{number:06}"})
        for number in range(buckets):
            path = f"{_buckets()}/fill-{number:06}"
            self._client.wait_active(path, box.UP_S)

    def samples(self, count: int, warm_up: int = 3) -> Iterator[Sample]:
        """Measure, alternating; what was made is removed again.

        Args:
            warm_up: rounds before the first that counts.
        """
        for number in range(-warm_up, count):
            name = f"sample-{number + warm_up:06}"
            sample = Sample(*self._ours(f"o-{name}"), self._bare(f"b-{name}"))
            self._remove(f"o-{name}", f"b-{name}")
            if number >= 0:
                yield sample

    def _ours(self, name: str) -> tuple[float, float, float]:
        start = time.perf_counter()
        self._client.create(_buckets(), {"name": name})
        post_s = time.perf_counter() - start
        first_put_s = None
        while True:
            stored = _stored(self._tenant, name)
            now_s = time.perf_counter() - start
            first_put_s = first_put_s or now_s
            if stored.get("VersionId") and stored.get("ServerSideEncryption"):
                return post_s, first_put_s, now_s
            assert now_s < USABLE_S, f"{name} is not versioned and sealed"

    def _bare(self, name: str) -> float:
        start = time.perf_counter()
        self._root.create_bucket(Bucket=name)
        self._root.put_bucket_versioning(
            Bucket=name, VersioningConfiguration={"Status": "Enabled"}
        )
        self._root.put_bucket_encryption(
            Bucket=name, ServerSideEncryptionConfiguration=_SEALED
        )
        _stored(self._root, name)
        return time.perf_counter() - start

    def _remove(self, ours: str, bare: str) -> None:
        # Only root may delete what the guard lets nobody configure.
        for name in (ours, bare):
            versions = self._root.list_object_versions(Bucket=name)
            for found in versions.get("Versions", []):
                self._root.delete_object(
                    Bucket=name, Key=found["Key"], VersionId=found["VersionId"]
                )
        self._root.delete_bucket(Bucket=bare)
        path = f"{_buckets()}/{ours}"
        self._client.wait_active(path, USABLE_S)
        box.removed(self._client, path)


def _buckets() -> str:
    return f"/instances/{INSTANCE}/buckets"


def _stored(s3: Any, name: str) -> Any:
    """Store an object as soon as the bucket takes it; what the engine answered."""
    deadline = time.perf_counter() + USABLE_S
    while True:
        try:
            return s3.put_object(Bucket=name, Key="first", Body=b"1")
        except ClientError:
            if time.perf_counter() > deadline:
                raise
        time.sleep(PAUSE_S)
