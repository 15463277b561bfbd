"""The system on a machine: one from the network flashes the root disk, one is on it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from gcl_sdk.agents.universal import constants
from gcl_sdk.agents.universal.drivers import meta
from restalchemy.dm import properties, types

# Only while a machine boots from the network; see tests/stand/nodes.py.
ROOT_DISK, IMAGE = Path("/run/root-disk"), Path("/run/image")
_NETWORK = "network"
_KEY = Path(constants.PRIVATE_KEY_PATH)


class StandGuest(meta.MetaDataPlaneModel):
    """What Core wants a machine to boot, and from which image."""

    image = properties.property(types.String(), required=True)
    boot = properties.property(types.String(), required=True)
    hostname = properties.property(types.AllowNone(types.String()), default=None)
    block_devices = properties.property(types.Dict(), default=dict)
    net_devices = properties.property(types.Dict(), default=dict)
    pci_devices = properties.property(types.Dict(), default=dict)
    status = properties.property(types.String(), default="NEW")

    def get_meta_model_fields(self) -> set[str]:
        """What is not read off the machine."""
        return {"uuid", "image", "boot", "hostname"}

    def dump_to_dp(self) -> None:
        """Flash the root disk where this is the system that does so."""
        if self.boot == _NETWORK and ROOT_DISK.exists():
            flash(self.image)
        self.restore_from_dp()

    def update_on_dp(self) -> None:
        """Do it again: the image may be another one."""
        self.dump_to_dp()

    def restore_from_dp(self) -> None:
        """Say how far the machine is."""
        if self.boot != _NETWORK:
            self.status = "ACTIVE"
        elif ROOT_DISK.exists() and flashed() == self.image:
            self.status = "FLASHED"
        else:
            # The installed system, which is about to be restarted from the network.
            self.status = "IN_PROGRESS"

    def delete_from_dp(self) -> None:
        """Nothing: the machine goes as a whole."""


def flash(image: str) -> None:
    """Put our node's system onto the root disk, whatever was on it.

    The image is not downloaded: its files come from `IMAGE`, which the stand made of
    the same role. Only its address is checked and written down.
    """
    if not image.startswith(("http://", "https://")):
        raise ValueError(f"{image!r} is no address of an image")
    for entry in ROOT_DISK.iterdir():
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    copy = ["cp", "--archive", "--reflink=auto", f"{IMAGE}/.", str(ROOT_DISK)]
    subprocess.run(copy, check=True)
    key = ROOT_DISK / "var-lib/upper/exordos/universal_agent/private_key"
    key.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(_KEY, key)
    key.chmod(0o400)
    (ROOT_DISK / "image").write_text(image)


def flashed() -> str:
    """The address of the image on the root disk; empty for a blank one."""
    mark = ROOT_DISK / "image"
    return mark.read_text() if mark.exists() else ""


class StandGuestDriver(meta.MetaFileStorageAgentDriver):
    """Serves `guest_machine`."""

    __model_map__ = {"guest_machine": StandGuest}

    def __init__(self, **options: object) -> None:
        place = os.path.join(constants.WORK_DIR, "guest_meta.json")
        super().__init__(meta_file=place, **options)
