"""The route tree inside the application of MetaPaaS: what its likeness shows is so.

The plugin is found as the platform finds it, by its entry point.
"""

import pytest
from exordos_metapaas import registry
from exordos_metapaas.user_api.api import app, routes

from exordos_paas_storage.iam import driver
from exordos_paas_storage.plugin import place
from tests.service import made
from tests.service.test_under_metapaas import *  # noqa: F403 - the same tests
from tests.service.test_under_metapaas import resource_map


@pytest.fixture(scope="module")
def middleware():
    return "platform"


@pytest.fixture(scope="module")
def home(callers, issued_by):
    with resource_map():
        routes.invalidate_plugin_cache()
        local = driver.LocalDriver(issued_by)
        with made.client_of(app.build_wsgi_application(local)) as client:
            yield client


def test_the_platform_finds_the_plugin():
    found = registry.discover_paas()["s3"]

    assert found.element_name == "s3aas"
    assert found.get_migrations_path() == str(place.migrations())
