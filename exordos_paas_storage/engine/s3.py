"""The S3 half of the real engines: buckets, their settings and what is in them."""

from __future__ import annotations

import contextlib
import functools
import os
import secrets
import threading
from collections.abc import Iterator
from typing import Any

import boto3
import botocore.session
from botocore import exceptions, parsers
from botocore.config import Config

from exordos_paas_storage.domain import errors, state
from exordos_paas_storage.engine import answers, signed

_PROBE_PREFIX = ".s3aas-probe-"
_PAGE = 1000
_CREATING = threading.Lock()

# What a PutObject is refused with where the engine has no master key to seal it.
_NO_MASTER_KEY = frozenset(("InvalidRequest", "NotImplemented"))


class S3Half:
    """Buckets over the S3 API, as root; a method's promise is in `port.Engine`."""

    def __init__(
        self, url: str, root: state.Credentials, http: signed.SignedHttp
    ) -> None:
        self._s3 = _client(url, root)
        self._signed = http

    def bucket(self, name: str) -> state.Bucket | None:
        try:
            versioning = self._versioning(name)
            encryption = self._encryption(name)
        except errors.EngineRefused as refusal:
            if refusal.code != "NoSuchBucket":
                raise
            return None
        return state.Bucket(name, versioning == "Enabled", encryption)

    def buckets(self) -> frozenset[str]:
        with _asking("list buckets"):
            answer = self._s3.list_buckets()
        return frozenset(one["Name"] for one in _xml(answer).get("Buckets", ()))

    def create_bucket(self, name: str) -> None:
        try:
            with _asking("create bucket"):
                self._s3.create_bucket(Bucket=name)
        except errors.EngineRefused as refusal:
            if refusal.code != "BucketAlreadyOwnedByYou":
                raise

    def set_versioning(self, name: str, enabled: bool) -> None:
        # Read first: MinIO takes this for a bucket that is not there, and suspending
        # what never was enabled makes deletes leave markers.
        if enabled == (self._versioning(name) == "Enabled"):
            return
        status = "Enabled" if enabled else "Suspended"
        with _asking("set versioning"):
            self._s3.put_bucket_versioning(
                Bucket=name, VersioningConfiguration={"Status": status}
            )

    def set_encryption(self, name: str, encryption: str) -> None:
        with _asking("set encryption"):
            match encryption:
                case "none":
                    self._s3.delete_bucket_encryption(Bucket=name)
                case "aes256":
                    rule = {
                        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}
                    }
                    self._s3.put_bucket_encryption(
                        Bucket=name,
                        ServerSideEncryptionConfiguration={"Rules": [rule]},
                    )
                case _:
                    raise AssertionError(f"no encryption {encryption!r}")

    def encryption_effective(self, name: str) -> bool:
        key = _PROBE_PREFIX + secrets.token_hex(8)
        try:
            return self._sealed(name, key)
        finally:
            self._wipe(name, key)

    def drop_bucket(self, name: str) -> None:
        try:
            with _asking("drop bucket"):
                self._s3.delete_bucket(Bucket=name)
        except errors.EngineRefused as refusal:
            if refusal.code == "BucketNotEmpty":
                raise errors.BucketNotEmpty(
                    refusal.operation, refusal.status, refusal.code
                ) from None
            if refusal.code != "NoSuchBucket":
                raise

    def count_objects(self, name: str, most: int) -> int:
        found = 0
        with _asking("count objects"):
            pages = self._s3.get_paginator("list_object_versions").paginate(
                Bucket=name,
                PaginationConfig={"PageSize": max(1, min(most, _PAGE))},
            )
            for page in pages:
                found += len(_entries(page))
                if found >= most:
                    return most
        return found

    def refuses_key(self, access_key: str) -> bool:
        wrong = state.Credentials(access_key, secrets.token_hex(20))
        # The signature is looked at before the bucket, which need not exist.
        answer = self._signed.send(
            "probe key", "GET", "/s3aas-probe", {"location": ""}, signer=wrong
        )
        match code := signed.error_code(answer):
            case "InvalidAccessKeyId":
                return True
            case "SignatureDoesNotMatch":
                return False
        raise answers.refusal("probe key", answer.status_code, code)

    def _versioning(self, name: str) -> str | None:
        """The engine's word: Enabled, Suspended or none at all."""
        with _asking("read versioning"):
            answer = self._s3.get_bucket_versioning(Bucket=name)
        return _xml(answer).get("Status")

    def _encryption(self, name: str) -> str:
        """One of `ENCRYPTIONS`, or the engine's word for what is not ours."""
        try:
            with _asking("read encryption"):
                answer = self._s3.get_bucket_encryption(Bucket=name)
        except errors.EngineRefused as refusal:
            # Status 404 at MinIO, 400 as seen on RustFS 1.0.1.
            if refusal.code != "ServerSideEncryptionConfigurationNotFoundError":
                raise
            return "none"
        configuration = _xml(answer).get("ServerSideEncryptionConfiguration") or {}
        rules = configuration.get("Rules") or [{}]
        default = rules[0].get("ApplyServerSideEncryptionByDefault") or {}
        return default.get("SSEAlgorithm", "none").lower()

    def _sealed(self, name: str, key: str) -> bool:
        try:
            with _asking("put probe object"):
                self._s3.put_object(Bucket=name, Key=key, Body=b"probe")
        except errors.EngineRefused as refusal:
            if refusal.code not in _NO_MASTER_KEY:
                raise
            return False
        with _asking("read probe object"):
            head = self._s3.head_object(Bucket=name, Key=key)
        return head.get("ServerSideEncryption") == "AES256"

    def _wipe(self, name: str, key: str) -> None:
        """Remove every version of an object, also one whose put was cut short.

        By version, `null` included, as a delete without one would leave a marker
        where versioning is or was on.
        """
        with _asking("remove probe object"):
            page = self._s3.list_object_versions(Bucket=name, Prefix=key)
            for entry in _entries(page):
                self._s3.delete_object(
                    Bucket=name, Key=key, VersionId=entry["VersionId"]
                )


