"""The one engine binary that an image gets, and where it is from."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from exordos_paas_storage.domain import capabilities, errors
from exordos_paas_storage.onebox import engine_cache, engine_rustfs, engines

_BLOCK_BYTES = 1 << 20
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Engine:
    """A binary for an image.

    Attributes:
        sha256: of the binary itself.
        provenance: where it came from, and how that was verified.
    """

    name: str
    version: str
    binary: Path
    sha256: str
    provenance: Mapping[str, str]


def at_hand(name: str | None, environ: Mapping[str, str] = os.environ) -> Engine:
    """The engine of this machine: `name`, or RustFS, or MinIO, in this order.

    Raises:
        SetupError: it is not here; nothing is fetched.
    """
    cache = engine_cache.default(environ)
    wanted = [name] if name else [capabilities.RUSTFS, capabilities.MINIO]
    for each in wanted:
        found = engines.at_hand(each, cache, environ)
        if found:
            whole, sums = _provenance(found.path), sha256_of(found.path)
            return Engine(found.engine, found.version, found.path, sums, whole)
    raise errors.SetupError(
        f"no {' and no '.join(engines.TITLES[each] for each in wanted)} is at hand:"
        f" run `exordos-storage engine install {wanted[-1]}`, or name a binary with"
        " --engine-binary"
    )


def from_file(name: str | None, version: str | None, binary: Path) -> Engine:
    """A binary of the caller's own.

    Raises:
        SetupError: it is no file, or what it is was not said.
    """
    if name not in capabilities.ENGINES or not version:
        raise errors.SetupError(
            "a binary does not say what it is: pass --engine"
            f" {'|'.join(capabilities.ENGINES)} and --engine-version with it"
        )
    if not binary.is_file():
        raise errors.SetupError(f"{binary} is no file: name the engine's binary")
    provenance = {"from": f"file {binary.name}"}
    return Engine(name, version, binary.resolve(), sha256_of(binary), provenance)


def from_release(
    version: str,
    sha256: str | None,
    cache: Path,
    releases: str = engine_rustfs.RELEASES,
) -> Engine:
    """RustFS from its releases, whose archive has a sha256 that was known before.

    Args:
        sha256: of the archive; None where the project has pinned it.
        cache: a folder for verified releases alone.

    Raises:
        SetupError: no sha256 is known, or the archive has another one.
    """
    archive = engine_rustfs.archive_name(version, platform.machine())
    expected = sha256 or engine_rustfs.PINS.get(archive)
    if expected is None:
        raise errors.SetupError(
            f"the sha256 of {archive} is not known here, and what a server says of its"
            " own file proves nothing: take it from the release's notes and pass it"
            " with --engine-sha256"
        )
    _check_form(expected)
    # A folder by the checksum: whatever is found in it was verified by that one.
    folder = engine_cache.EngineCache(cache / "releases" / expected)
    binary = engine_rustfs.install(
        folder, version=version, releases=releases, pins={archive: expected}
    )
    name = capabilities.RUSTFS
    return Engine(name, version, binary, sha256_of(binary), _provenance(binary))


def check_sum(engine: Engine, expected: str | None) -> None:
    """Hold a binary against a sha256 that was named for it.

    Raises:
        SetupError: it has another one.
    """
    if expected is None:
        return
    _check_form(expected)
    if engine.sha256 != expected:
        raise errors.SetupError(
            f"{engine.binary} has sha256 {engine.sha256} and not {expected}: it is not"
            " the file that was meant; fetch it again"
        )


def sha256_of(path: Path) -> str:
    """The sha256 of a file of any size."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _check_form(sha256: str) -> None:
    if not _SHA256.fullmatch(sha256):
        raise errors.SetupError(
            f"{sha256!r} is no sha256: pass 64 hexadecimal digits in lower case"
        )


def _provenance(binary: Path) -> dict[str, str]:
    """What the engine cache wrote beside a binary when it was installed."""
    record = binary.with_name("provenance.json")
    if not record.is_file():
        return {"from": f"{binary.parent.name}, without a record of its origin"}
    return {key: str(value) for key, value in json.loads(record.read_text()).items()}
