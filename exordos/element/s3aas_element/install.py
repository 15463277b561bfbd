"""Installs the built element on a platform, by the platform's own command line.

It goes in from its repository and never from its file: Core finds the node image in the
list of the repository that an element came from. Core reads a version once and never
again, and MetaPaaS a wheel, so that another release under the same number is refused
(exordos_core 0.3.5, `repo/builders`).
"""

from __future__ import annotations

import ast
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
import yaml

from exordos_paas_storage.domain import errors
from exordos_paas_storage.plugin import place
from s3aas_element import identity, release

# The one that we add; whoever adds it by hand may take another.
REPOSITORY = "4d657461-0000-0000-0000-0000000053a5"
ACTIVE = "ACTIVE"
_NEW, _INSTALLED = "NEW", "INSTALLED"
_POLL_S = 2.0
_READ_S = 30.0
_MEND = (
    "raise `__version__` in exordos_paas_storage/__init__.py, run `make build` and"
    " install that version"
)
# A command of `exordos`, by its words: its exit status and what it printed.
Run = Callable[..., tuple[int, str]]
# What lies at an address.
Read = Callable[[str], str]
_Seen = TypeVar("_Seen")


@dataclass(frozen=True)
class Content:
    """What a release is, as Core keeps it."""

    manifest: dict[str, Any]
    inventory: dict[str, Any]

    def wheels(self) -> dict[str, str]:
        """Digests of the plugin's wheels by their names."""
        known: dict[str, str] = self.inventory.get("wheels", {})
        return known


def read(address: str) -> str:
    """What a web server has at an address.

    Raises:
        SetupError: it can't be read from here.
    """
    try:
        answer = httpx.get(address, timeout=_READ_S, follow_redirects=True)
        answer.raise_for_status()
    except httpx.HTTPError as error:
        raise errors.SetupError(
            f"{address} can't be read from here, so nothing tells whether Core has what"
            f" is served: {error}"
        ) from None
    return answer.text


def install(
    run: Run,
    served_at: str,
    version: str,
    within_s: float,
    look: Read | None = None,
) -> None:
    """Offer the repository to Core and install the element, or bring it to `version`.

    Args:
        run: runs the command line, which knows where Core is and who asks.
        served_at: address of `output/repository`.
        within_s: for all of it.
        look: reads what is served, to compare it with what Core has of that version;
            None where Core is known to be new.

    Raises:
        SetupError: a command fails, it takes longer, or Core has another release of
            this version, which it would go on with.
    """
    deadline = time.monotonic() + within_s
    address = release.elements(served_at)
    repository = _offer(run, address)
    _must(run, "repo", "refresh", repository)
    # Core reads a repository in the background.
    ours = _wait(
        lambda: _taken_up(run, version, repository),
        deadline,
        f"Core finds no {place.ELEMENT} {version} at {address}",
    )
    is_new = _status(run) is None
    is_update = not is_new and not _is_installed(run, version)
    if look is not None:
        sources = _preferred(run, repository) if is_update else {repository}
        _compare(run, _served(look, address, version), version, sources)
    if is_new:
        # By its id: by name Core's repository of the highest priority would win.
        _must(run, "ee", "install", ours)
    elif is_update:
        _must(run, "ee", "update", place.ELEMENT, "-v", version, "--yes")
    _wait(
        lambda: _is_installed(run, version) and _status(run) == ACTIVE,
        deadline,
        f"the element {place.ELEMENT} is not {ACTIVE}: see `exordos ee show`",
    )


def _offer(run: Run, address: str) -> str:
    """Have Core know the repository at its address; Core's id of it."""
    known = json.loads(_must(run, "repo", "list", "--output", "json"))
    project = str(identity.METAPAAS_PROJECT)
    for row in known:
        if row["uri"] == address:
            return str(row["uuid"])
    for row in known:
        named = (row["project"], row["name"]) == (project, place.ELEMENT)
        if named or row["uuid"] == REPOSITORY:
            _must(run, "repo", "update", row["uuid"], "--repo-url", address)
            return str(row["uuid"])
    _must(
        run,
        *("repo", "add", "--uuid", REPOSITORY, "--name", place.ELEMENT),
        *("--project-id", project, "--repo-url", address),
    )
    return REPOSITORY


