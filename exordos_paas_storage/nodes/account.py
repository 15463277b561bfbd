"""Under whose account an engine runs."""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from exordos_paas_storage.domain import errors

# systemd's range for DynamicUser=, which distributions keep free of other accounts.
# Source: systemd, docs/UIDS-GIDS.md.
FIRST_UID, LAST_UID = 61184, 65519


@dataclass(frozen=True)
class Account:
    """A user and group by number; a name for it need not exist."""

    uid: int
    gid: int


# Given the data folder of an instance, existing or not: the account that owns it and
# runs its engine. None: the account of this process.
Isolation = Callable[[Path], Account | None]


def same_user(data_dir: Path) -> Account | None:
    """Every engine runs as this process does; all that an ordinary user can do."""
    return None


def one_each(data_dir: Path) -> Account | None:
    """Every instance has an account of its own, remembered as its data's owner.

    Raises:
        SetupError: every number of the range is in use.
    """
    with contextlib.suppress(FileNotFoundError):
        owner = data_dir.stat()
        # A folder that root owns was made by a start that was cut short.
        if owner.st_uid != 0:
            return Account(owner.st_uid, owner.st_gid)
    used = set(_used(data_dir.parent.parent))
    free = [uid for uid in range(FIRST_UID, LAST_UID + 1) if uid not in used]
    if not free:
        raise errors.SetupError(
            f"no user id from {FIRST_UID} to {LAST_UID} is free: remove instances"
        )
    # Random, so that two services on one box hardly meet.
    uid = random.SystemRandom().choice(free)
    return Account(uid, uid)


def default() -> Isolation:
    """An account each when this process is root, else its own account."""
    return one_each if os.geteuid() == 0 else same_user


def _used(root_dir: Path) -> Iterator[int]:
    for entry in pwd.getpwall():
        yield from (entry.pw_uid, entry.pw_gid)
    yield from (group.gr_gid for group in grp.getgrall())
    for data in root_dir.glob("*/data"):
        with contextlib.suppress(FileNotFoundError):
            yield data.stat().st_uid
    for process in psutil.process_iter(["uids"]):
        if process.info["uids"]:
            yield from process.info["uids"]
