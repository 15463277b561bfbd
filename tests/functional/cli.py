"""The platform's stock command line, with its password in a file of its own."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

PATIENCE_S = 900.0


class Cli:
    """Runs of `exordos` as an administrator.

    Args:
        program: its path or name.
        home: a folder of this run's own, which gets the settings and cached tokens.
        endpoint: Core's API with the client `default`.
        admin: name and password.
    """

    def __init__(
        self, program: str, home: Path, endpoint: str, admin: tuple[str, str]
    ) -> None:
        self._program, self._home = program, home
        context = {"user": admin[0], "password": admin[1]}
        realm = {
            "endpoint": endpoint,
            "check_updates": False,
            "contexts": {"main": context},
            "current-context": "main",
        }
        settings = {"current-realm": "suite", "realms": {"suite": realm}}
        file = home / ".exordos" / "exordosctl.yaml"
        file.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
        file.touch(mode=0o600)
        # JSON is YAML too.
        file.write_text(json.dumps(settings))

    def __call__(self, *words: str) -> str:
        """Run a command that must work; what it printed."""
        answer = self.run(*words)
        told = f"exordos {' '.join(words)}: {answer.stdout}{answer.stderr}"
        assert answer.returncode == 0, told
        return answer.stdout

    def told(self, *words: str) -> tuple[int, str]:
        """Run a command to its end: its exit status, and what it printed or why not."""
        answer = self.run(*words)
        worked = answer.returncode == 0
        return answer.returncode, answer.stdout if worked else answer.stderr

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end.

        Raises:
            AssertionError: there is no such program.
        """
        environ = {**os.environ, "HOME": str(self._home), "NO_COLOR": "1"}
        try:
            return subprocess.run(
                [self._program, "--no-check-updates", *words],
                env=environ,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=PATIENCE_S,
                check=False,
            )
        except FileNotFoundError:
            raise AssertionError(
                f"there is no {self._program}: EXORDOS_CLI names the stock command line"
            ) from None
