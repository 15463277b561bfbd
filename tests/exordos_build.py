"""Runs `packer_shim/exordos-build` on an image that is made up."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

from s3aas_element import image_files

ROOT = Path(__file__).parents[1]


def run(command: Path, folder: Path, disk: bytes = b"", sources: Path = ROOT) -> Path:
    """The repository that the script makes, with the checksum of its image looked at.

    Args:
        command: the platform's command line.
        folder: gets the repository, and the image before.
        disk: content of the packed image.
        sources: a checkout; the script writes into its `build`.
    """
    prebuilt, out = folder / "prebuilt", folder / "out"
    prebuilt.mkdir()
    (prebuilt / image_files.FILE).write_bytes(disk)
    about = {"engine": {"name": "minio", "version": "7"}}
    (prebuilt / image_files.ABOUT).write_text(json.dumps(about))
    environ = {
        **os.environ,
        "PYTHON": sys.executable,
        "EXORDOS": str(command),
        "PREBUILT_DIR": str(prebuilt),
        "OUT": str(out),
        "HOME": str(prebuilt),
    }
    done = subprocess.run(
        [sources / "exordos" / "packer_shim" / "exordos-build"],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    [image] = out.rglob("*.raw.zst")
    told = image.with_name(f"{image.name}.SHA256SUM").read_text().split()
    assert told == [hashlib.sha256(image.read_bytes()).hexdigest(), f"./{image.name}"]
    return out
