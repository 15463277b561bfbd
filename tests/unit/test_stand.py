"""The stand's own rules: what it is made from, and who can get at it."""

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from exordos_paas_storage.domain import errors
from tests.stand import __main__ as commands
from tests.stand import elements as installed
from tests.stand import host, offers, origin, places

WORKFLOW = places.ROOT / ".github" / "workflows" / "ci.yml"


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """A small tree in the place of ours, and a stand's folder that is empty."""
    for name in ("exordos_paas_storage/api.py", "tests/stand/up.py", "pyproject.toml"):
        file = tmp_path / "tree" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("as it was\n")
    monkeypatch.setattr(places, "ROOT", tmp_path / "tree")
    monkeypatch.setattr(places, "READY", tmp_path / "ready")
    monkeypatch.delenv("STAND_ENGINE", raising=False)
    return tmp_path / "tree"


@pytest.fixture
def ups(tree, monkeypatch):
    """How often a stand was made; it runs, and takes no time."""
    found = []

    def up(say, *, iam_cache):
        found.append(iam_cache)
        origin.remember(origin.wanted(iam_cache=iam_cache))

    monkeypatch.setattr(commands.steps, "up", up)
    monkeypatch.setattr(host, "running", lambda: bool(found))
    return found


def call(*words):
    answer = CliRunner().invoke(commands.main, words)
    assert answer.exit_code == 0, answer.output
    return answer.output


def test_a_stand_of_the_same_tree_is_left_as_it_is(ups):
    call("up")
    call("up")

    assert ups == [False]


@pytest.mark.parametrize(
    "name", ["exordos_paas_storage/api.py", "tests/stand/up.py", "pyproject.toml"]
)
def test_a_stand_of_another_tree_is_made_anew(ups, tree, name):
    call("up")
    (tree / name).write_text("changed\n")

    assert "another tree" in call("up")
    assert len(ups) == 2


def test_a_new_file_and_a_new_name_are_another_tree(ups, tree):
    call("up")
    file = tree / "exordos_paas_storage" / "more.py"
    file.write_text("")
    call("up")
    file.rename(file.with_name("other.py"))
    call("up")

    assert len(ups) == 3


def test_what_python_writes_beside_the_sources_is_no_change(ups, tree):
    call("up")
    cache = tree / "exordos_paas_storage" / "__pycache__"
    cache.mkdir()
    (cache / "api.pyc").write_bytes(b"1")
    call("up")

    assert len(ups) == 1


def test_another_engine_or_option_makes_it_anew(ups, monkeypatch):
    call("up")
    assert "another IAM cache" in call("up", "--iam-cache")
    monkeypatch.setenv("STAND_ENGINE", "rustfs")
    assert "another engine" in call("up", "--iam-cache")

    assert ups == [False, True, True]


def test_a_stand_that_was_offered_a_version_is_made_anew(ups, monkeypatch):
    """An upgrade leaves another version of the service on it."""
    call("up")
    monkeypatch.setattr(host, "inside", list)
    monkeypatch.setattr(offers, "add", Path)
    monkeypatch.setattr(commands.secretbook, "read", lambda: None)
    monkeypatch.setattr(installed, "refresh_offers", lambda secrets: None)
    call("wheel", "9.9.9")

    call("up")

    assert len(ups) == 2


def test_a_stand_that_does_not_say_what_it_is_of_is_made_anew(ups):
    call("up")
    places.READY.write_text("")

    call("up")

    assert len(ups) == 2


def test_a_folder_that_services_cant_reach_is_told_with_what_to_do(
    tmp_path, monkeypatch
):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o750)
    monkeypatch.setattr(places, "STATE", closed / "stand")

    with pytest.raises(
        errors.SetupError, match=f"{closed} is closed.*EXORDOS_STAND_DIR"
    ):
        places.check_reachable()


def test_githubs_job_keeps_the_stand_out_of_the_runners_closed_home():
    """And its logs, which are for root alone, are opened before they are uploaded."""
    job = yaml.safe_load(WORKFLOW.read_text())["jobs"]["functional"]
    folder = job["env"]["EXORDOS_STAND_DIR"]
    assert folder.startswith("/var/")
    for step in job["steps"]:
        if " make " in step.get("run", ""):
            assert "EXORDOS_STAND_DIR" in step["run"], json.dumps(step)
    (opening,) = [one for one in job["steps"] if "chmod" in one.get("run", "")]
    (upload,) = [one for one in job["steps"] if "upload" in one.get("uses", "")]
    assert job["steps"].index(opening) < job["steps"].index(upload)
    assert opening["if"] == upload["if"] == "failure()"
    assert upload["with"]["path"] == "${{ env.EXORDOS_STAND_DIR }}/logs"
