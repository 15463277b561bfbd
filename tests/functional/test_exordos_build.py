"""The element by the platform's own `exordos build`."""

import json
import subprocess

import pytest
from s3aas_element import image_files

from tests import exordos_build

pytestmark = [pytest.mark.smoke, pytest.mark.stand]


def test_the_platforms_own_command_builds_the_element(given, tmp_path):
    pack = ["zstd", "-q", "--stdout"]
    disk = bytes(1 << 20)
    packed = subprocess.run(pack, input=disk, capture_output=True, check=True).stdout

    out = exordos_build.run(given.cli, tmp_path, packed)

    [inventory] = out.rglob("s3aas/*/inventory.json")
    about = json.loads(inventory.read_text())
    assert about["images"] == [image_files.FILE]
    assert about["artifacts"] == ["openapi.json"]
