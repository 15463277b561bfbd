"""Elements of the platform, installed by its own command line."""

from __future__ import annotations

import time
from pathlib import Path

from s3aas_element import command_line
from s3aas_element import install as ours

from tests.stand import host, places
from tests.stand.secretbook import Secrets

S3 = "s3aas"
# On a platform these make the machines that the stand makes by itself.
_EMPTY = """\
name: "{name}"
description: "stands in for the element of this name"
schema_version: 1
version: "{version}"
api_version: "v1"
{requirements}resources: {{}}
"""
# For one call: an upload waits until Core has read what is new.
_CALL_S = 900.0
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


def install_offered(secrets: Secrets, version: str, limit_s: float) -> None:
    """Install our element from the stand's repository, as `make install` does.

    Raises:
        SetupError: Core does not see it there, or it is not ACTIVE in time.
    """
    run = _command_line(secrets, limit_s)
    ours.install(run, places.REPOSITORY_URL, version, limit_s)


def refresh_offers(secrets: Secrets) -> None:
    """Have Core read the stand's repository, which it does in the background."""
    run(secrets, "repo", "refresh")


def run(secrets: Secrets, *arguments: str) -> str:
    """Run the platform's command line as its administrator; what it says.

    Raises:
        SetupError: it fails.
    """
    return command_line.must(_command_line(secrets, _CALL_S), *arguments)


def _command_line(secrets: Secrets, limit_s: float) -> command_line.CommandLine:
    deadline = time.monotonic() + limit_s
    return command_line.CommandLine(
        host.inside(command(secrets)),
        lambda: deadline - time.monotonic(),
        environment(),
    )


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
