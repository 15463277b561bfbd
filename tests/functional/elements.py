"""An element of the suite's own: its manifest, and how far the platform is with it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from s3aas_element import release, render

from exordos_paas_storage.domain import capabilities
from tests.functional import cli, core
from tests.service import made

# Core's project of everything that elements declare (exordos_core, EM_PROJECT_ID).
PROJECT = "12345678-c625-4fee-81d5-f691897b8142"
ACTIVE_S = 150.0
TYPES = "$s3aas.types.s3.instances"
SECRETS = "$core.secret.passwords"


def manifest(word: str) -> dict[str, Any]:
    """One object of every kind that can be declared; the platform makes the secret.

    Args:
        word: of letters and digits, which makes every name unique.
    """
    inside = {"instance": f"{TYPES}.$main:uuid"}
    of_user = {**inside, "user": f"{TYPES}.users.$writer:uuid"}
    return {
        "name": f"s3suite{word}",
        "description": "Made by a run of the functional tests",
        "schema_version": 1,
        "version": "1.0.0",
        "api_version": "v1",
        "requirements": {"s3aas": {"from_version": "0.0.1"}},
        "resources": {
            SECRETS: {
                "key": {
                    "name": f"s3suite-{word}",
                    "description": "of a run of the functional tests",
                    "project_id": PROJECT,
                    "method": "AUTO_HEX",
                    "default_length": 40,
                }
            },
            TYPES: {
                "main": {
                    "name": f"suite-{word}",
                    "cpu": 1,
                    "ram": 1024,
                    "disk_size": 10,
                }
            },
            f"{TYPES}.buckets": {"media": {**inside, "name": "media"}},
            f"{TYPES}.policies": {
                "writing": {
                    **inside,
                    "name": "writing",
                    "template": "read-write",
                    "parameters": {"bucket": "media"},
                }
            },
            f"{TYPES}.users": {"writer": {**inside, "name": "writer"}},
            f"{TYPES}.users.policies": {
                "writer_writes": {**of_user, "policy": "writing"}
            },
            f"{TYPES}.users.access_keys": {
                "laptop": {
                    **of_user,
                    "access_key": f"SUITE{word.upper()}",
                    "secret_key": f"{SECRETS}.$key:value",
                }
            },
        },
    }


def rendered(name: str, version: str) -> str:
    """A manifest as `make manifests` writes it.

    Args:
        name: one of `render.ELEMENTS`, but for `s3aas` itself.
        version: of `s3aas`, and so of the element.
    """
    # No word of the engine stands in these.
    engine = release.engine_for(capabilities.MINIO, None, Path())
    return render.manifest(name, release.of(version, "", engine))


def guest(word: str, version: str) -> dict[str, Any]:
    """The same objects inside the instance of `communal_s3`, as its first lines say.

    Args:
        word: as `manifest`.
        version: of `communal_s3`, at least.
    """
    name, own = f"s3guest{word}", manifest(word)
    del own["resources"][TYPES]
    imported = json.dumps(own).replace(
        f"{TYPES}.$main:uuid", f"${name}.imports.$storage:uuid"
    )
    return {
        **json.loads(imported.replace('"media"', f'"media-{word}"')),
        "name": name,
        "requirements": {"communal_s3": {"from_version": version}},
        "imports": {
            "storage": {
                "element": "$communal_s3",
                "kind": "resource",
                "link": f"{TYPES}.$communal",
            }
        },
    }


class Element:
    """One element, installed and changed by the stock command line.

    Args:
        run: the command line.
        platform: what Core tells of it.
        folder: gets its manifests.
        text: its manifest, as YAML.

    Attributes:
        manifest: as it was installed last.
    """

    def __init__(
        self, run: cli.Cli, platform: core.Core, folder: Path, text: str
    ) -> None:
        self._cli, self._core, self._folder = run, platform, folder
        self._text = text
        self.manifest: dict[str, Any] = yaml.safe_load(text)
        self.name = str(self.manifest["name"])

    def install(self) -> None:
        """Install the manifest and wait until everything in it is ACTIVE."""
        self.begin()
        self.wait_active()

    @contextlib.contextmanager
    def installed(self) -> Iterator[Element]:
        """The element, ACTIVE; it is gone at the end, whatever happened."""
        try:
            self.install()
            yield self
        finally:
            if self.shown() is not None:
                self.uninstall()

    def begin(self) -> None:
        """Have the platform install the manifest, which it does in the background."""
        self._cli("ee", "install", str(self._written()))

    def update(self, version: str) -> None:
        """Have the platform follow the manifest, under a new version."""
        self.manifest["version"] = version
        # JSON is YAML too.
        self._text = json.dumps(self.manifest, indent=2)
        self._cli("ee", "update", "--yes", str(self._written()))
        self.wait_active()

    def uninstall(self) -> None:
        """Remove the element and wait until the platform no longer knows it."""
        self._cli("ee", "uninstall", "--yes", self.name)
        made.until(lambda: self.shown() is None, ACTIVE_S, f"{self.name} is gone")

    def wait_active(self) -> None:
        """Wait until it is ACTIVE in this version, with all that it declares.

        Raises:
            AssertionError: it is not in time; with the state of each resource.
        """

        def active() -> bool:
            shown = self.shown()
            return bool(
                shown
                and shown["version"] == self.manifest["version"]
                and shown["status"] == "ACTIVE"
                and set(self.states().values()) == {"ACTIVE"}
            )

        try:
            made.until(active, ACTIVE_S)
        except AssertionError:
            told = f"{self.name} is not ACTIVE: {self.shown()}, {self.states()}"
            raise AssertionError(told) from None

    def shown(self) -> dict[str, Any] | None:
        """The element as Core shows it, `None` when there is none."""
        found = self._core.list("em/elements", name=self.name)
        return found[0] if found else None

    @property
    def instance(self) -> str:
        """Name of the one instance that it declares."""
        (found,) = self.manifest["resources"][TYPES].values()
        return str(found["name"])

    def secret(self, label: str) -> str:
        """The value that the platform made for a declared secret, by its label."""
        name = self.manifest["resources"][SECRETS][label]["name"]
        (found,) = self._core.list("secret/passwords", name=name)
        return str(found["value"])

    def key(self, label: str) -> tuple[str, str]:
        """A declared access key, by its label: its id and the secret it links to."""
        keys = self.manifest["resources"][f"{TYPES}.users.access_keys"]
        _, _, secret = keys[label]["secret_key"].rpartition("$")
        return keys[label]["access_key"], self.secret(secret.partition(":")[0])

    def states(self) -> dict[str, str]:
        """Status of each declared resource, by kind and name."""
        shown = self.shown()
        if shown is None:
            return {}
        listed = self._core.list(f"em/elements/{shown['uuid']}/resources")
        return {f"{one['kind']} {one['name']}": one["status"] for one in listed}

    def _written(self) -> Path:
        file = self._folder / f"{self.name}-{self.manifest['version']}.yaml"
        file.write_text(self._text)
        return file
