"""Sealed values: text that only this service can read, bound to the row it lies in."""

from __future__ import annotations

import hmac
import json
import os
import uuid
from collections.abc import Sequence
from pathlib import Path

from cryptography import fernet

from exordos_paas_storage.domain import errors


class SealBroken(errors.StorageError):
    """An operator: a sealed value can't be opened by these keys, or was moved."""


class Box:
    """Seals and opens texts with the keys of one file; the first key seals.

    Every sealed value carries its place, such as `s3aas_nodes/<uuid>/root_secret`, so
    that a value copied to another row or column is refused.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._fernet = fernet.MultiFernet([fernet.Fernet(key) for key in keys])

    def seal(self, place: str, secret: str) -> str:
        """Seal `secret` for `place`; what comes back may be stored in clear."""
        packed = json.dumps([place, secret]).encode()
        return self._fernet.encrypt(packed).decode()

    def open(self, place: str, sealed: str) -> str:
        """The secret that was sealed for `place`.

        Raises:
            SealBroken: no key opens it, or it was sealed for another place.
        """
        try:
            packed = self._fernet.decrypt(sealed.encode())
        except fernet.InvalidToken:
            raise SealBroken(f"{place}: no sealing key opens this value") from None
        found, secret = json.loads(packed)
        if not hmac.compare_digest(found.encode(), place.encode()):
            raise SealBroken(f"{place}: this value was sealed for another place")
        return secret


def read_keys(path: Path) -> list[bytes]:
    """The keys of a sealing key file: one Fernet key a line, the newest first.

    Raises:
        SetupError: the file can't be read or holds no valid key.
    """
    try:
        keys = path.read_bytes().split()
        Box(keys)
    except OSError as error:
        raise errors.SetupError(
            f"sealing key file {path}: {error.strerror}; restore it from your backup"
        ) from None
    except ValueError:
        raise errors.SetupError(
            f"sealing key file {path}: needs one Fernet key a line (44 characters)"
        ) from None
    return keys


def new_key() -> str:
    """A fresh key, as it stands in a sealing key file."""
    return fernet.Fernet.generate_key().decode()


def write_new_keys(path: Path, group: int | None = None) -> None:
    """Make a sealing key file with one fresh key, readable by its owner alone.

    The file appears whole or not at all; one that is there is left as it is.

    Args:
        path: where it is to be.
        group: the id of a group that may read it, too.

    Raises:
        SetupError: the file can't be written.
    """
    try:
        _write_new_keys(path, group)
    except OSError as error:
        raise errors.SetupError(
            f"sealing key file {path} can't be written ({error.strerror}): choose "
            "another one with --sealing-key-file, or make its folder"
        ) from None


def _write_new_keys(path: Path, group: int | None) -> None:
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(new_key() + "\n")
            file.flush()
            if group is not None:
                os.fchown(file.fileno(), -1, group)
                os.fchmod(file.fileno(), 0o640)
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
