"""What `make` and `.ci/run` do with what was built here before."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def checkout(tmp_path):
    """A folder with our Makefile, where everything is installed and calls are noted."""
    (tmp_path / "Makefile").write_text((ROOT / "Makefile").read_text())
    (tmp_path / "exordos").mkdir()
    for name in ("pyproject.toml", "exordos/platform-requirements.txt"):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (0, 0))
    for venv, stamps in (
        (".venv", ("onebox.stamp", "test.stamp")),
        (".venv-platform", ("platform.stamp",)),
    ):
        python = tmp_path / venv / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text('#!/bin/sh\necho "[$EXORDOS_STAND_DIR] $*" >> calls\n')
        python.chmod(0o755)
        for seconds, stamp in enumerate(stamps, 1):
            (tmp_path / venv / stamp).touch()
            os.utime(tmp_path / venv / stamp, (seconds, seconds))
    return tmp_path


def make(folder, *words, **environ):
    done = subprocess.run(
        ["make", "-C", str(folder), *words],
        # What a `make` around this test run was told is not for this one.
        env={**os.environ, "MAKEFLAGS": "", **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    calls = folder / "calls"
    return calls.read_text() if calls.exists() else ""


def test_checking_manifests_changes_nothing_that_was_built(checkout):
    called = make(checkout, "manifests-check")

    assert "manifests --output build/check " in called
    assert "build/check/manifests/*.yaml" in called
    assert "output/manifests" not in called


def test_the_built_manifests_are_checked_as_they_are(checkout):
    called = make(checkout, "manifests-check", "MANIFESTS=output/manifests")

    [checked] = [line for line in called.splitlines() if "manifest_check" in line]
    assert checked.endswith(" output/manifests/*.yaml")


def test_ci_builds_elsewhere_than_what_may_be_served():
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    builds = [line for line in lines if re.match(r"make .* build\b", line)]

    assert builds
    assert all('ARGS="--output build/' in line for line in builds)


def test_cleaning_stops_a_stand_first_and_leaves_what_may_be_served(checkout):
    for file in ("build/stand/run/host.json", "output/repository/x", "dist/y"):
        (checkout / file).parent.mkdir(parents=True)
        (checkout / file).touch()
    called = make(checkout, "clean", "ARGS=--x", EXORDOS_STAND_DIR="/another")

    assert called == "[] -m tests.stand down\n"
    assert sorted(each.name for each in checkout.iterdir() if each.is_dir()) == [
        "exordos",
        "output",
    ]
    assert (checkout / "output/repository/x").exists()


def test_cleaning_where_no_stand_runs_needs_nothing(checkout):
    (checkout / "build").mkdir()
    assert make(checkout, "clean") == ""
    assert not (checkout / "build").exists()
