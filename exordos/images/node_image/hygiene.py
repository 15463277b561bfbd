"""What must not be in a finished image, and what must; found without booting it.

The rules on accounts, units and privileged programs list what our Debian base has: an
image on the platform's own base is held against the others alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from exordos_paas_storage.nodes import image
from node_image import filesystem, private_keys
from node_image.filesystem import Entry, Filesystem

DEBIAN, EXORDOS = BASES = ("debian", "exordos")

_IDENTITIES = re.compile(r"authorized_keys.*|ssh_host_.*|id_(rsa|dsa|ecdsa|ed25519).*")
_HISTORIES = re.compile(r"\..*_history|\.lesshst|\.viminfo|\.wget-hsts")
# Folders that must be empty, and files that must not be there.
_EMPTY = ("/tmp", "/var/tmp")  # noqa: S108 - of the image
_GONE = (
    *("/var/lib/systemd/random-seed", "/var/lib/systemd/timers"),
    *("/var/cache/exordos-s3", "/etc/passwd-", "/etc/shadow-", "/etc/group-"),
)
_ROOT_HOME = {".bashrc", ".profile"}
_BUILD_NAMES = re.compile(r"\.ansible|ansible-tmp-.*|packer-.*|script_\d+\.sh")
# GnuTLS tests itself with keys that everybody has.
_TEST_KEYS = re.compile(r"/usr/lib/[^/]+/libgnutls\.so\.[0-9.]+")
# Debian's own; what a node has no use for can't be reached by the engine's account,
# which gains no privileges.
_PRIVILEGED = frozenset(
    f"/usr/bin/{name}"
    for name in (
        *("chage", "chfn", "chsh", "expiry", "gpasswd", "mount", "newgrp", "passwd"),
        *("ssh-agent", "su", "umount"),
    )
) | {
    "/usr/sbin/unix_chkpwd",
    "/usr/lib/dbus-1.0/dbus-daemon-launch-helper",
    "/usr/lib/openssh/ssh-keysign",
}
_NO_SHELLS = {"/usr/sbin/nologin", "/bin/false", "/usr/bin/false", "/bin/sync"}
# The units that run on a node beside those that every system of systemd has.
ENABLED = frozenset(
    {
        *(image.ENGINE_UNIT, image.HEALTH_TIMER),
        *("exordos-grow-root.service", "fstrim.timer", "remote-fs.target"),
        *("systemd-network-generator.service", "systemd-networkd.service"),
        *("systemd-networkd.socket", "systemd-networkd-wait-online.service"),
        *("systemd-pstore.service", "systemd-resolved.service"),
        "systemd-timesyncd.service",
    }
)
_UNITS = PurePosixPath("/etc/systemd/system")
_OUR_UNITS = (
    *(image.ENGINE_UNIT, image.DATA_DISK_UNIT, image.MOUNT_UNIT, image.DATA_GROW_UNIT),
    *(image.HEALTH_UNIT, image.HEALTH_TIMER),
)


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong; `rule` is the name of the function that says so."""

    rule: str
    path: str
    what: str

    def __str__(self) -> str:
        return f"{self.path}: {self.what} ({self.rule})"


# What is wrong, by path.
Rule = Callable[[Filesystem], Iterator[tuple[object, str]]]


def findings(raw: Path, base: str = DEBIAN) -> list[Finding]:
    """Everything that is wrong with a disk; an empty list is a clean one.

    Raises:
        SetupError: it is no disk with an ext file system.
    """
    files = filesystem.of_disk(raw)
    return [*of_files(files, base), *keys_on_disk(raw, files)]


def of_files(files: Filesystem, base: str = DEBIAN) -> list[Finding]:
    """What the rules find in a file system."""
    rules = [*RULES, *RULES_OF_DEBIAN] if base == DEBIAN else RULES
    return [
        Finding(rule.__name__, str(path), what)
        for rule in rules
        for path, what in rule(files)
    ]


def keys_on_disk(raw: Path, files: Filesystem) -> list[Finding]:
    """Private keys, also in the room of files that were deleted."""
    return [
        Finding("keys_on_disk", owner, f"has a private key, at {offset} of the disk")
        for offset in private_keys.offsets(raw)
        if not _TEST_KEYS.fullmatch(owner := files.owner_of(offset))
    ]


def identities(files: Filesystem) -> Iterator[tuple[object, str]]:
    """Each node makes its own keys and its own machine-id."""
    for path in files.entries:
        if _IDENTITIES.fullmatch(path.name) and not path.is_relative_to("/usr"):
            yield path, "lets somebody in, or is the same on all nodes"
    machine_id = files.get("/etc/machine-id")
    if machine_id is None or machine_id.size:
        yield "/etc/machine-id", "must be there and empty, so that the boot fills it"
    copy = files.get("/var/lib/dbus/machine-id")
    if copy and not copy.is_link:
        yield copy.path, "is a copy of the machine-id"


def traces(files: Filesystem) -> Iterator[tuple[object, str]]:
    """Lists of packages, histories and logs of the build."""
    for folder in ("/var/lib/apt/lists", "/var/cache/apt"):
        yield from ((each, "is apt's cache") for each in _filled(files, folder))
    yield from ((each, "is a log") for each in _filled(files, "/var/log"))
    for path in files.entries:
        if _HISTORIES.fullmatch(path.name):
            yield path, "is a history"


