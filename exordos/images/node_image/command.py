"""Runs tools of this machine; what fails is one error that shows what the tool said."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from exordos_paas_storage.domain import errors

_SHOWN_LINES = 15
# Tools of administration are not on everybody's path.
PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"


def run(
    argv: Sequence[object],
    *,
    limit_s: float = 120.0,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: str | None = None,
) -> str:
    """Run a tool to its end; what it wrote to its output.

    Args:
        argv: its command line; paths and numbers become text.
        env: its environment, else ours.

    Raises:
        SetupError: it is not installed, ended non-zero, or took over `limit_s`.
    """
    name = Path(str(argv[0])).name
    try:
        done = subprocess.run(
            [str(part) for part in argv],
            capture_output=True,
            text=True,
            errors="replace",
            check=True,
            timeout=limit_s,
            env={**(os.environ if env is None else env), "PATH": PATH},
            cwd=cwd,
            input=stdin or "",
        )
    except FileNotFoundError:
        raise errors.SetupError(
            f"{name} is not installed: run `python -m node_image tools`"
        ) from None
    except subprocess.TimeoutExpired:
        raise errors.SetupError(
            f"{name} did not end in {limit_s:.0f} s: try again on a machine that is"
            " less busy"
        ) from None
    except subprocess.CalledProcessError as error:
        said = last_lines(error.stdout, error.stderr)
        raise errors.SetupError(
            f"{name} ended with {error.returncode}: {said}"
        ) from None
    return done.stdout


def last_lines(*texts: str) -> str:
    """The end of what a tool said, for an error."""
    lines = [line for text in texts for line in text.splitlines() if line.strip()]
    return "\n  ".join(["", *lines[-_SHOWN_LINES:]]) if lines else "it said nothing"
