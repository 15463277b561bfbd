"""Playing the role in an unpacked tree, as Packer does in a machine."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from node_image import engine as node_engine

from exordos_paas_storage.nodes import image

ANSIBLE = Path(__file__).parents[2] / "exordos" / "images" / "ansible"
# Beside this interpreter: Ansible is one of its packages.
_PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")
_LIMIT_S = 600.0


@dataclasses.dataclass(frozen=True)
class Played:
    """How a play ended.

    Attributes:
        ok: whether every task came to its end.
        changed: tasks that changed something; 0 where the play was cut short.
        output: what Ansible printed.
    """

    ok: bool
    changed: int
    output: str


def variables(engine: str) -> dict[str, Any]:
    """What the play of this engine is given, its binary a file of this machine."""
    found = node_engine.at_hand(engine)
    return {
        **image.layout(),
        "base": "debian",
        "engine_name": engine,
        "engine_version": found.version,
        "engine_binary": str(found.binary),
        "engine_sha256": found.sha256,
        "engine_provenance": dict(found.provenance),
    }


def part(name: str, root: Path, given: dict[str, Any]) -> Played:
    """Play the tasks of one file of the role in the tree `root`."""
    return play(root, {**given, "part": name}, Path(__file__).with_name("part.yml"))


def play(
    root: Path, given: dict[str, Any], playbook: Path = ANSIBLE / "image.yml"
) -> Played:
    """Play a playbook in the tree `root`."""
    with tempfile.TemporaryDirectory() as folder:
        named = Path(folder, "variables.json")
        named.write_text(json.dumps(given))
        words = ["-i", "image,", "-c", "chrootdir", "-e", f"ansible_chroot_dir={root}"]
        done = subprocess.run(
            [_PLAYBOOK, *words, "-e", f"@{named}", playbook],
            env={
                "PATH": os.environ["PATH"],
                "HOME": folder,
                "ANSIBLE_CONFIG": str(ANSIBLE / "ansible.cfg"),
                "ANSIBLE_HOME": folder,
                "ANSIBLE_NOCOLOR": "1",
                "LC_ALL": "C.UTF-8",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_LIMIT_S,
            check=False,
        )
    changed = re.search(r"changed=(\d+)", done.stdout)
    return Played(done.returncode == 0, int(changed[1]) if changed else 0, done.stdout)
