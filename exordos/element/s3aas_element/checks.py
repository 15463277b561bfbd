"""Why a release must not be installed, though Core would take it."""

from __future__ import annotations

from exordos_paas_storage.domain import errors
from exordos_paas_storage.plugin import place
from s3aas_element import image_files, known, urns
from s3aas_element.command_line import Run
from s3aas_element.served import Offer

_MEND = (
    "raise `__version__` in exordos_paas_storage/__init__.py, run `make build` and"
    " install that version"
)
# So many sets are named.
_MOST_NAMES = 3


def check_images_stay(run: Run, repository: str, offer: Offer) -> None:
    """Check that no image in use goes with a release that is not served any more.

    At a refresh Core drops the releases that a repository lacks, the installed one at
    the first refresh after that, and with them where their images are. It looks that
    up whenever it makes or changes a machine (exordos_core 0.3.5,
    `repo/builders/repository.py`, `compute/builders/pool.py`).

    Args:
        repository: Core's id of the one that will be refreshed.

    Raises:
        SetupError: machines are made of one that goes, or a version of the offer is.
    """
    ours = [row for row in known.releases(run) if row["repository"] == repository]
    gone = [row["version"] for row in ours if row["version"] not in offer.listed]
    sets = known.node_sets(run) if gone else []
    used = {version: _users(version, offer, sets) for version in gone}
    lost = [f"{version} (by {used[version]})" for version in gone if used[version]]
    if lost:
        raise errors.SetupError(
            f"{place.ELEMENT} {', '.join(lost)} is not served any more, and its image"
            " is in use: Core would drop it, and neither resize nor remake a machine of"
            " it. Build into the folder that has it, by make build"
            ' ARGS="--output FOLDER", and serve that. A release can go once no'
            " instance is made of it, and versions.yaml has no entry with it"
        )


def _users(version: str, offer: Offer, sets: list[known.Row]) -> str:
    """Who uses a release's image, in a few words; empty for nobody."""
    image = urns.image(place.ELEMENT, version, image_files.FILE)
    users = [f"the node set {row['name']}" for row in sets if row["image"] == image]
    if offer.content.names(image):
        users.insert(0, f"a version in {place.ELEMENT} {offer.version}")
    more = len(users) - _MOST_NAMES
    return ", ".join(users[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def check_same(run: Run, offer: Offer, repository: str, *, is_update: bool) -> None:
    """Check that Core has what is served, and MetaPaaS no other wheel of its name.

    Raises:
        SetupError: either has another one, which it would go on with.
    """
    version, wanted = offer.version, offer.content
    sources = _preferred(run, repository) if is_update else {repository}
    for row in known.releases(run):
        offered = row["version"] == version and row["repository"] in sources
        if not offered and row["installation state"] != "INSTALLED":
            continue
        has = known.content(run, row["uuid"])
        if row["version"] == version and has != wanted:
            raise errors.SetupError(
                f"Core has another {place.ELEMENT} {version} (repository"
                f" {row['repository']}) than the one that is served, and reads no"
                f" version again: {_MEND}"
            )
        _check_wheels(row["version"], has.wheels(), wanted.wheels())


def _check_wheels(version: str, has: dict[str, str], wanted: dict[str, str]) -> None:
    for name in has.keys() & wanted.keys():
        if has[name] != wanted[name]:
            raise errors.SetupError(
                f"{place.ELEMENT} {version} is installed with another {name}, and"
                f" MetaPaaS takes none again: {_MEND}"
            )


def _preferred(run: Run, repository: str) -> set[str]:
    """The repositories that an update by name may take a version from.

    `ee update` takes no id of what to go to, and of several repositories the one of
    the highest priority; that of files stands above ours (exordos 3.2.29).
    """
    rows = known.repositories(run)
    priorities = {str(row["uuid"]): int(row["priority"]) for row in rows}
    return {each for each in priorities if priorities[each] >= priorities[repository]}
