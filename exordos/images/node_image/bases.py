"""What an image begins with: the disk made here, or the platform's own base."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exordos_paas_storage.domain import errors
from node_image import base_disk, command, engine, hygiene, lock, rootfs

_CHECKSUM = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Base:
    """A disk that boots, and how the build gets into it.

    Attributes:
        kind: one of `hygiene.BASES`.
        disk: path or address, in qcow2.
        checksum: as Packer takes it.
        disk_size: of the image, as Packer takes it.
        user: who logs in, with `key`; root, or one who can become root.
        seed: a folder for cloud-init; None where the key is on the disk.
        network: what the machine reaches during the build, as the template has it.
        about: what it was made of, for the manifest.
    """

    kind: str
    disk: str
    checksum: str
    disk_size: str
    user: str
    key: Path
    seed: Path | None
    network: str
    about: dict[str, Any]


def debian(tar: Path, cache: Path) -> Base:
    """Our own disk, made from a tree.

    Everything is on it, so the build needs no network and gets none.
    """
    # What it is made of lies half made in the cache.
    with lock.alone(cache):
        made = base_disk.made(tar, cache)
    return Base(
        kind=hygiene.DEBIAN,
        disk=str(made.disk),
        checksum=f"sha256:{engine.sha256_of(made.disk)}",
        disk_size=f"{base_disk.SIZE_BYTES >> 20}M",
        user="root",
        key=made.key,
        seed=None,
        network="isolated",
        about=rootfs.made_from(tar),
    )


def exordos(disk: str, checksum: str | None, work: Path) -> Base:
    """The platform's base, a pinned version of it; not run here.

    Args:
        disk: path or address of its qcow2.
        checksum: `sha256:` and the digits.
        work: an existing folder for the key, and for what cloud-init reads.

    Raises:
        SetupError: the checksum is missing or malformed.
    """
    if not _CHECKSUM.fullmatch(checksum or ""):
        raise errors.SetupError(
            f"{disk} is not used without a sha256 that was known before: take it from"
            " the SHA256SUMS of that version and pass --base-checksum sha256:DIGITS"
        )
    key = work / "id_ed25519"
    argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "image build"]
    command.run([*argv, "-f", key])
    seed = work / "seed"
    seed.mkdir()
    public = key.with_name(f"{key.name}.pub").read_text().strip()
    # JSON is YAML too.
    user_data = json.dumps({"ssh_authorized_keys": [public]})
    (seed / "user-data").write_text(f"#cloud-config\n{user_data}\n")
    (seed / "meta-data").write_text(json.dumps({"instance-id": "image-build"}))
    return Base(
        kind=hygiene.EXORDOS,
        disk=disk,
        checksum=str(checksum),
        disk_size="6G",
        user="ubuntu",
        key=key,
        seed=seed,
        # Its packages are not all there.
        network="open",
        about={"disk": disk, "checksum": checksum},
    )
