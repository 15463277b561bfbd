"""Says in every run which RustFS it ran against, if any, and what was measured."""

import subprocess

import hypothesis
import pytest

from tests import engines, figures

# What Hypothesis 6.170 does by itself in CI (its profile `ci`), here everywhere:
# neither chance nor a busy machine makes a test fail.
hypothesis.settings.register_profile(
    "tests",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("tests")


def pytest_report_header(config):
    program = engines.binary("rustfs")
    if program is None:
        return "RustFS: not run"
    answer = subprocess.run(
        [program, "--version"], capture_output=True, text=True, check=False
    )
    said = (answer.stdout + answer.stderr).strip().splitlines() or ["(no version)"]
    return f"RustFS: {said[0]}"


def pytest_sessionfinish(session):
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["figures"] = figures.kept()


def pytest_configure(config):
    if hasattr(config, "workerinput"):
        from tests import lanes  # noqa: PLC0415 - pytest-xdist is not everywhere

        if lanes.own_networks():
            lanes.enter_own_network()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    from tests import lanes  # noqa: PLC0415 - pytest-xdist is not everywhere

    return lanes.Lanes(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    figures.add(*getattr(node, "workeroutput", {}).get("figures", ([], {})))


def pytest_terminal_summary(terminalreporter):
    lines = list(figures.shown())
    if lines:
        terminalreporter.section(
            "measured (times: from the API's answer to the effect)"
        )
    for line in lines:
        terminalreporter.write_line(line)
