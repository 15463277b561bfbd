"""The platform's command line, `exordos`, run for one piece of work."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import psutil

from exordos_paas_storage.domain import errors

# A command of `exordos`, by its words: its exit status and what it printed.
Run = Callable[..., tuple[int, str]]
# A call that starts when the time is nearly over gets this much.
_LAST_CALL_S = 5.0


@dataclass(frozen=True)
class CommandLine:
    """Runs commands to their end, and answers none of their questions.

    Attributes:
        argv: the program, and what stands before each command.
        left_s: seconds that are left of the time for all commands together.
        environment: of the program; None for ours.
    """

    argv: Sequence[str]
    left_s: Callable[[], float]
    environment: Mapping[str, str] | None = None

    def __call__(self, *words: str) -> tuple[int, str]:
        """A command's exit status, and what it printed or why it did not work.

        Raises:
            SetupError: it takes longer, or there is no such program.
        """
        with self._start(*words) as child:
            try:
                out, err = child.communicate(timeout=max(self.left_s(), _LAST_CALL_S))
            except subprocess.TimeoutExpired:
                # What stands before a command may hold a password.
                raise errors.SetupError(
                    f"{self.argv[0]} … {' '.join(words)} does not end: does the"
                    " platform answer from here? Nothing is undone; the same command"
                    " goes on where this one stopped"
                ) from None
            finally:
                _end(child)
        return child.returncode, out + err if child.returncode else out

    def _start(self, *words: str) -> subprocess.Popen[str]:
        try:
            return subprocess.Popen(
                [*self.argv, *words],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        except OSError as error:
            raise errors.SetupError(
                f"{self.argv[0]} can't be run ({error.strerror}): the platform's"
                " command line is the package exordos, 3.2 was tried; EXORDOS=…, for"
                " tests EXORDOS_CLI=…, says where it is"
            ) from None


def must(run: Run, *words: str) -> str:
    """What a command printed.

    Raises:
        SetupError: it failed.
    """
    status, said = run(*words)
    if status:
        told = said.strip().splitlines()[-1:] or ["(nothing)"]
        raise errors.SetupError(f"exordos {' '.join(words)}: {told[0]}{_hint(told[0])}")
    return said


def _hint(said: str) -> str:
    """How to answer what a command asked for, and got no answer to (click)."""
    if not said.rstrip(".!").endswith("Aborted"):
        return ""
    return (
        " It asked for something, as for the code of a second factor: sign in once"
        " with `exordos ee list`, and run this again"
    )


def _end(child: subprocess.Popen[str]) -> None:
    """End a command that still runs, with what it started, as behind a wrapper."""
    if child.poll() is not None:
        return
    for each in psutil.Process(child.pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            each.kill()
    child.kill()
