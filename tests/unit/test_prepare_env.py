"""`prepare_env.py`: what it is told, what it does with a platform, what it leaves."""

import shlex

import httpx
import pytest
from click.testing import CliRunner

import prepare_env
from exordos_paas_storage.domain import errors

REPOSITORY = "http://10.20.0.1:8081"
VERSION = "7.1.0"
FLAGS = ("--metapaas-dir", "--project-dir", "--output-dir", "--endpoint", "--username")
FLAGS += ("--admin", "--password", "--wait-timeout", "--service-url")


class Core:
    """Core, as far as it is asked; one for all runs of a test.

    Attributes:
        elements: their statuses by their names.
    """

    url = "http://core/api/core"

    def __init__(self):
        self.elements, self.users = {"metapaas": "ACTIVE"}, {}
        self.fails = None

    def list(self, collection, **fields):
        if self.fails:
            raise self.fails
        if collection == "em/elements":
            status = self.elements.get(fields["name"])
            return [{"status": status}] if status else []
        return [name for name in self.users if name == fields["username"]]

    def make(self, collection, **fields):
        assert collection == "iam/users"
        self.users[fields["username"]] = fields["password"]


class World:
    """What lies around `prepare_env.py`, and what it was asked for."""

    def __init__(self):
        self.core, self.calls = Core(), []

    def cli(self, program, home, endpoint, admin, left_s):
        self.calls.append(("cli", program, endpoint, admin))
        self.left_s = left_s
        return self

    def told(self, *words):
        raise AssertionError("the installation is not tried here")

    def __call__(self, *words):
        self.calls.append(words)
        self.core.elements["metapaas"] = "ACTIVE"

    def install(self, run, served_at, version, within_s, look):
        self.calls.append(("install", served_at, version))

    def build(self, *arguments):
        self.calls.append(("build", *arguments))

    def answer(self, address, timeout):
        self.calls.append(("asked", address))
        return httpx.Response(401, json={"type": "Unauthorized"})

    def named(self, name):
        return [call for call in self.calls if call[0] == name]


