"""What only a stand can do to a platform: the command that `EXORDOS_STAND` names."""

from __future__ import annotations

import json
import shlex
import subprocess

PATIENCE_S = 300.0


class Stand:
    """Calls of the stand's command, such as `python -m tests.stand`."""

    def __init__(self, command: str) -> None:
        self._command = shlex.split(command)

    def __call__(self, *words: str) -> str:
        """Run one of its commands, which must work; what it printed."""
        answer = subprocess.run(
            [*self._command, *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        told = f"the stand's {words}: {answer.stdout}{answer.stderr}"
        assert answer.returncode == 0, told
        return answer.stdout

    def processes(self) -> dict[str, int | None]:
        """Process ids of MetaPaaS's services by name; `None` of one that is off."""
        lines = map(json.loads, self("service", "list").splitlines())
        return {
            one["name"]: one["pid"]
            for one in lines
            if one["name"].startswith("exordos-metapaas-")
        }
