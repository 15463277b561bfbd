"""The folder of one local instance: data, secrets, log, and what runs there.

<root>/<instance>/   this process's, so that an engine can't swap what lies in it
    data/ home/      the engine's own, 0700
    secrets/         the engine's own, 0700, files 0600
    engine.log       written through a descriptor that the engine inherits
    run.json         which process runs, and as what it was started
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from exordos_paas_storage.domain import errors
from exordos_paas_storage.nodes import account, engine_config, process
from exordos_paas_storage.nodes.port import NodeSpec


@dataclass(frozen=True)
class Run:
    """A started engine: its process, and the wanted values it was started with."""

    process: process.Process
    engine: str
    engine_version: str
    host: str
    port: int

    def serves(self, spec: NodeSpec) -> bool:
        """Whether it was started as `spec` wants it."""
        wanted = (spec.engine, spec.engine_version, spec.host, spec.port)
        return (self.engine, self.engine_version, self.host, self.port) == wanted


class Folder:
    """The folder of one instance; made by `prepare`, gone after `delete`."""

    def __init__(self, root_dir: Path, instance_id: uuid.UUID) -> None:
        self.path = root_dir / str(instance_id)
        self.data = self.path / "data"
        self.home = self.path / "home"
        self.secrets = self.path / "secrets"
        self.log = self.path / "engine.log"
        self._run = self.path / "run.json"

    def place(self, spec: NodeSpec) -> engine_config.Place:
        """What the renderer of configuration wants to know."""
        return engine_config.Place(
            spec.engine, self.data, self.secrets, spec.host, spec.port
        )

    def prepare(self, isolation: account.Isolation) -> account.Account | None:
        """Make the folders; the account that owns them and runs the engine."""
        # Only root has other accounts to let pass, and then they may not look.
        mode = 0o711 if os.geteuid() == 0 else 0o700
        for path in (self.path.parent, self.path):
            path.mkdir(parents=True, exist_ok=True)
            path.chmod(mode)
        owner = isolation(self.data)
        for path in (self.data, self.home, self.secrets):
            path.mkdir(mode=0o700, exist_ok=True)
            path.chmod(0o700)
            if owner:
                os.chown(path, owner.uid, owner.gid)
        return owner

    def write_secrets(
        self, files: Mapping[str, str], owner: account.Account | None
    ) -> None:
        """Write each file with mode 0600, readable by the engine's account alone."""
        for name, content in files.items():
            write_atomically(self.secrets / name, content, owner)

    def secret_environment(self) -> dict[str, str]:
        """The variables of the secret environment file; none where there is none."""
        with contextlib.suppress(FileNotFoundError):
            text = (self.secrets / engine_config.ENV_FILE).read_text()
            return engine_config.read_environment_file(text)
        return {}

    def read_run(self) -> Run | None:
        """What was last started here, living or not."""
        try:
            content = json.loads(self._run.read_text())
            return Run(**{**content, "process": process.Process(**content["process"])})
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None

    def write_run(self, run: Run) -> None:
        """Remember what was started."""
        write_atomically(self._run, json.dumps(asdict(run)), None)

    def forget_run(self) -> None:
        """Remember that nothing runs."""
        self._run.unlink(missing_ok=True)

    def delete(self) -> None:
        """Delete all of it; done if it is gone.

        Raises:
            SetupError: something could not be deleted.
        """
        # Renamed first, so that no start finds a half of it.
        doomed = self.path.with_name(f".removed-{self.path.name}")
        try:
            _delete_tree(doomed)
            with contextlib.suppress(FileNotFoundError):
                self.path.rename(doomed)
            _delete_tree(doomed)
        except OSError as error:
            raise errors.SetupError(
                f"{error.filename} can't be deleted ({error.strerror}): delete"
                f" {doomed} by hand"
            ) from None


def write_atomically(path: Path, content: str, owner: account.Account | None) -> None:
    """Write a file of mode 0600 so that a reader sees it whole, old or new.

    A link that somebody put at either name is replaced and never followed.
    """
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(content)
            file.flush()
            if owner:
                os.fchown(file.fileno(), owner.uid, owner.gid)
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _delete_tree(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(path)