@pytest.fixture
def world(monkeypatch, tmp_path):
    found = World()
    monkeypatch.chdir(tmp_path)
    for name in ("EXORDOS_USERNAME", "EXORDOS_S3_CP_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(prepare_env, "_POLL_S", 0.0)
    monkeypatch.setattr(prepare_env, "_build", found.build)
    monkeypatch.setattr(prepare_env.core, "Core", lambda *arguments: found.core)
    monkeypatch.setattr(prepare_env.cli, "Cli", found.cli)
    monkeypatch.setattr(prepare_env.install, "install", found.install)
    monkeypatch.setattr(prepare_env.httpx, "get", found.answer)
    return found


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    """A checkout with a release of its own, in the place of this one."""
    folder = tmp_path / "checkout"
    manifest = folder / "output" / "manifests" / "s3aas.yaml"
    manifest.parent.mkdir(parents=True)
    manifest.write_text(f'version: "{VERSION}"\n')
    [option] = [each for each in prepare_env.main.params if each.name == "project_dir"]
    monkeypatch.setattr(option, "default", folder)
    return folder


def run(*words, endpoint="http://core:11010"):
    words = ["--endpoint", endpoint, "--password", "secret", *map(str, words)]
    words += ["--repository", REPOSITORY]
    return CliRunner().invoke(prepare_env.main, words)


def read(file):
    lines = [shlex.split(line)[0] for line in file.read_text().splitlines()]
    return dict(line.split("=", 1) for line in lines)


def said(done):
    """What a run that failed said; a traceback is no answer."""
    assert done.exit_code == 1
    assert isinstance(done.exception, SystemExit), done.exception
    return done.output


def test_the_promised_flags_are_there():
    text = CliRunner().invoke(prepare_env.main, ["--help"]).output

    assert [flag for flag in FLAGS if f"{flag} " not in text.replace(",", " ")] == []


def test_a_platform_is_prepared_and_told_in_a_file(world, tmp_path):
    done = run("--output-dir", tmp_path / "made", "--service-url", "http://cp:8080")

    file = tmp_path / "made" / "functional.env"
    assert done.exit_code == 0, done.output
    assert str(file) in done.output and "secret" not in done.output
    assert file.stat().st_mode & 0o777 == 0o600
    [(name, password)] = world.core.users.items()
    assert read(file) == {
        "EXORDOS_ENDPOINT": "http://core:11010",
        "EXORDOS_USERNAME": "admin",
        "EXORDOS_PASSWORD": "secret",
        "METAPAAS_USERNAME": name,
        "METAPAAS_PASSWORD": password,
        "EXORDOS_S3_CP_URL": "http://cp:8080",
    }
    assert world.named("install") == [("install", REPOSITORY, VERSION)]
    assert world.named("asked") == [("asked", f"http://cp:8080{prepare_env.VERSIONS}")]


def test_a_second_run_keeps_the_tenant_and_closes_the_file_again(world, tmp_path):
    run("--output-dir", tmp_path)
    file = tmp_path / "functional.env"
    before, users = read(file), dict(world.core.users)
    file.chmod(0o644)

    done = run("--output-dir", tmp_path)

    assert done.exit_code == 0, done.output
    assert (read(file), world.core.users) == (before, users)
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_tenant_that_the_platform_does_not_know_is_made_anew(world, tmp_path):
    run("--output-dir", tmp_path)
    world.core.users.clear()

    run("--output-dir", tmp_path)

    name = read(tmp_path / "functional.env")["METAPAAS_USERNAME"]
    assert list(world.core.users) == [name]


def test_nothing_is_built_where_that_is_asked_for(world):
    run("--no-build")

    assert world.named("build") == []


def test_another_checkouts_release_is_what_is_installed(world, tmp_path):
    manifest = tmp_path / "other" / "output" / "manifests" / "s3aas.yaml"
    manifest.parent.mkdir(parents=True)
    manifest.write_text('version: "7.2.0"\n')

    run("--project-dir", tmp_path / "other")

    assert world.named("install") == [("install", REPOSITORY, "7.2.0")]
    assert [call[1] for call in world.named("build")] == [tmp_path / "other"]


def test_a_checkout_that_was_not_built_is_told(world, tmp_path):
    told = said(run("--no-build", "--project-dir", tmp_path))

    assert "leave out --no-build" in told and world.named("install") == []


def test_a_missing_host_is_installed_from_what_was_built(world, tmp_path):
    world.core.elements.clear()
    manifest = tmp_path / "built" / "manifests" / "metapaas.yaml"
    manifest.parent.mkdir(parents=True)
    manifest.touch()

    done = run("--metapaas-dir", tmp_path / "built")

    assert done.exit_code == 0, done.output
    assert world.named("ee") == [("ee", "install", str(manifest))]


def test_a_missing_host_is_told(world, tmp_path):
    world.core.elements.clear()

    assert "--metapaas-dir" in said(run())
    assert "was it built?" in said(run("--metapaas-dir", tmp_path))


def test_a_core_that_goes_away_is_told(world):
    world.core.fails = httpx.ConnectError("connection refused")

    assert "Core does not answer: connection refused" in said(run())


@pytest.mark.parametrize("error", [AssertionError("no such"), errors.SetupError("no")])
def test_what_the_installation_says_is_told(world, monkeypatch, error):
    def fails(*arguments):
        raise error

    monkeypatch.setattr(prepare_env.install, "install", fails)

    assert str(error) in said(run())


def test_the_wait_ends_and_says_for_what(world):
    world.core.elements["metapaas"] = "IN_PROGRESS"

    told = said(run("--wait-timeout", "1"))

    assert "not in 1 s (--wait-timeout): the element metapaas is ACTIVE" in told


def test_the_time_is_for_all_waits_together(world, monkeypatch):
    """What one wait has taken, the next ones don't have."""
    clock, given = [0.0], []
    monkeypatch.setattr(prepare_env.time, "monotonic", lambda: clock[0])

    def slow(run, served_at, version, within_s, look):
        given.append(within_s)
        clock[0] += 7.0

    def silent(address, timeout):
        clock[0] += 2.0
        raise httpx.ConnectError("refused")

    monkeypatch.setattr(prepare_env.install, "install", slow)
    monkeypatch.setattr(prepare_env.httpx, "get", silent)

    told = said(run("--wait-timeout", "10"))

    assert given == [10.0]
    assert world.left_s() == 0.0
    assert "not in 10 s" in told and prepare_env.VERSIONS in told
    assert clock[0] == 11.0