def _taken_up(run: Run, version: str, repository: str) -> str | None:
    """Core's id of the repository's release; None until Core has taken it up."""
    for row in _offered(run):
        is_ours = (row["version"], row["repository"]) == (version, repository)
        if is_ours and row["status"] != _NEW:
            return str(row["uuid"])
    return None


def _preferred(run: Run, repository: str) -> set[str]:
    """The repositories that an update by name may take a version from.

    `ee update` takes no id of what to go to, and of several repositories the one of
    the highest priority; that of files stands above ours (exordos 3.2.29).
    """
    rows = json.loads(_must(run, "repo", "list", "--output", "json"))
    priorities = {str(row["uuid"]): int(row["priority"]) for row in rows}
    return {each for each in priorities if priorities[each] >= priorities[repository]}


def _compare(run: Run, served: Content, version: str, sources: set[str]) -> None:
    """Check that Core has what is served, and MetaPaaS no other wheel of its name.

    Args:
        sources: the repositories that `version` may be installed from.
    """
    for row in _offered(run):
        offered = row["version"] == version and row["repository"] in sources
        if not offered and row["installation state"] != _INSTALLED:
            continue
        known = _known(run, row["uuid"])
        if row["version"] == version and known != served:
            raise errors.SetupError(
                f"Core has another {place.ELEMENT} {version} (repository"
                f" {row['repository']}) than the one that is served, and reads no"
                f" version again: {_MEND}"
            )
        wheels, wanted = known.wheels(), served.wheels()
        for name in wheels.keys() & wanted.keys():
            if wheels[name] != wanted[name]:
                raise errors.SetupError(
                    f"{place.ELEMENT} {row['version']} is installed with another"
                    f" {name}, and MetaPaaS takes none again: {_MEND}"
                )


def _served(look: Read, address: str, version: str) -> Content:
    folder = f"{address}{place.ELEMENT}/{version}/"
    try:
        manifest = yaml.safe_load(look(f"{folder}manifests/{place.ELEMENT}.yaml"))
        return Content(manifest, json.loads(look(f"{folder}inventory.json")))
    except (ValueError, yaml.YAMLError):
        raise errors.SetupError(
            f"{folder} has no release as `make build` makes"
        ) from None


def _known(run: Run, uuid: str) -> Content:
    """What Core has of a release; one that it never read it reads now."""
    said = _must(run, "repo", "elements", "show", uuid, "--output", "json")
    # The command line shows values as Python writes them (exordos 3.2.29).
    try:
        fields = {row["field"]: row["value"] for row in json.loads(said)}
        manifest, inventory = fields["manifest"], fields["inventory"]
        return Content(ast.literal_eval(manifest), ast.literal_eval(inventory))
    except (KeyError, SyntaxError, ValueError):
        raise errors.SetupError(
            f"exordos repo elements show {uuid}: this is not what exordos 3.2 says"
        ) from None


def _must(run: Run, *words: str) -> str:
    status, said = run(*words)
    if status:
        told = said.strip().splitlines()[-1:] or ["(nothing)"]
        raise errors.SetupError(f"exordos {' '.join(words)}: {told[0]}")
    return said


def _rows(run: Run, *words: str) -> list[dict[str, Any]]:
    said = _must(run, *words, "--output", "json")
    return [row for row in json.loads(said) if row["name"] == place.ELEMENT]


def _offered(run: Run) -> list[dict[str, Any]]:
    return _rows(run, "repo", "elements", "list", "--dev")


def _is_installed(run: Run, version: str) -> bool:
    return any(row["version"] == version for row in _rows(run, "ee", "list"))


def _status(run: Run) -> str | None:
    return next((row["status"] for row in _rows(run, "ee", "list")), None)


def _wait(look: Callable[[], _Seen | None], deadline: float, otherwise: str) -> _Seen:
    """What is seen, once it is neither None nor False."""
    while not (seen := look()):
        if time.monotonic() > deadline:
            raise errors.SetupError(otherwise)
        time.sleep(_POLL_S)
    return seen
