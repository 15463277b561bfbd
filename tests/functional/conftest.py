"""A live platform, the users of one run, and the instance that most tests share."""

from __future__ import annotations

import dataclasses
from typing import Any

import httpx
import pytest

from exordos_paas_storage.domain import access
from tests import tenants
from tests.functional import cli, elements, environment, platform, stand
from tests.service import made

INSTANCE_S = 240.0
EXAMPLE = {
    "version": "0.0.1",
    "bucket_name": "data-bucket",
    "encryption": "aes256",
    "versioning": True,
}


@dataclasses.dataclass(frozen=True)
class Example:
    """The contract's example: what was asked, the answer, and what came of it."""

    body: dict[str, Any]
    answer: httpx.Response
    shown: dict[str, Any]

    @property
    def at(self) -> str:
        return f"/instances/{self.shown['name']}"


# These take away what others work with.
LAST = ["test_shipped", "test_uninstall"]


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: [item.path.stem == name for name in reversed(LAST)])
    reason = environment.no_stand()
    for item in items if reason else []:
        if item.get_closest_marker("stand"):
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def given():
    return environment.read()


@pytest.fixture(scope="session")
def live(given):
    """The platform; what the run makes there is removed at its end."""
    with platform.Platform(given) as found:
        yield found


@pytest.fixture(scope="session")
def accounts(live):
    """Every role in two projects: `accounts["one", "owner"]`."""
    found = {}
    for word in ("one", "two"):
        project = live.project(word)
        for role in access.ROLES:
            found[word, role] = live.account(role, project)
    found["one", "owner"] = live.tenant(found["one", "owner"].project)
    return found


@pytest.fixture(scope="session")
def callers(live, accounts):
    """The API as each of them."""
    return {who: live.api(account) for who, account in accounts.items()}


@pytest.fixture(scope="session")
def api(callers):
    """The API as the owner of the first project."""
    return callers["one", "owner"]


@pytest.fixture(scope="session")
def stranger(callers):
    """The API as the owner of the other project."""
    return callers["two", "owner"]


@pytest.fixture(scope="session")
def client(live, accounts):
    return live.client(accounts["one", "owner"])


@pytest.fixture(scope="session")
def example(api):
    """The contract's example, ACTIVE; tests leave it as it was."""
    body = {"name": made.unique("s3-data"), **EXAMPLE}
    answer = api.post("/instances", body)
    assert answer.status_code == 201, answer.text
    shown = api.wait(f"/instances/{body['name']}", deadline_s=INSTANCE_S)
    return Example(body, answer, shown)


@pytest.fixture(scope="session")
def place(client, example):
    """The same instance as tenants use it, with boto3."""
    return tenants.Place(client, example.shown["name"])


@pytest.fixture
def new_instance(api):
    """Make instances that are ACTIVE; they are removed at the end."""
    paths = []

    def make(**fields):
        name = made.unique("instance")
        paths.append(f"/instances/{name}")
        api.make("/instances", name=name, **fields)
        return api.wait(paths[-1], deadline_s=INSTANCE_S)

    yield make
    for path in paths:
        if api.get(path).status_code != 404:
            api.remove(path)
            api.wait_gone(path, INSTANCE_S)


@pytest.fixture(scope="session")
def run(given, live, tmp_path_factory):
    """The platform's stock command line."""
    home = tmp_path_factory.mktemp("home")
    return cli.Cli(given.cli, home, live.core.url, given.admin)


@pytest.fixture(scope="session")
def declared(live):
    """The API in the project of everything that elements declare."""
    return live.api(live.elements_owner(elements.PROJECT))


@pytest.fixture(scope="session")
def installed(live):
    """The version of the service's element at the beginning."""
    (found,) = live.core.list("em/elements", name="s3aas")
    return found["version"]


@pytest.fixture(scope="session")
def examples(run, live, installed, tmp_path_factory):
    """The elements that are shipped beside the service, as they are, all ACTIVE."""
    folder, found = tmp_path_factory.mktemp("examples"), {}
    for name in ("example_s3", "communal_s3"):
        text = elements.rendered(name, installed)
        found[name] = elements.Element(run, live.core, folder, text)
        assert found[name].shown() is None, f"{name} is installed: uninstall it first"
    try:
        # Both wait for machines.
        for one in found.values():
            one.begin()
        for one in found.values():
            one.wait_active()
        yield found
    finally:
        for one in found.values():
            if one.shown() is not None:
                one.uninstall()


@pytest.fixture(scope="session")
def breaker(given):
    """What kills, loses and restarts parts of the stand."""
    return stand.Stand(given.needs(environment.STAND, given.stand))