def leftovers(files: Filesystem) -> Iterator[tuple[object, str]]:
    """What the tools of the build leave behind."""
    for folder in _EMPTY:
        yield from ((each.path, "is left over") for each in files.below(folder))
    for each in files.below("/root"):
        if each.path.relative_to("/root").parts[0] not in _ROOT_HOME:
            yield each.path, "is left over"
    for folder in ("/run", "/var/lib/cloud"):
        yield from ((each, "is left over") for each in _filled(files, folder))
    yield from ((path, "is left over") for path in _GONE if files.get(path))
    for path in files.entries:
        if _BUILD_NAMES.fullmatch(path.name):
            yield path, "is left over"


def open_to_all(files: Filesystem) -> Iterator[tuple[object, str]]:
    """Files and folders that every account may change."""
    for each in files.entries.values():
        sticky = each.is_folder and each.mode & 0o1000
        if (each.is_file or each.is_folder) and each.mode & 0o002 and not sticky:
            yield each.path, f"has mode {each.permissions:04o}: all may write to it"


def layout(files: Filesystem) -> Iterator[tuple[object, str]]:
    """The places that a node's configuration is delivered to, and the engine's own."""
    for folder in (image.CONFIG_DIR, image.SECRETS_DIR, image.TLS_DIR):
        yield from _wrong(files, folder, 0, image.GID, 0o750)
    yield from _wrong(files, image.HOME_DIR, image.UID, image.GID, 0o750)
    yield from _wrong(files, image.DATA_MOUNT, 0, 0, 0o755)
    yield from _wrong(files, image.LIB_DIR, 0, 0, 0o755)
    yield from ((_UNITS / unit, "is missing") for unit in _absent(files, _OUR_UNITS))
    for folder in (image.CONFIG_DIR, image.DATA_MOUNT):
        delivered = (each for each in files.below(folder) if not each.is_folder)
        yield from ((each.path, "belongs to one node") for each in delivered)
    for each in files.below(image.LIB_DIR):
        if each.uid or each.gid or each.mode & 0o022:
            yield each.path, "can be changed by others than root"


def engine_as_recorded(files: Filesystem) -> Iterator[tuple[object, str]]:
    """The engine is the file that its record names."""
    record = image.LIB_DIR / "engine.json"
    try:
        said = json.loads(files.read(record))
        binary, sha256 = image.LIB_DIR / said["engine"], said["sha256"]
    except (ValueError, KeyError, TypeError):
        yield record, "must name the engine and its sha256"
        return
    if files.sha256(binary) != sha256:
        yield binary, f"does not have the sha256 of its record, {sha256}"


def privileged(files: Filesystem) -> Iterator[tuple[object, str]]:
    """Programs that run with other rights than their caller's."""
    for each in files.entries.values():
        if each.is_file and each.mode & 0o6000 and str(each.path) not in _PRIVILEGED:
            yield each.path, f"has mode {each.permissions:04o}: it raises rights"


def accounts(files: Filesystem) -> Iterator[tuple[object, str]]:
    """Nobody logs in: no password, no shell but root's, no way to become root."""
    for line in files.read("/etc/shadow").splitlines():
        name, password = line.split(":")[:2]
        if not password.startswith(("!", "*")):
            yield "/etc/shadow", f"{name} has a password, or needs none"
    for line in files.read("/etc/passwd").splitlines():
        name, _, uid, *_, shell = line.split(":")
        if uid == "0" and name != "root":
            yield "/etc/passwd", f"{name} is root by another name"
        if shell not in _NO_SHELLS and name != "root":
            yield "/etc/passwd", f"{name} has the shell {shell}"
    if f"{image.USER}:x:{image.UID}:{image.GID}:" not in files.read("/etc/passwd"):
        yield "/etc/passwd", f"{image.USER} with number {image.UID} is missing"
    yield from ((each.path, "is somebody's") for each in files.below("/home"))
    for each in files.below("/etc/sudoers.d"):
        if each.path.name != "README":
            yield each.path, "lets somebody become root"


def units(files: Filesystem) -> Iterator[tuple[object, str]]:
    """The enabled units are those that are documented, and no others."""
    found = {path.name: path for path in files.entries if _enables(path)}
    for name in sorted(found.keys() - ENABLED):
        yield found[name], "is enabled and not documented"
    for name in sorted(ENABLED - found.keys()):
        yield _UNITS / name, "must be enabled"


# For every base, and for ours alone.
RULES: list[Rule] = [
    *(identities, traces, leftovers, open_to_all),
    *(layout, engine_as_recorded),
]
RULES_OF_DEBIAN: list[Rule] = [privileged, accounts, units]


def _filled(files: Filesystem, folder: str) -> Iterator[PurePosixPath]:
    return (each.path for each in files.below(folder) if each.is_file and each.size)


def _absent(files: Filesystem, names: tuple[str, ...]) -> Iterator[str]:
    return (unit for unit in names if files.get(_UNITS / unit) is None)


def _wrong(
    files: Filesystem, folder: PurePosixPath, uid: int, gid: int, mode: int
) -> Iterator[tuple[object, str]]:
    found = files.get(folder)
    if found is None or not found.is_folder:
        yield folder, "is missing"
    elif (found.uid, found.gid, found.permissions) != (uid, gid, mode):
        yield folder, f"is {_described(found)} and must be {uid}:{gid} {mode:04o}"


def _described(entry: Entry) -> str:
    return f"{entry.uid}:{entry.gid} {entry.permissions:04o}"


def _enables(path: PurePosixPath) -> bool:
    folder = path.parent
    return folder.parent == _UNITS and folder.suffix in (".wants", ".requires")
