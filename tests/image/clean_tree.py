"""A small tree in which nothing is wrong: as a finished image, without its programs."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path, PurePosixPath

from node_image import hygiene

from exordos_paas_storage.nodes import image

ENGINE = b"an engine"
PASSWD = f"""\
root:x:0:0:root:/root:/bin/bash
sync:x:4:65534:sync:/bin:/bin/sync
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
{image.USER}:x:{image.UID}:{image.GID}::{image.HOME_DIR}:/usr/sbin/nologin
"""
SHADOW = f"""\
root:!*:20778:0:99999:7:::
nobody:*:20778:0:99999:7:::
{image.USER}:!:20780::::::
"""
STATUS = """\
Package: dash
Status: install ok installed
Version: 0.5.12-2
Architecture: amd64
Maintainer: nobody
Description: a shell

Package: bash
Status: install ok installed
Version: 5.2.15-2+b13
Architecture: amd64
Maintainer: nobody
Description: another shell
"""


def write(tree: Path, path: str | PurePosixPath, content: str | bytes = "") -> Path:
    """Write a file of the tree, with the folders that it needs."""
    place = tree / str(path).lstrip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content.encode() if isinstance(content, str) else content)
    place.chmod(0o644)
    return place


def folder(
    tree: Path, path: str | PurePosixPath, mode: int, uid: int = 0, gid: int = 0
) -> Path:
    """Make a folder of the tree."""
    place = tree / str(path).lstrip("/")
    place.mkdir(parents=True, exist_ok=True)
    os.chown(place, uid, gid)
    place.chmod(mode)
    return place


def enable(tree: Path, unit: str, target: str = "multi-user.target") -> Path:
    """Enable a unit by its link."""
    link = tree / f"etc/systemd/system/{target}.wants/{unit}"
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(f"/lib/systemd/system/{unit}")
    return link


def make(tree: Path) -> Path:
    """Make the tree in an empty folder; root alone can, as it has owners."""
    tree.mkdir()
    write(tree, "/etc/machine-id")
    write(tree, "/etc/passwd", PASSWD)
    write(tree, "/etc/shadow", SHADOW).chmod(0o640)
    write(tree, "/etc/sudoers.d/README", "nothing\n")
    write(tree, "/var/lib/dpkg/status", STATUS)
    write(tree, "/var/log/README")
    write(tree, "/root/.profile", "umask 022\n")
    write(tree, "/usr/bin/su", "su").chmod(0o4755)
    for path, mode in (("/tmp", 0o1777), ("/var/tmp", 0o1777), ("/home", 0o755)):
        folder(tree, path, mode)
    for unit in hygiene.ENABLED:
        enable(tree, unit)
    for unit in hygiene._OUR_UNITS:
        write(tree, f"/etc/systemd/system/{unit}", "[Unit]\n")
    _layout(tree)
    return tree


def _layout(tree: Path) -> None:
    folder(tree, image.LIB_DIR, 0o755)
    write(tree, image.LIB_DIR / "minio", ENGINE).chmod(0o755)
    record = {"engine": "minio", "sha256": hashlib.sha256(ENGINE).hexdigest()}
    write(tree, image.LIB_DIR / "engine.json", json.dumps(record))
    for path in (image.CONFIG_DIR, image.SECRETS_DIR, image.TLS_DIR):
        folder(tree, path, 0o750, 0, image.GID)
    folder(tree, image.HOME_DIR, 0o750, image.UID, image.GID)
    folder(tree, image.DATA_MOUNT, 0o755)
