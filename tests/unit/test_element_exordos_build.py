"""`packer_shim/exordos-build`: the element by the platform's own command."""

import shutil
import sys

import pytest

from tests import exordos_build

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
def sources(tmp_path):
    """What the script reads of a checkout; somebody may be building in this one."""
    copy = tmp_path / "checkout"
    for folder in ("exordos", "exordos_paas_storage", "tests/docs"):
        shutil.copytree(exordos_build.ROOT / folder, copy / folder)
    return copy


def test_everything_that_the_command_reads_is_made_before(tmp_path, sources):
    command = tmp_path / "exordos"
    command.write_text(COMMAND)
    command.chmod(0o755)

    exordos_build.run(command, tmp_path, sources=sources)

    rendered = sources / "build/exordos-build/manifests/s3aas.yaml.j2"
    assert 'engine: "minio"' in rendered.read_text()
    assert (sources / "build/docs/openapi.json").exists()
    assert not (sources / "output").exists()
