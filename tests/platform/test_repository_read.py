"""The repository and the index that are built, before the platform's own readers."""

import contextlib
import functools
import hashlib
import http.server
import shutil
import subprocess
import sys
import threading
import urllib.request
import uuid
import zipfile
from pathlib import Path

import pytest
import yaml
from exordos_core.repo.dm import models as repo_models
from exordos_core.repo.drivers import nginx
from exordos_metapaas.dm import models as metapaas_models
from exordos_metapaas.services import plugin_reconciler
from s3aas_element import (
    image_files,
    package_index,
    render,
    repository,
    urns,
    wheel,
)

from exordos_paas_storage.plugin import place
from tests.docs.__main__ import specification
from tests.platform.test_manifests_check import rendered


@pytest.fixture
def served(tmp_path):
    """A repository of one release behind a plain web server; its address."""
    content = b"a disk"
    image, checksum = tmp_path / image_files.FILE, tmp_path / image_files.CHECKSUM
    image.write_bytes(content)
    checksum.write_text(f"{hashlib.sha256(content).hexdigest()}  {image.name}\n")
    document = tmp_path / "openapi.json"
    document.write_text(specification())
    elements = [
        repository.Element(
            name,
            "1.2.3",
            yaml.safe_dump(data),
            images=[image] if name == place.ELEMENT else [],
            beside=[checksum] if name == place.ELEMENT else [],
            artifacts=[document] if name == place.ELEMENT else [],
        )
        for name, data in rendered().items()
    ]
    repository.write(elements, tmp_path / "served")
    package_index.publish(a_wheel(tmp_path, "1.2.3"), tmp_path / "served" / "simple")
    with serving(tmp_path / "served") as address:
        yield address


@contextlib.contextmanager
def serving(folder):
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    handler = functools.partial(Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def a_wheel(folder, version):
    """The smallest wheel that an installer takes."""
    name = f"exordos_paas_storage-{version}"
    about = {
        "METADATA": "Metadata-Version: 2.1\nName: exordos-paas-storage\n"
        f"Version: {version}\nProvides-Extra: metapaas\n",
        "WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\n"
        "Tag: py3-none-any\n",
    }
    file = folder / f"{name}-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as archive:
        for part, text in about.items():
            archive.writestr(f"{name}.dist-info/{part}", text)
        archive.writestr(
            f"{name}.dist-info/RECORD",
            "".join(f"{name}.dist-info/{part},,\n" for part in (*about, "RECORD")),
        )
    return wheel.read(file)


def driver(address):
    """Core's own reader; no database is asked."""
    spec = repo_models.NginxDriverSpec(url=f"{address}exordos-elements/")
    asked = repo_models.Repository(
        name="local", project_id=uuid.UUID(int=0), driver_spec=spec
    )
    found = nginx.NginxProxyRepoDriver(asked)
    asked.load_driver = lambda: found
    return found


def test_core_reads_the_repository(served):
    found = driver(served)

    listed = found.get_inventory()["elements"]
    assert {name: list(each) for name, each in listed.items()} == {
        name: ["1.2.3"] for name in render.ELEMENTS
    }
    for name in listed:
        element, _ = found.get_element(name, "1.2.3")
        assert element.manifest == rendered()[name]


def test_core_finds_the_image_that_the_version_names_and_its_checksum(served):
    element, artifacts = driver(served).get_element("s3aas", "1.2.3")
    [offer] = element.manifest["resources"]["$s3aas.types.s3.versions"].values()

    [image] = [each for each in artifacts if each.urn == offer["image"]]
    with urllib.request.urlopen(image.uri) as answer:
        digest = hashlib.sha256(answer.read()).hexdigest()
    with urllib.request.urlopen(f"{image.uri}.SHA256SUM") as answer:
        assert answer.read().decode().split()[0] == digest
    assert offer["image"] == urns.image("s3aas", "1.2.3", image_files.FILE)


def test_uv_installs_what_metapaas_asks_for(served):
    """The very words of its reconciler; without dependencies, as those are not here."""
    [given] = rendered()["s3aas"]["resources"]["$metapaas.types"].values()
    plugin = metapaas_models.PaaSType.restore_from_simple_view(**given)
    spec = plugin_reconciler.PluginReconciler._spec(None, plugin)
    uv = shutil.which("uv", path=str(Path(sys.executable).parent))
    assert uv, "uv is missing: it is in exordos/platform-requirements.txt"
    command = [uv, "pip", "install", "--python", sys.executable, "--dry-run"]
    command += ["--no-deps", "--no-config", "--default-index", f"{served}simple/", spec]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert "+ exordos-paas-storage==1.2.3" in done.stderr
