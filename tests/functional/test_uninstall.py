"""The guide's way of taking the service off a platform, and of bringing it back."""

import json

import psycopg
import pytest

from exordos_paas_storage.domain import access
from tests import tenants
from tests.functional import elements, environment
from tests.service import made

pytestmark = [pytest.mark.stand, pytest.mark.timeout(900)]

TIMES_S = 180.0


class Service(elements.Element):
    """The element `s3aas`, which comes from its repository and never from a file."""

    def __init__(self, run, platform, folder):
        super().__init__(run, platform, folder, "name: s3aas")
        self.manifest["version"] = self.shown()["version"]

    def begin(self):
        if self.shown() is None:
            self._cli("ee", "install", self.name, "-v", self.manifest["version"])


@pytest.fixture(scope="module")
def service(live, run, tmp_path_factory):
    """The service's own element, which is there again after these tests."""
    found = Service(run, live.core, tmp_path_factory.mktemp("service"))
    yield found
    found.install()


@pytest.fixture
def user_of_it(run, live, tmp_path):
    """An element that requires the service, and has nothing in it."""
    text = elements.manifest(made.unique("e").removeprefix("e-")) | {"resources": {}}
    found = elements.Element(run, live.core, tmp_path, json.dumps(text))
    found.begin()
    made.until(found.shown, TIMES_S, f"{found.name} is there")
    yield found
    found.uninstall()


def role_is_there(live, role):
    return live.core.find(f"iam/roles/{role}") is not None


def test_it_stays_while_an_element_requires_it(run, service, user_of_it):
    status, said = run.told("ee", "uninstall", "--yes", service.name)

    assert status != 0, said
    assert service.shown()["status"] == "ACTIVE"


def test_it_goes_but_for_a_role_that_somebody_has(accounts, api, live, service):
    """As the guide has it, with one binding forgotten."""
    operator, viewer = live.role(access.OPERATOR), live.role(access.VIEWER)
    for project in {account.project for account in accounts.values()}:
        live.drop_instances(project)
    live.drop_bindings(role=viewer)

    service.uninstall()

    made.until(lambda: not role_is_there(live, viewer), TIMES_S, "the viewer is gone")
    assert role_is_there(live, operator)
    live.drop_bindings(role=operator)
    made.until(lambda: not role_is_there(live, operator), TIMES_S, "the operator, too")
    # The wheel still answers, and nobody has a right any more.
    for path in ("/instances", "/versions"):
        made.refused(api.get(path), 403, "Forbidden", "token")


def test_installed_again_it_goes_on_with_its_tables(
    client, given, new_instance, service
):
    url = given.needs(environment.DATABASE, given.database)
    with psycopg.connect(url) as connection:
        (types,) = connection.execute(
            "SELECT count(*) FROM metapaas_paas_types WHERE name = 's3'"
        ).fetchone()
        (table,) = connection.execute(
            "SELECT to_regclass('s3aas_instances')::text"
        ).fetchone()
    assert (types, table) == (0, "s3aas_instances")

    service.install()

    found = tenants.Place(client, new_instance(bucket_name="again")["name"])
    assert found.key(found.user()).gets() == tenants.DONE
