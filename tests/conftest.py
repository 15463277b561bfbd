"""Says in every run which RustFS it ran against, if any."""

import subprocess

from tests import engines


def pytest_report_header(config):
    program = engines.binary("rustfs")
    if program is None:
        return "RustFS: not run"
    answer = subprocess.run(
        [program, "--version"], capture_output=True, text=True, check=False
    )
    said = (answer.stdout + answer.stderr).strip().splitlines() or ["(no version)"]
    return f"RustFS: {said[0]}"
