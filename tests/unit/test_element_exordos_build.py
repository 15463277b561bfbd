"""`packer_shim/exordos-build`: the element by the platform's own command."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from s3aas_element import image_files

from tests.stand import places

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "exordos" / "packer_shim" / "exordos-build"
# Ends with 1 where the command would: a path of exordos.yaml is missing.
COMMAND = f"""\
#!{sys.executable}
import pathlib, sys, yaml
out, top = map(pathlib.Path, sys.argv[-2:])
here = top / "exordos"
for one in yaml.safe_load((here / "exordos.yaml").read_text())["build"]["elements"]:
    scripts = [image["script"] for image in one["images"]]
    artifacts = [artifact["path"] for artifact in one["artifacts"]]
    for path in [one["manifest"], *scripts, *artifacts]:
        (here / path).read_bytes()
(out / "images").mkdir(parents=True)
(out / "images" / "node.raw.zst").write_bytes(b"a disk")
"""


@pytest.fixture
def prebuilt(tmp_path):
    """What `make image` leaves, but for the disk."""
    folder = tmp_path / "prebuilt"
    folder.mkdir()
    (folder / image_files.FILE).touch()
    about = {"engine": {"name": "minio", "version": "7"}}
    (folder / image_files.ABOUT).write_text(json.dumps(about))
    return folder


def run(command, prebuilt, out):
    environ = {
        **os.environ,
        "PYTHON": sys.executable,
        "EXORDOS": str(command),
        "PREBUILT_DIR": str(prebuilt),
        "OUT": str(out),
        "HOME": str(prebuilt),
    }
    done = subprocess.run(
        [SCRIPT], env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    [image] = out.rglob("*.raw.zst")
    told = image.with_name(f"{image.name}.SHA256SUM").read_text().split()
    assert told == [hashlib.sha256(image.read_bytes()).hexdigest(), f"./{image.name}"]


def output():
    """What lies in the checkout's own folder of built things."""
    found = (ROOT / "output").rglob("*")
    return {str(each): each.stat().st_mtime_ns for each in found}


def test_everything_that_the_command_reads_is_made_before(prebuilt, tmp_path):
    command = tmp_path / "exordos"
    command.write_text(COMMAND)
    command.chmod(0o755)
    document = ROOT / "build/docs/openapi.json"
    written = document.stat().st_mtime_ns if document.exists() else 0
    before = output()

    run(command, prebuilt, tmp_path / "out")

    rendered = ROOT / "build/exordos-build/manifests/s3aas.yaml.j2"
    assert 'engine: "minio"' in rendered.read_text()
    assert document.stat().st_mtime_ns > written
    assert output() == before


def test_the_platforms_own_command_builds_the_element(prebuilt, tmp_path):
    command, zstd = places.CLI / "bin" / "exordos", shutil.which("zstd")
    if not (command.exists() and zstd and (ROOT / ".git").exists()):
        pytest.skip("needs zstd, the stand's command line and a checkout of git")
    (prebuilt / "disk").write_bytes(bytes(1 << 20))
    packed = prebuilt / image_files.FILE
    subprocess.run([zstd, "-q", "-f", prebuilt / "disk", "-o", packed], check=True)

    run(command, prebuilt, tmp_path / "out")

    [inventory] = (tmp_path / "out").rglob("s3aas/*/inventory.json")
    about = json.loads(inventory.read_text())
    assert about["images"] == [image_files.FILE]
    assert about["artifacts"] == ["openapi.json"]
