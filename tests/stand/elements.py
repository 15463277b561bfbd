"""Elements of the platform, installed by its own command line."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

from exordos_paas_storage.domain import errors
from exordos_paas_storage.nodes import process
from tests.stand import host, places
from tests.stand.secretbook import Secrets

S3 = "s3aas"
REPOSITORY = "stand"
_POLL_S, _READ_S = 1.0, 60.0
# On a platform these make the machines that the stand makes by itself.
_EMPTY = """\
name: "{name}"
description: "stands in for the element of this name"
schema_version: 1
version: "{version}"
api_version: "v1"
{requirements}resources: {{}}
"""
_NEEDS_CORE = 'requirements:\n  core:\n    from_version: "0.0.0"\n'
_STUBS = {"core": ("0.3.5", ""), "metapaas": ("1.3.0", _NEEDS_CORE)}


def install_stubs(secrets: Secrets) -> None:
    """Install the elements that ours requires."""
    for name, (version, requirements) in _STUBS.items():
        manifest = places.RUN / f"{name}.yaml"
        manifest.write_text(
            _EMPTY.format(name=name, version=version, requirements=requirements)
        )
        install(secrets, manifest)


def install(secrets: Secrets, manifest: Path) -> None:
    """Install an element from its manifest."""
    run(secrets, "ee", "install", str(manifest))


def install_offered(secrets: Secrets, name: str, version: str) -> None:
    """Install an element from the stand's repository.

    Raises:
        SetupError: Core does not see it there, or does not take it.
    """
    run(secrets, "repo", "refresh", REPOSITORY)
    # Core reads a repository in the background.
    if not process.wait_until(lambda: _is_offered(secrets, name, version), _READ_S):
        raise errors.SetupError(f"Core finds no {name} {version} in the repository")
    run(secrets, "ee", "install", name, "-v", version)


def add_repository(secrets: Secrets) -> None:
    """Tell Core of the stand's repository."""
    run(
        secrets,
        *("repo", "add", "--project-id", places.ELEMENTS_PROJECT),
        *("--name", REPOSITORY, "--repo-url", places.REPOSITORY_URL),
    )


def wait_active(secrets: Secrets, name: str, limit_s: float) -> None:
    """Wait until an element is there as a whole.

    Raises:
        SetupError: it is not after `limit_s`; the message says how far it is.
    """
    deadline = time.monotonic() + limit_s
    while (status := _status(secrets, name)) != "ACTIVE":
        if time.monotonic() > deadline:
            raise errors.SetupError(
                f"the element {name} is {status} after {limit_s:.0f} s: see"
                f" {places.LOGS}"
            )
        time.sleep(_POLL_S)


def run(secrets: Secrets, *arguments: str) -> str:
    """Run the platform's command line as its administrator; what it says.

    Raises:
        SetupError: it fails.
    """
    done = subprocess.run(
        [*host.inside(command(secrets)), *arguments],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = [line for line in (done.stdout + done.stderr).splitlines() if line]
        raise errors.SetupError(f"exordos {' '.join(arguments)}: {said[-1:]}")
    return done.stdout


def command(secrets: Secrets) -> list[str]:
    """The command line, told where Core is and who asks."""
    # A password on a command line is seen by whoever is on this machine; the stand's
    # opens nothing outside of it.
    return [
        str(places.CLI / "bin" / "exordos"),
        *("-e", places.CORE_API_URL, "-u", "admin", "-p", secrets.admin),
        "--no-check-updates",
    ]


def environment() -> dict[str, str]:
    """Of the command line, which keeps its settings in a home."""
    return {
        "HOME": str(places.HOME),
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG": "C.UTF-8",
        "COLUMNS": "200",
    }


def _is_offered(secrets: Secrets, name: str, version: str) -> bool:
    rows = json.loads(run(secrets, "repo", "elements", "list", "--output", "json"))
    return any((row["name"], row["version"]) == (name, version) for row in rows)


def _status(secrets: Secrets, name: str) -> str:
    rows: list[dict[str, Any]] = json.loads(
        run(secrets, "ee", "list", "--output", "json")
    )
    return next((row["status"] for row in rows if row["name"] == name), "missing")
