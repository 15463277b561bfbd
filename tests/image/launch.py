"""The launcher run in an unpacked tree, with what was delivered there."""

from __future__ import annotations

import dataclasses
import re
import subprocess
from pathlib import Path, PurePosixPath

from exordos_paas_storage.nodes import engine_config, image
from tests import certificates
from tests.image import chroot, trees
from tests.image.node import fresh_secrets

LAUNCHER = image.LIB_DIR / "start-engine"


class Launch:
    """One engine's tree with everything delivered."""

    def __init__(self, engine: str, tree: Path) -> None:
        self.engine, self.tree, self.secrets = engine, tree, fresh_secrets()
        self.deliver()

    def deliver(self) -> None:
        """Deliver everything again, without a certificate."""
        trees.put(self.tree, image.files(self.engine, self.secrets))

    def issue(self) -> engine_config.TlsNames:
        """Deliver a certificate too; the names of its chain and its key."""
        issued = certificates.issue("127.0.0.1").certificate
        trees.put(self.tree, image.files(self.engine, self.secrets, issued))
        return engine_config.tls_names(self.engine)

    def file(self, path: PurePosixPath) -> Path:
        """A delivered file or folder, where it can be changed."""
        return trees.inside(self.tree, path)

    def settings(self, **values: str | None) -> None:
        """Set variables in the delivered settings; None takes one away."""
        found = {**read(self.file(image.SETTINGS_FILE)), **values}
        kept = {name: value for name, value in found.items() if value is not None}
        self.file(image.SETTINGS_FILE).write_text(engine_config.lines(kept))

    def run(self) -> subprocess.CompletedProcess[str]:
        """Launch an engine that only says its version.

        It has the environment that systemd would have read from the settings.
        """
        file = self.file(image.SETTINGS_FILE)
        if file.is_file() and file.stat().st_size:
            arguments = read(file)["EXORDOS_S3_ARGUMENTS"]
            self.settings(EXORDOS_S3_ARGUMENTS=f"--version {arguments}")
        return chroot.run(self.tree, LAUNCHER, uid=image.UID, environment=read(file))

    def refusal(self) -> str:
        """The file and the rule, from the one line that says why nothing is started."""
        done = self.run()
        assert done.returncode == image.REFUSED_STATUS, done.stdout + done.stderr
        assert done.stdout == ""
        line = re.fullmatch(
            rf"<3>{self.engine} is not started: (.*?): (.+)\n", done.stderr
        )
        assert line, done.stderr
        for secret in dataclasses.astuple(self.secrets):
            assert secret not in done.stderr
        return line[1]


def read(file: Path) -> dict[str, str]:
    """The variables of a file, as systemd reads them; none where it is missing."""
    if not file.is_file():
        return {}
    return engine_config.read_environment_file(file.read_text())
