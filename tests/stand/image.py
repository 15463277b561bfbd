"""The system of a data-plane node: what the node image's role puts onto a root disk.

Only what the engine needs to be started as it is on a node: the launcher with all of
its checks, the engine, its account and its folders. No kernel, no systemd.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import jinja2

from exordos_paas_storage.domain import capabilities, errors
from exordos_paas_storage.nodes import image
from exordos_paas_storage.onebox import engines as pinned
from tests import engines
from tests.stand import machines, places

# Folders of a node's system that are on its root disk, each a layer of its own there.
LAYERS = {"/etc": "etc", "/var/lib": "var-lib", "/usr/lib": "usr-lib", "/srv": "srv"}
_ROLE = places.ROOT / "exordos/images/ansible/roles/s3_node/templates"


def chosen() -> str:
    """The engine of this stand's nodes, which STAND_ENGINE names."""
    engine = os.environ.get("STAND_ENGINE", capabilities.MINIO)
    if engine not in capabilities.ENGINES:
        known = ", ".join(capabilities.ENGINES)
        raise errors.SetupError(f"STAND_ENGINE={engine}: choose one of {known}")
    return engine


def make(engine: str) -> None:
    """Write the tree that is copied onto root disks.

    Raises:
        SetupError: the engine is not in the cache.
    """
    binary = engines.binary(engine)
    if binary is None or not binary.exists():
        raise errors.SetupError(
            f"the engine {engine} {pinned.VERSIONS[engine]} is not installed:"
            f" exordos-storage engine install {engine}"
        )
    library = _inside(image.LIB_DIR)
    library.mkdir(parents=True)
    shutil.copy(binary, library / engine)
    (library / engine).chmod(0o755)
    digest = hashlib.sha256((library / engine).read_bytes()).hexdigest()
    (library / f"{engine}.sha256").write_text(f"{digest}  {engine}\n")
    facts = {"engine": engine, "version": pinned.VERSIONS[engine], "sha256": digest}
    (library / "engine.json").write_text(json.dumps(facts, indent=2) + "\n")
    launcher = library / "start-engine"
    launcher.write_text(_render("start-engine.j2", engine))
    launcher.chmod(0o755)
    _make_account()
    _make_folders()
    _write("/etc/hosts", places.HOSTS)
    _write("/etc/exordos_universal_agent/logging.yaml", machines.LOGGING)


def _render(template: str, engine: str) -> str:
    """A template of the role, with the variables that the role has."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_ROLE),
        undefined=jinja2.StrictUndefined,
        # As Ansible has it.
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    environment.tests["search"] = lambda value, pattern: bool(re.search(pattern, value))
    variables: Mapping[str, object] = {**image.layout(), "s3_node_engine": engine}
    return environment.get_template(template).render(variables)


def _make_account() -> None:
    line = f"{image.USER}:x:{image.UID}:{image.GID}::{image.HOME_DIR}:/usr/sbin/nologin"
    _write("/etc/passwd", Path("/etc/passwd").read_text() + line + "\n")
    group = f"{image.GROUP}:x:{image.GID}:\n"
    _write("/etc/group", Path("/etc/group").read_text() + group)


def _make_folders() -> None:
    """With the owners and modes of the role's account.yml."""
    for folder, uid, gid, mode in (
        (image.HOME_DIR, image.UID, image.GID, 0o750),
        (image.CONFIG_DIR, 0, image.GID, 0o750),
        (image.SECRETS_DIR, 0, image.GID, 0o750),
        (image.TLS_DIR, 0, image.GID, 0o750),
        (image.DATA_MOUNT, 0, 0, 0o755),
    ):
        made = _inside(folder)
        made.mkdir(parents=True, exist_ok=True)
        made.chmod(mode)
        os.chown(made, uid, gid)


def _write(path: str, content: str) -> None:
    target = _inside(PurePosixPath(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(content)


def _inside(path: PurePosixPath) -> Path:
    layer = next(own for own in LAYERS if path.is_relative_to(own))
    upper = places.IMAGE / LAYERS[layer] / "upper"
    return upper / path.relative_to(layer)
