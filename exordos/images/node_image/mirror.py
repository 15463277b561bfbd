"""The state of a Debian mirror: which lists of packages it has, verified and named.

Packages come from a mirror that moves on. A build names the state it was made from, so
that the same state gives the same packages; an archive of states (snapshot.debian.org)
pins one for good.
"""

from __future__ import annotations

import email.utils
import hashlib
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx

from exordos_paas_storage.domain import errors
from node_image import command

RELEASE = "bookworm"
VARIABLE = "NODE_IMAGE_MIRROR"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_DEFAULT = "http://deb.debian.org/{archive}"
# A suite, and the archive that has it.
_SUITES = {
    RELEASE: "debian",
    f"{RELEASE}-updates": "debian",
    f"{RELEASE}-security": "debian-security",
}
_REACH_S = 20.0


@dataclass(frozen=True)
class Suite:
    """One suite as its mirror has it.

    Attributes:
        url: the archive's address, without a slash at its end.
        date: when Debian made this state, as its InRelease says.
        sha256: of the InRelease, which holds the checksums of everything else.
    """

    name: str
    url: str
    date: str
    sha256: str


@dataclass(frozen=True)
class State:
    """What a mirror has; `pinned`: it was named, and may be as old as it is."""

    suites: tuple[Suite, ...]
    pinned: bool

    def sources(self) -> list[str]:
        """The lines of a `sources.list`."""
        # Debian ends the validity of a state after a week; an archived one is older.
        age = " check-valid-until=no" if self.pinned else ""
        return [
            f"deb [signed-by={KEYRING}{age}] {suite.url} {suite.name} main"
            for suite in self.suites
        ]

    def checksums(self) -> set[str]:
        """The sha256 of each InRelease: equal ones mean the same packages."""
        return {suite.sha256 for suite in self.suites}

    def newest(self) -> int:
        """Seconds since 1970 of the newest of its suites."""
        dates = [email.utils.parsedate_to_datetime(each.date) for each in self.suites]
        return int(max(dates).timestamp())

    def as_json(self) -> dict[str, Any]:
        """For a manifest."""
        return {"pinned": self.pinned, "suites": [asdict(each) for each in self.suites]}


class NotReachable(errors.SetupError):
    """A mirror did not answer; a tree that was made before may do."""


def read(named: str | None = None, environ: Mapping[str, str] = os.environ) -> State:
    """The state of a mirror now.

    Args:
        named: the address of a mirror, `{archive}` in it standing for `debian` and
            `debian-security`; else `NODE_IMAGE_MIRROR`, else what this machine's own
            apt uses, else deb.debian.org.

    Raises:
        NotReachable: it does not answer, or has no such suite.
        SetupError: a state is not signed by Debian.
    """
    named = named or environ.get(VARIABLE) or None
    own = {} if named else _own_sources()
    suites = []
    for name, archive in _SUITES.items():
        url = own.get(name) or _address(named or _DEFAULT, archive)
        suites.append(_read_suite(name, url.rstrip("/")))
    return State(tuple(suites), pinned=named is not None)


def _address(pattern: str, archive: str) -> str:
    if "{archive}" not in pattern:
        pattern = pattern.rstrip("/") + "/{archive}"
    return pattern.replace("{archive}", archive)


def _own_sources() -> dict[str, str]:
    """The address by suite that this machine's apt uses for the same release."""
    form = "$(REPO_URI) $(RELEASE) $(COMPONENT)"
    argv = ["apt-get", "indextargets", "--format", form, "Created-By: Packages"]
    found: dict[str, str] = {}
    for line in command.run(argv).splitlines():
        url, _, rest = line.partition(" ")
        suite, _, component = rest.partition(" ")
        if suite in _SUITES and component == "main" and url.startswith("http"):
            found.setdefault(suite, url)
    return found


def _read_suite(name: str, url: str) -> Suite:
    address = f"{url}/dists/{name}/InRelease"
    try:
        reply = httpx.get(address, timeout=_REACH_S, follow_redirects=True)
        content = reply.raise_for_status().content
    except httpx.HTTPStatusError as error:
        raise NotReachable(
            f"{address} answered {error.response.status_code}: name a mirror of Debian"
            f" that has {name}, with --mirror or {VARIABLE}"
        ) from None
    except httpx.HTTPError as error:
        raise NotReachable(
            f"{address} can't be reached ({type(error).__name__}): check the network,"
            f" or name another mirror with --mirror or {VARIABLE}"
        ) from None
    text = _verified(address, content)
    date = re.search(r"^Date: (.+)$", text, re.M)
    if not date:
        raise errors.SetupError(f"{address} has no date: name another mirror")
    return Suite(name, url, date[1].strip(), hashlib.sha256(content).hexdigest())


def _verified(address: str, content: bytes) -> str:
    """The signed text of an InRelease."""
    if not KEYRING.is_file():
        raise errors.SetupError(
            f"{KEYRING} is missing: apt-get install debian-archive-keyring"
        )
    with tempfile.NamedTemporaryFile(prefix="InRelease-") as signed:
        signed.write(content)
        signed.flush()
        argv = ["gpgv", "--quiet", "--keyring", KEYRING, "--output", "-", signed.name]
        try:
            return command.run(argv)
        except errors.SetupError as error:
            raise errors.SetupError(
                f"{address} is not signed by Debian: name another mirror ({error})"
            ) from None
