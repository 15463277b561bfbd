"""What Exordos Core is asked for: one node set, and one config for each file.

Source: gcl_sdk 3.7.3, `infra/dm/models.py` (`NodeSet`, `SetDisksSpec`); exordos_core
0.3.5, `config/dm/models.py` (`Config`), and their controllers.
"""

from __future__ import annotations

import re
import uuid
from typing import Any

from exordos_paas_storage.domain import errors
from exordos_paas_storage.nodes import image, port

SETS, CONFIGS = "/v1/compute/sets/", "/v1/config/configs/"
# Source: gcl_sdk 3.7.3, `infra/constants.py`, `NodeStatus`.
NEW, ACTIVE, ERROR = "NEW", "ACTIVE", "ERROR"
# Debian, the engine and a week of logs; the image itself is 3 GiB.
ROOT_DISK_GIB = 10
# In the description of a set whose data disk was asked to grow, and of one whose cores
# or memory were changed. Core keeps it, and makes nothing of it; it outlives this
# process, and comes with the very change.
_GROWN = re.compile(r"The data disk was asked to grow from \d+ GiB")
_RESIZED = re.compile(r"Cores or memory were changed at generation (\d+)")

Body = dict[str, Any]


def node_set(spec: port.NodeSpec) -> Body:
    """The wanted node set, without the project that it belongs to.

    The data disk has neither file system nor mount point: the image makes and mounts
    it, and a name for both would have somebody else do so, too.

    Raises:
        SetupError: the instance has no sizes.
    """
    if spec.sizes is None:
        raise errors.SetupError("no node can be made: nothing says how large it is")
    root = {"size": ROOT_DISK_GIB, "image": spec.image}
    data = {"size": spec.sizes.disk_gib, "label": image.DATA_LABEL}
    return {
        "uuid": str(spec.node_id),
        "name": f"s3aas-{spec.instance_id}",
        "replicas": 1,
        "cores": spec.sizes.cores,
        "ram": spec.sizes.ram_mib,
        "disk_spec": {"kind": "disks", "disks": [root, data]},
    }


def set_change(wanted: Body, shown: Body, generation: int) -> Body:
    """The fields of the node set that have to change; empty where none has.

    Args:
        generation: of the instance, whose sizes are wanted.

    The image stays as it is: with another one Core writes the root disk anew and
    restarts the machine, which an upgrade does one by one and not a new version's row.

    Raises:
        SetupError: the data disk would shrink, or is not there. Core would take a
            smaller size and never do it: gcl_sdk 3.7.3,
            `agents/universal/drivers/libvirt.py`, `resize_volume`.
    """
    change = {
        name: wanted[name]
        for name in ("replicas", "cores", "ram")
        if wanted[name] != shown.get(name)
    }
    disks = [dict(disk) for disk in shown["disk_spec"].get("disks", ())]
    data = next((one for one in disks if one.get("label") == image.DATA_LABEL), None)
    if data is None:
        raise errors.SetupError("the node set in Core has no data disk any more")
    has_gib, wanted_gib = data["size"], wanted["disk_spec"]["disks"][1]["size"]
    if wanted_gib < has_gib:
        raise errors.SetupError(
            f"disk_size: a disk of {has_gib} GiB can't shrink to {wanted_gib} GiB"
        )
    if wanted_gib > has_gib:
        data["size"] = wanted_gib
        change["disk_spec"] = {"kind": "disks", "disks": disks}
    notes = _notes(change, shown, has_gib, generation)
    return {**change, "description": notes} if change and notes else change


def is_stillborn(spec: port.NodeSpec, shown: Body) -> bool:
    """Whether the set waits for another image than the version's, and never had more.

    Core may not have that image. It takes another one for the set and still makes no
    machine (seen with 0.3.5), so that only a new set helps. There are no data: a
    machine that was up once left its address here.
    """
    has = next((disk.get("image") for disk in shown["disk_spec"].get("disks", ())), "")
    never_up = not spec.served and not spec.host and shown["status"] in (NEW, ERROR)
    return never_up and spec.image is not None and has != spec.image


def is_grown(shown: Body) -> bool:
    """Whether the set's data disk was asked to grow after it was made."""
    return bool(_GROWN.search(_noted(shown)))


def resized_at(shown: Body) -> int:
    """The instance's generation at the last change of cores or memory; 0: none."""
    found = _RESIZED.search(_noted(shown))
    return int(found[1]) if found else 0


def _notes(change: Body, shown: Body, has_gib: int, generation: int) -> str:
    """The description that the set has after the change."""
    found = [one.search(_noted(shown)) for one in (_GROWN, _RESIZED)]
    grown, resized = (one[0] if one else "" for one in found)
    if "disk_spec" in change and not grown:
        grown = f"The data disk was asked to grow from {has_gib} GiB"
    if change.keys() & {"cores", "ram"}:
        resized = f"Cores or memory were changed at generation {generation}"
    return ". ".join(filter(None, (grown, resized)))


def _noted(shown: Body) -> str:
    return str(shown.get("description", ""))


def configs(spec: port.NodeSpec, node: str) -> list[Body]:
    """The wanted files of the node, secrets first and settings last.

    Args:
        node: Core's id of the machine; another one, once it was replaced.

    Raises:
        SetupError: the engine is unknown, or a secret of it is missing.
    """
    return [
        {
            "uuid": str(config_id(spec.node_id, str(file.path))),
            "name": f"s3aas-{file.path.name}",
            "path": str(file.path),
            "target": {"kind": "node", "node": node},
            "body": {"kind": "text", "content": file.content},
            "on_change": {"kind": "shell", "command": image.ON_CHANGE},
            "mode": file.mode,
            "owner": file.owner,
            "group": file.group,
        }
        for file in image.files(spec.engine, spec.secrets)
    ]


def config_ids(spec: port.NodeSpec) -> list[uuid.UUID]:
    """Every config that the node may have, told without its secrets."""
    return [config_id(spec.node_id, str(path)) for path in image.paths(spec.engine)]


def config_id(node_id: uuid.UUID, path: str) -> uuid.UUID:
    """The id of one file's config: the same whenever it is asked for."""
    return uuid.uuid5(node_id, path)


def config_change(wanted: Body, shown: Body) -> Body:
    """The fields of the config that have to change; empty where none has."""
    return {
        name: value
        for name, value in wanted.items()
        if name != "uuid" and shown.get(name) != value
    }
