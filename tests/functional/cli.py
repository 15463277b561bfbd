"""The platform's stock command line, with its password in a file of its own."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from s3aas_element import command_line

PATIENCE_S = 900.0


class Cli:
    """Runs of `exordos` as an administrator.

    Args:
        program: its path or name.
        home: a folder of this run's own, which gets the settings and cached tokens.
        endpoint: Core's API with the client `default`.
        admin: name and password.
        left_s: seconds that a run may take; it is asked at each one.
    """

    def __init__(
        self,
        program: str,
        home: Path,
        endpoint: str,
        admin: tuple[str, str],
        left_s: Callable[[], float] = lambda: PATIENCE_S,
    ) -> None:
        self.home = home
        environ = {**os.environ, "HOME": str(home), "NO_COLOR": "1"}
        self.told = command_line.CommandLine(
            [program, "--no-check-updates"], left_s, environ
        )
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
        status, said = self.told(*words)
        assert status == 0, f"exordos {' '.join(words)}: {said}"
        return said
