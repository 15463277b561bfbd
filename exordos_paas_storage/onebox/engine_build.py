"""Running a build: its lines heard one by one, its end when nobody waits for it."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence

from exordos_paas_storage.domain import errors

_MOST_CHARACTERS = 300

# Called with each line; whether it was mere progress, which explains no failure.
Heard = Callable[[str], bool]


def quiet(line: str) -> bool:
    """A `Heard` that nobody watches."""
    return False


def run(
    command: Sequence[str],
    environ: Mapping[str, str],
    failure: str,
    heard: Heard = quiet,
    remedy: str = "check the network and try again",
) -> None:
    """Run a build to its end; it and all that it started end when we stop waiting.

    Args:
        command: the program and its arguments.
        environ: its whole environment.
        failure: what it means that it failed, in words.
        heard: gets each line of its output, stripped, errors included.
        remedy: what to do about a failure.

    Raises:
        SetupError: it failed; the message has its first line that says "error", or
            else its last one.
    """
    said = ""
    with _running(command, environ) as child:
        for line in _lines(child):
            if not heard(line) and not _tells_error(said):
                said = line[:_MOST_CHARACTERS]
    if child.returncode:
        said = said or f"exit status {child.returncode}"
        raise errors.SetupError(f"{failure} ({said}): {remedy}")


def ask(command: Sequence[str], environ: Mapping[str, str]) -> str:
    """What a short program answers; nothing if it fails or is not there."""
    try:
        answer = subprocess.run(
            command,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=60,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.stdout if answer.returncode == 0 else ""


@contextlib.contextmanager
def _running(
    command: Sequence[str], environ: Mapping[str, str]
) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        command,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as child:
        try:
            yield child
        except BaseException:  # Ctrl-C and an end from outside, too
            os.killpg(child.pid, signal.SIGKILL)
            # Whatever it started writes into the same pipe. Once that is closed,
            # nothing of it is left that could write into the folder to be removed.
            for _ in child.stdout or ():
                pass
            raise


def _lines(child: subprocess.Popen[str]) -> Iterator[str]:
    for line in child.stdout or ():
        if line.strip():
            yield line.strip()


def _tells_error(line: str) -> bool:
    return re.match(r"error\b", line) is not None