def _entries(page: dict[str, Any]) -> list[dict[str, Any]]:
    """The versions and delete markers of one page of a listing."""
    _xml(page)
    return [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]


def _xml(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer, if it is S3's: boto3 reads another server's page as empty."""
    kind = answer["ResponseMetadata"]["HTTPHeaders"].get("content-type", "")
    if "xml" not in kind:
        raise answers.refusal("read bucket", 200, answers.MALFORMED)
    return answer


@contextlib.contextmanager
def _asking(operation: str) -> Iterator[None]:
    """Turn what boto3 raises inside into the port's errors."""
    try:
        yield
    except exceptions.ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        code = error.response["Error"].get("Code") or str(status)
        raise answers.refusal(operation, status, code) from error
    except (exceptions.HTTPClientError, exceptions.ConnectionError) as error:
        raise answers.silence(operation, error) from error
    except (exceptions.BotoCoreError, parsers.ResponseParserError) as error:
        # boto3 refused the request itself, or could not read the answer.
        raise answers.refusal(operation, 400, type(error).__name__) from error


@functools.cache
def _session() -> boto3.session.Session:
    """S3's description is some 12 MB and 70 ms to load, so clients share it.

    The profiles of whoever runs the process are no business of an engine's client.
    """
    nowhere = (None, None, os.devnull, None)
    core = botocore.session.Session(
        session_vars={
            "profile": (None, None, None, None),
            "config_file": nowhere,
            "credentials_file": nowhere,
        }
    )
    return boto3.session.Session(botocore_session=core)


def _client(url: str, root: state.Credentials) -> Any:
    config = Config(
        signature_version="s3v4",
        s3={"addressing_style": "path"},
        connect_timeout=signed.CONNECT_S,
        read_timeout=signed.READ_S,
        retries={"total_max_attempts": 1, "mode": "standard"},
        max_pool_connections=signed.CONNECTIONS,
        proxies={},
    )
    with _CREATING:  # a session is not safe to use from several threads, clients are
        return _session().client(
            "s3",
            endpoint_url=url,
            region_name=signed.REGION,
            aws_access_key_id=root.access_key,
            aws_secret_access_key=root.secret_key,
            config=config,
        )
