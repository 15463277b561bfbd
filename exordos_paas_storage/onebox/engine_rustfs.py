"""RustFS from its releases: fetched, verified, unpacked."""

from __future__ import annotations

import hashlib
import platform
import queue
import shutil
import threading
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import TypeVar

import httpx

from exordos_paas_storage.domain import capabilities, errors
from exordos_paas_storage.onebox.engine_cache import EngineCache, Progress, silent

VERSION = "1.0.1"
RELEASES = "https://github.com/rustfs/rustfs/releases/download"
REACH_S = 10.0
NEED_BYTES = 1 << 30
# sha256 of a release archive, where the project knows it. Source: the publicly recorded
# checksum of the release 1.0.0; that of 1.0.1 is not known here.
PINS: Mapping[str, str] = {
    "rustfs-linux-x86_64-musl-v1.0.0.zip": (
        "c30a95b76546f25122c9ca387090ddb30c391ca5605621b0d7c881703c0f21c8"
    ),
}
_MACHINES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64"}
_MOST_BYTES = 2 << 30
_BLOCK = 1 << 20
_READ_S = 60.0

_BUILD_IT = "exordos-storage engine install rustfs --from crate"

T = TypeVar("T")


class NotReachable(errors.SetupError):
    """The release could not be fetched; another engine, or a later try, may do.

    Args:
        reason: in words that fit into a longer sentence.
        remedy: what to do.
    """

    def __init__(
        self, reason: str, remedy: str = f"check the network, or build it: {_BUILD_IT}"
    ) -> None:
        super().__init__(f"{reason}: {remedy}")
        self.reason = reason


def install(
    cache: EngineCache,
    *,
    version: str = VERSION,
    releases: str = RELEASES,
    pins: Mapping[str, str] = PINS,
    reach_s: float = REACH_S,
    machine: str | None = None,
    need_bytes: int = NEED_BYTES,
    progress: Progress = silent,
) -> Path:
    """Install a release of RustFS into the cache; done if it is there.

    Args:
        releases: the address below which each release has a folder by its version.
        pins: sha256 by the archive's name; the release's own sums count for others.
        reach_s: seconds after which a server that did not answer counts as not there.

    Raises:
        NotReachable: the release could not be fetched.
        SetupError: there is none for this machine, its checksum is not the expected
            one, or the disk is full.
    """
    found = cache.find(capabilities.RUSTFS, version)
    if found:
        return found
    archive = archive_name(version, machine or platform.machine())
    base = f"{releases.rstrip('/')}/{version}"
    reach(base, reach_s)
    with cache.installing(need_bytes) as part:
        found = cache.find(capabilities.RUSTFS, version)
        if found:
            return found
        with _client(reach_s) as client:
            expected = pins.get(archive) or _released_sum(client, base, archive)
            _check_accepted(cache, archive, expected)
            path = part / archive
            _check_sum(
                archive, expected, _fetch(client, f"{base}/{archive}", path, progress)
            )
        binary = _unpack(path, part)
        cache.accept(archive, expected)
        provenance = {"from": f"{base}/{archive}", "sha256": expected}
        return cache.put(capabilities.RUSTFS, version, binary, provenance)


def reach(base: str, reach_s: float) -> None:
    """Check that a release's server answers.

    Looking up a name may take longer than any limit that a client sets, so a thread
    asks and we stop waiting for it.

    Raises:
        NotReachable: it did not within `reach_s`, or says that there is no release.
    """

    def ask() -> None:
        with _client(reach_s) as client:
            client.head(f"{base}/SHA256SUMS").raise_for_status()

    _within(reach_s, lambda: _translated(base, ask))


def archive_name(version: str, machine: str) -> str:
    """The name of the release's archive for a kind of machine.

    Raises:
        NotReachable: there is none for it.
    """
    if machine.lower() not in _MACHINES:
        raise NotReachable(
            f"RustFS has no release for {machine}",
            f"build it ({_BUILD_IT}), or name a binary with EXORDOS_STORAGE_RUSTFS",
        )
    return f"rustfs-linux-{_MACHINES[machine.lower()]}-musl-v{version}.zip"


def _client(reach_s: float) -> httpx.Client:
    timeout = httpx.Timeout(_READ_S, connect=reach_s)
    return httpx.Client(timeout=timeout, follow_redirects=True)


def _released_sum(client: httpx.Client, base: str, archive: str) -> str:
    def ask() -> str:
        reply = client.get(f"{base}/SHA256SUMS")
        return reply.raise_for_status().text

    for line in _translated(base, ask).splitlines():
        sha256, _, name = line.partition(" ")
        if PurePosixPath(name.strip().lstrip("*")).name == archive:
            return sha256.lower()
    raise errors.SetupError(
        f"{base}/SHA256SUMS does not list {archive}: it can't be verified; name a"
        " binary with EXORDOS_STORAGE_RUSTFS"
    )


def _fetch(client: httpx.Client, url: str, path: Path, progress: Progress) -> str:
    """Download to `path`; the sha256 of what came."""

    def fetch() -> str:
        digest = hashlib.sha256()
        with client.stream("GET", url) as reply, path.open("wb") as file:
            reply.raise_for_status()
            total = int(reply.headers.get("content-length", 0)) or None
            for block in reply.iter_bytes(_BLOCK):
                digest.update(block)
                file.write(block)
                progress("fetching RustFS, bytes", file.tell(), total)
        return digest.hexdigest()

    return _translated(url, fetch)


def _check_accepted(cache: EngineCache, archive: str, expected: str) -> None:
    before = cache.accepted(archive)
    if before not in (None, expected):
        raise errors.SetupError(
            f"{archive} is another file than the one accepted here before: its release"
            f" was changed; only if you know why, delete it from {cache.accepted_file}"
        )


def _check_sum(archive: str, expected: str, got: str) -> None:
    if got != expected:
        raise errors.SetupError(
            f"{archive} has sha256 {got} and not {expected}: the download is damaged"
            " or not what was released; try again, and do not use it if that repeats"
        )


def _unpack(archive: Path, folder: Path) -> Path:
    """Take the one binary out of the archive, whatever else it names."""
    binary = folder / "binary"
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [
                member
                for member in opened.infolist()
                if PurePosixPath(member.filename).name == "rustfs"
                and not member.is_dir()
                and member.file_size <= _MOST_BYTES
            ]
            if len(members) != 1:
                raise errors.SetupError(f"{archive.name} does not hold one rustfs")
            with opened.open(members[0]) as source, binary.open("wb") as target:
                shutil.copyfileobj(source, target, _BLOCK)
    except zipfile.BadZipFile:
        raise errors.SetupError(f"{archive.name} is not a zip archive") from None
    return binary


def _translated(url: str, ask: Callable[[], T]) -> T:
    try:
        return ask()
    except httpx.HTTPStatusError as error:
        raise NotReachable(
            f"{url} answered {error.response.status_code}", "try again later"
        ) from None
    except httpx.HTTPError as error:
        raise NotReachable(
            f"{url} could not be reached ({type(error).__name__})"
        ) from None


def _within(seconds: float, ask: Callable[[], None]) -> None:
    answers: queue.Queue[BaseException | None] = queue.Queue()

    def run() -> None:
        try:
            ask()
        except BaseException as error:  # noqa: BLE001 - raised again by the caller
            answers.put(error)
        else:
            answers.put(None)

    threading.Thread(target=run, name="reach", daemon=True).start()
    try:
        error = answers.get(timeout=seconds)
    except queue.Empty:
        error = NotReachable(f"its release could not be reached in {seconds:.0f} s")
    if error:
        raise error
