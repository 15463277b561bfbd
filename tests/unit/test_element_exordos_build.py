"""`packer_shim/exordos-build`: the element by the platform's own command."""

import sys
from pathlib import Path

from tests import exordos_build

ROOT = Path(__file__).parents[2]
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


def output():
    """What lies in the checkout's own folder of built things."""
    found = (ROOT / "output").rglob("*")
    return {str(each): each.stat().st_mtime_ns for each in found}


def test_everything_that_the_command_reads_is_made_before(tmp_path):
    command = tmp_path / "exordos"
    command.write_text(COMMAND)
    command.chmod(0o755)
    document = ROOT / "build/docs/openapi.json"
    written = document.stat().st_mtime_ns if document.exists() else 0
    before = output()

    exordos_build.run(command, tmp_path)

    rendered = ROOT / "build/exordos-build/manifests/s3aas.yaml.j2"
    assert 'engine: "minio"' in rendered.read_text()
    assert document.stat().st_mtime_ns > written
    assert output() == before
