"""Installs the built element on a platform, by the platform's own command line.

It goes in from its repository and never from its file: Core finds the node image in the
list of the repository that an element came from. Core reads a version once and never
again, and MetaPaaS a wheel, so that another release under the same number is refused
(exordos_core 0.3.5, `repo/builders`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from exordos_paas_storage.domain import errors
from exordos_paas_storage.plugin import place
from s3aas_element import checks, identity, known, release, served
from s3aas_element.command_line import Run, must

# The one that we add; whoever adds it by hand may take another.
REPOSITORY = "4d657461-0000-0000-0000-0000000053a5"
ACTIVE = "ACTIVE"
_NEW = "NEW"
_POLL_S = 2.0
_UPDATE = ("ee", "update")
_ELEMENT = f"the element {place.ELEMENT}"
_STAYS = (
    f"{_ELEMENT} was uninstalled, and Core still has it: see"
    f" `exordos ee show {place.ELEMENT}`"
)
_Seen = TypeVar("_Seen")


def install(
    run: Run,
    served_at: str,
    version: str,
    within_s: float,
    look: served.Read | None = None,
) -> None:
    """Offer the repository to Core and install the element, or bring it to `version`.

    Args:
        run: runs the command line, which knows where Core is and who asks.
        served_at: address of `output/repository`.
        within_s: for all of it.
        look: reads what is served, to compare it with what Core has; None where Core
            is known to be new.

    Raises:
        SetupError: a command fails, it takes longer, Core has another release of
            this version, which it would go on with, or it would lose an image in use.
    """
    deadline = time.monotonic() + within_s
    address = release.elements(served_at)
    # What is wrong there is told before Core gets the address.
    offer = served.offer(look, address, version) if look else None
    before = _repository(run, address)
    if offer and before:
        checks.check_images_stay(run, before["uuid"], offer)
    repository = _offer(run, before, address)
    ours = _taken_up(run, version, repository, address, deadline)
    step = _step(run, version, ours, deadline)
    if offer:
        is_update = step[:2] == _UPDATE
        checks.check_same(run, offer, repository, is_update=is_update)
    if step:
        must(run, *step)
    _wait(lambda: _is_active(run, version), deadline, lambda: _why(run, version, ours))


def _repository(run: Run, address: str) -> known.Row | None:
    """The repository at that address, or else the one to give that address to."""
    rows = known.repositories(run)
    ours = (str(identity.METAPAAS_PROJECT), place.ELEMENT)
    found = [row for row in rows if row["uri"] == address] + [
        row
        for row in rows
        if (row["project"], row["name"]) == ours or row["uuid"] == REPOSITORY
    ]
    return found[0] if found else None


def _offer(run: Run, before: known.Row | None, address: str) -> str:
    """Have Core know the repository at its address; Core's id of it."""
    if before is None:
        project = str(identity.METAPAAS_PROJECT)
        must(
            run,
            *("repo", "add", "--uuid", REPOSITORY, "--name", place.ELEMENT),
            *("--project-id", project, "--repo-url", address),
        )
        return REPOSITORY
    if before["uri"] != address:
        must(run, "repo", "update", before["uuid"], "--repo-url", address)
    return str(before["uuid"])


def _taken_up(
    run: Run, version: str, repository: str, address: str, deadline: float
) -> str:
    """Core's id of the repository's release, once Core has read and taken it up."""

    def look() -> str | None:
        for row in known.releases(run):
            is_ours = (row["version"], row["repository"]) == (version, repository)
            if is_ours and row["status"] != _NEW:
                return str(row["uuid"])
        return None

    must(run, "repo", "refresh", repository)
    late = f"Core finds no {place.ELEMENT} {version} at {address}"
    return _wait(look, deadline, lambda: late)


def _step(run: Run, version: str, ours: str, deadline: float) -> tuple[str, ...]:
    """The command that brings Core to `version`; empty where Core is at it.

    Raises:
        SetupError: Core takes none now.
    """
    there = known.installed(run)
    if there is None:
        # By its id: by name Core's repository of the highest priority would win.
        _wait(lambda: known.element(run) is None, deadline, lambda: _STAYS)
        return ("ee", "install", ours)
    if there["version"] == version:
        return ()
    if known.element(run) is None:
        raise errors.SetupError(
            f"{place.ELEMENT} {there['version']} is to be installed, and Core has not"
            " begun: wait until `exordos ee list` shows it, or take it back by"
            f" `exordos ee uninstall --yes {place.ELEMENT}`, and run this again"
        )
    return (*_UPDATE, place.ELEMENT, "-v", version, "--yes")


def _is_active(run: Run, version: str) -> bool:
    there, row = known.installed(run), known.element(run)
    if there is None or row is None:
        return False
    seen = (there["version"], row["version"], row["status"])
    return seen == (version, version, ACTIVE)


def _why(run: Run, version: str, ours: str) -> str:
    """Why the element is not there: Core tells nobody what it can't resolve."""
    row = known.element(run)
    if row is not None and row["version"] == version:
        return f"{_ELEMENT} is not {ACTIVE}: see `exordos ee show {place.ELEMENT}`"
    needs = known.content(run, ours).requirements()
    return (
        f"Core has not begun with {place.ELEMENT} {version}, as where it can't have"
        f" what that requires: {needs}. `exordos ee list` shows what is installed;"
        " Core goes on by itself once that is"
    )


def _wait(
    look: Callable[[], _Seen | None], deadline: float, late: Callable[[], str]
) -> _Seen:
    """What is seen, once it is neither None nor False."""
    while not (seen := look()):
        if time.monotonic() > deadline:
            raise errors.SetupError(late())
        time.sleep(_POLL_S)
    return seen
