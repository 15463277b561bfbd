"""Which functional tests run where: what breaks or looks in, on a stand alone."""

import os
import subprocess
import sys

import pytest

from tests.functional import environment
from tests.stand import places

STAND = {
    environment.STAND: "/stand/bin/stand",
    environment.DATABASE: "postgresql://stand",
    environment.LOGS: "/stand/logs",
}
# Nobody serves there, so that a test which runs fails.
NOWHERE = dict.fromkeys(environment.VARIABLES, "http://127.0.0.1:9")


def test_on_a_stand_every_test_runs():
    assert environment.no_stand(STAND) == ""


@pytest.mark.parametrize("left", STAND)
def test_a_stand_that_lacks_a_variable_is_a_stand(left):
    """So that what needs the others fails, and is not left out silently."""
    assert environment.no_stand({left: STAND[left]}) == ""


def test_tests_of_a_stand_are_skipped_elsewhere_with_the_reason():
    environ = {k: v for k, v in os.environ.items() if k not in STAND}

    answer = subprocess.run(
        [sys.executable, "-m", "pytest", "tests/functional", "-m", "stand", "-rs"],
        cwd=places.ROOT,
        env={**environ, **NOWHERE, "PY_COLORS": "0"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 0, answer.stdout
    assert environment.no_stand({}) in answer.stdout
    *_, closing = answer.stdout.splitlines()
    assert "skipped" in closing and "passed" not in closing, closing
