"""`exordos-storage iam …` and `engine …` against a running service."""

import uuid
from pathlib import Path

import pytest

from exordos_paas_storage.client import http
from exordos_paas_storage.domain import access
from tests import box, engines

PASSWORD = "correct horse battery staple"
NO_PROJECT = uuid.UUID(int=7)

# Who may do what does not depend on the engine.
pytestmark = pytest.mark.parametrize("service", engines.available()[:1], indirect=True)


@pytest.fixture
def project(service):
    """A project of the test's own."""
    return service.did("iam", "project", "add", f"p-{uuid.uuid4().hex[:8]}").strip()


@pytest.fixture
def password_file(tmp_path):
    file = tmp_path / "password"
    file.write_text(PASSWORD + "\n")
    return file


@pytest.fixture
def add(service, password_file):
    """Make a user by the command; a client with its token."""

    def added(role, project):
        name = f"{role}-{uuid.uuid4().hex[:8]}"
        words = ("--role", role, "--project", project)
        said = service.did(
            "iam", "user", "add", name, *words, f"--password-file={password_file}"
        )
        assert name in said and PASSWORD not in said
        return name, client_of(service, name, project)

    return added


def client_of(service, name, project):
    login = http.Login(name, PASSWORD, project)
    return http.Client(service.facts()["api_url"], login)


def refused(code, call, *arguments):
    """Assert that the API refuses a call with an HTTP code."""
    with pytest.raises(http.ApiRefused) as error:
        call(*arguments)
    assert error.value.code == code
    return error.value


def test_a_viewer_reads_and_writes_nothing(service, add):
    facts = service.facts()
    _, viewer = add(access.VIEWER, facts["project_id"])

    assert viewer.get("/instances/demo")["status"] == "ACTIVE"
    assert viewer.get("/instances/demo/users/demo/access-keys")
    refused(403, viewer.create, "/instances", {"name": "mine"})
    refused(403, viewer.update, "/instances/demo", {"description": "mine"})
    refused(403, viewer.delete, "/instances/demo")
    refused(403, viewer.create, "/instances/demo/buckets", {"name": "mine"})
    refused(403, viewer.create, "/instances/demo/users/demo/access-keys", {})
    refused(403, viewer.delete, "/instances/demo/buckets/demo-bucket")
    assert service.client().get("/instances/demo")["description"] != "mine"


def test_an_operator_makes_no_keys(service, add):
    _, operator = add(access.OPERATOR, service.facts()["project_id"])

    refused(403, operator.create, "/instances/demo/users/demo/access-keys", {})
    operator.update("/instances/demo", {"labels": {"by": "operator"}})


def test_an_owner_sees_its_own_project_alone(service, add, project):
    _, owner = add(access.OWNER, project)

    assert owner.get("/instances") == []
    refused(404, owner.get, "/instances/demo")
    refused(404, owner.get, f"/instances/{service.facts()['demo']['instance_id']}")
    owner.create("/instances", {"name": "demo"})
    found = owner.wait_active("/instances/demo", box.ACTIVE_S)
    assert found["project_id"] == project
    assert "demo" in [one["name"] for one in service.client().get("/instances")]
    box.removed(owner, "/instances/demo")
    assert service.client().get("/instances/demo")["status"] == "ACTIVE"


def test_removing_a_user_bites_at_once(service, add):
    name, owner = add(access.OWNER, service.facts()["project_id"])
    assert owner.get("/instances")

    service.did("iam", "user", "remove", name)

    error = refused(401, owner.get, "/instances")
    assert error.kind
    again = client_of(service, name, service.facts()["project_id"])
    refused(400, again.get, "/instances")
    assert name not in service.did("iam", "user", "list")


def test_a_new_role_bites_at_once(service, add, project):
    name, user = add(access.VIEWER, project)
    refused(403, user.create, "/instances", {"name": ""})

    service.did("iam", "role", "set", name, "--role=owner", f"--project={project}")

    refused(400, user.create, "/instances", {"name": ""})
    service.did("iam", "role", "set", name, "--role=viewer", f"--project={project}")
    refused(403, user.create, "/instances", {"name": ""})


def test_a_role_counts_in_its_project_only(service, add, project):
    name, _ = add(access.OWNER, project)
    other = client_of(service, name, service.facts()["project_id"])

    refused(403, other.get, "/instances")


def test_users_and_projects_are_listed(service, add, project):
    name, _ = add(access.OPERATOR, project)
    default = service.facts()["project_id"]

    users = service.did("iam", "user", "list").splitlines()
    projects = service.did("iam", "project", "list").splitlines()

    assert f"{name} operator {project}" in users
    assert f"admin owner {default}" in users
    assert f"{default} default" in projects
    assert project in [line.split()[0] for line in projects]


def test_a_project_may_be_given_its_id(service):
    wanted = str(uuid.uuid4())
    name = f"p-{wanted[:8]}"

    assert service.did("iam", "project", "add", name, f"--id={wanted}") == wanted + "\n"

    assert f"{wanted} {name}" in service.did("iam", "project", "list")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("user", "remove", "nobody-here"), "user: "),
        (("project", "add", "twice", "--id={default}"), "taken"),
        (
            ("role", "set", "nobody-here", "--role=owner", "--project={default}"),
            "does not exist",
        ),
        (
            ("role", "set", "admin", "--role=owner", f"--project={NO_PROJECT}"),
            "does not exist",
        ),
    ],
)
def test_a_mistake_is_one_line_and_exit_1(service, words, says):
    default = service.facts()["project_id"]

    answer = service.run("iam", *(word.format(default=default) for word in words))

    assert answer.returncode == 1, answer.stdout
    assert answer.stderr.startswith("exordos-storage: ")
    assert answer.stderr.count("\n") == 1
    assert says in answer.stderr


def test_a_user_name_is_taken_once(service, add, password_file):
    project = service.facts()["project_id"]
    name, _ = add(access.VIEWER, project)

    answer = service.run(
        *("iam", "user", "add", name, "--role=owner", f"--project={project}"),
        f"--password-file={password_file}",
    )

    assert answer.returncode == 1
    assert answer.stderr == "exordos-storage: name: is taken\n"
    assert f"{name} viewer {project}" in service.did("iam", "user", "list")


def test_iam_needs_a_running_service(service, new_box):
    answer = new_box().run("iam", "user", "list")

    assert answer.returncode == 1
    assert answer.stderr.count("\n") == 1
    assert "exordos-storage up" in answer.stderr


def test_engines_at_hand_are_listed(service):
    found = service.facts()["engine"]

    answer = service.run_plain("engine", "list")

    lines = [line.split() for line in answer.stdout.splitlines()]
    assert [found["name"], found["version"]] in [line[:2] for line in lines]
    assert all(Path(line[2]).is_file() for line in lines)
