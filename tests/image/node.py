"""A node in a container, driven as its platform and its users do."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import secrets
from collections.abc import Iterator

from exordos_paas_storage.nodes import image, port
from tests import engines
from tests.box import wait_until
from tests.certificates import Issued
from tests.image import applied, chroot, container, loops, s3_calls

# An address of the node beside its loopback; nobody routes to it (RFC 5737).
ADDRESS = "192.0.2.1"
_BUCKET = "proof"


def fresh_secrets() -> port.NodeSecrets:
    """What an instance's secrets look like."""
    return port.NodeSecrets(
        "root" + secrets.token_hex(8),
        secrets.token_hex(20),
        engines.key(),
        engines.key(),
    )


@dataclasses.dataclass
class Node:
    """One node.

    Attributes:
        first_boot: state of the engine's unit, and why it was not started, when nothing
            had been delivered.
    """

    engine: str
    box: container.Container
    disk: loops.Disk
    secrets: port.NodeSecrets = dataclasses.field(repr=False)
    first_boot: tuple[str, str] = ("", "")

    @property
    def files(self) -> list[image.File]:
        """What the platform delivers."""
        return image.files(self.engine, self.secrets)

    def configure(self, files: list[image.File] | None = None) -> None:
        """Deliver files, all of them where none are named, and wait until it serves."""
        self.serves(self.box.deliver(self.files if files is None else files))

    def restart(self) -> None:
        """Do what the platform does after a delivery, and wait until it serves."""
        self.serves(self.box.on_change())

    def serves(self, state: str) -> None:
        """Wait until the engine, whose unit is in `state`, passes its health check.

        MinIO is active for systemd before it serves, RustFS when it does.
        """
        assert state == "active", self.said()
        wait_until(lambda: self.health() == "inactive", container.WAIT_S)

    def health(self) -> str:
        """Ask once whether the engine serves: `inactive` is yes, `failed` no."""
        unit = image.HEALTH_UNIT
        self.box.run("systemctl", "start", unit, check=False)
        return self.box.prop(unit, "ActiveState")

    def said(self) -> str:
        """What the engine's unit said since the journal was marked."""
        return self.box.journal(image.ENGINE_UNIT)

    def refusal(self) -> str:
        """The file and the rule of the one line that says why it is not started."""
        line = self.box.says(image.ENGINE_UNIT, "is not started: (.*?): .+")
        assert self.said().count("is not started") == 1, self.said()
        return line[1]

    def state(self) -> str:
        """Of the engine's unit."""
        return self.box.prop(image.ENGINE_UNIT, "ActiveState")

    def pid(self) -> str:
        """Of the engine."""
        return self.box.prop(image.ENGINE_UNIT, "MainPID")

    def put(self, key: str, text: str, issued: Issued | None = None) -> str:
        """Write an object from outside the loopback, and read it."""
        return self._call(key, text, issued)

    def get(self, key: str, issued: Issued | None = None) -> str:
        """Read an object from outside the loopback."""
        return self._call(key, "", issued)

    def _call(self, key: str, text: str, issued: Issued | None) -> str:
        scheme = "https" if issued else "http"
        calls = s3_calls.Calls(
            endpoint=f"{scheme}://{ADDRESS}:{image.PORT}",
            access_key=self.secrets.access_key,
            secret_key=self.secrets.secret_key,
            bucket=f"{_BUCKET}-{key}",
            key=key,
            put=text,
            authority=issued.authority if issued else "",
        )
        return self.box.python(s3_calls.__name__, json.dumps(dataclasses.asdict(calls)))


@contextlib.contextmanager
def running(made: applied.Applied) -> Iterator[Node]:
    """A node that has a data disk and serves."""
    with (
        chroot.scratch() as top,
        loops.disk(top) as disk,
        made.layers.mounted(top) as tree,
        container.booted(tree, top / "console.log") as box,
    ):
        box.run("ip", "address", "add", f"{ADDRESS}/32", "dev", "lo")
        node = Node(made.engine, box, disk, fresh_secrets())
        node.first_boot = node.state(), node.refusal()
        box.attach(disk)
        # Without the name of a disk it would look for one among this machine's own.
        box.run(f"{image.LIB_DIR}/prepare-data-disk", str(disk.device))
        node.configure()
        yield node
