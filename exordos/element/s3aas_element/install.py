"""Installs the built element on a platform, by the platform's own command line.

It goes in from its repository and never from its file: Core finds the node image in the
list of the repository that an element came from (exordos_core 0.3.5).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from exordos_paas_storage.domain import errors
from exordos_paas_storage.plugin import place
from s3aas_element import identity

# The command line shows a repository by its id alone, so ours has one of its own.
REPOSITORY = "4d657461-0000-0000-0000-0000000053a5"
ACTIVE = "ACTIVE"
_POLL_S = 2.0
# A command of `exordos`, by its words: its exit status and what it printed.
Run = Callable[..., tuple[int, str]]


def install(run: Run, served_at: str, version: str, within_s: float) -> None:
    """Offer the repository to Core and install the element, or bring it to `version`.

    Args:
        run: runs the command line, which knows where Core is and who asks.
        served_at: address of `output/repository`.
        within_s: until Core has read the repository, and the element is ACTIVE.

    Raises:
        SetupError: a command fails, or it takes longer.
    """
    address = f"{served_at.rstrip('/')}/exordos-elements/"
    known, _ = run("repo", "show", REPOSITORY)
    if known == 0:
        _must(run, "repo", "update", REPOSITORY, "--repo-url", address)
    else:
        _must(
            run,
            *("repo", "add", "--uuid", REPOSITORY, "--name", place.ELEMENT),
            *("--project-id", str(identity.METAPAAS_PROJECT), "--repo-url", address),
        )
    _must(run, "repo", "refresh", REPOSITORY)
    # Core reads a repository in the background.
    _wait(
        lambda: _in(run, version, "repo", "elements", "list", "--dev"),
        within_s,
        f"Core finds no {place.ELEMENT} {version} at {address}",
    )
    status = _status(run)
    if status is None:
        _must(run, "ee", "install", place.ELEMENT, "-v", version)
    elif not _in(run, version, "ee", "list"):
        _must(run, "ee", "update", place.ELEMENT, "-v", version, "--yes")
    _wait(
        lambda: _in(run, version, "ee", "list") and _status(run) == ACTIVE,
        within_s,
        f"the element {place.ELEMENT} is not {ACTIVE}: see `exordos ee show`",
    )


def _must(run: Run, *words: str) -> str:
    status, said = run(*words)
    if status:
        told = said.strip().splitlines()[-1:] or ["(nothing)"]
        raise errors.SetupError(f"exordos {' '.join(words)}: {told[0]}")
    return said


def _rows(run: Run, *words: str) -> list[dict[str, Any]]:
    said = _must(run, *words, "--output", "json")
    return [row for row in json.loads(said) if row["name"] == place.ELEMENT]


def _in(run: Run, version: str, *words: str) -> bool:
    return any(row["version"] == version for row in _rows(run, *words))


def _status(run: Run) -> str | None:
    return next((row["status"] for row in _rows(run, "ee", "list")), None)


def _wait(done: Callable[[], bool], within_s: float, otherwise: str) -> None:
    deadline = time.monotonic() + within_s
    while not done():
        if time.monotonic() > deadline:
            raise errors.SetupError(otherwise)
        time.sleep(_POLL_S)
