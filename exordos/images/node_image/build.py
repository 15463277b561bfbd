"""Builds the image of one engine: a raw disk that was looked through."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exordos_paas_storage.domain import errors
from exordos_paas_storage.nodes import image
from exordos_paas_storage.onebox import engine_cache
from node_image import accelerator, bases, hygiene, lock, packer, rootfs
from node_image.engine import Engine
from node_image.steps import Steps

RAW = f"{image.NAME}.raw"


@dataclass(frozen=True)
class Wanted:
    """What an image is to be made of.

    Attributes:
        mirror: a mirror of Debian by its address; None for the machine's own.
        base_disk: the platform's base by its path or address; None for our own.
        base_checksum: its `sha256:…`.
    """

    engine: Engine
    mirror: str | None = None
    base_disk: str | None = None
    base_checksum: str | None = None


@dataclass(frozen=True)
class Image:
    """A finished raw disk.

    Attributes:
        base: one of `hygiene.BASES`.
        base_about: what the base was made of.
        inputs: sha256 of everything that the image depends on.
    """

    raw: Path
    engine: Engine
    base: str
    base_about: dict[str, Any]
    inputs: str


def default_cache() -> Path:
    """Where trees and disks are kept: beside the engines of this user."""
    return engine_cache.default(os.environ).path.parent / "node-image"


def finished(
    wanted: Wanted, work: Path, cache: Path | None = None, steps: Steps | None = None
) -> Image:
    """The image, as `held` has it; the next build in `work` may replace it."""
    with held(wanted, work, cache, steps) as made:
        return made


@contextlib.contextmanager
def held(
    wanted: Wanted, work: Path, cache: Path | None = None, steps: Steps | None = None
) -> Iterator[Image]:
    """The image, built where `work` does not have it yet, and kept as it is meanwhile.

    Two builds of one image at once are one build and one look.

    Args:
        work: a folder for this image and the logs of its making.
        cache: for trees and disks.

    Raises:
        SetupError: it can't be built, or something is in it that must not be.
    """
    steps = steps or Steps()
    cache = cache or default_cache()
    work.mkdir(parents=True, exist_ok=True)
    with lock.alone(work):
        with lock.part(work) as part:
            made = _made(wanted, work, cache, part, steps)
        yield made


def _made(wanted: Wanted, work: Path, cache: Path, part: Path, steps: Steps) -> Image:
    with steps.step("tree of Debian"):
        tar = rootfs.tree(cache, wanted.mirror)
    with steps.step("base disk"):
        base = _base(wanted, tar, cache, part)
    inputs = _inputs(wanted.engine, base)
    if not _is_there(work, inputs):
        _build(wanted.engine, base, tar, part, work, steps)
        (work / "inputs").write_text(inputs)
    # Each time: the rules may have become stricter since.
    _look_through(work, base, steps)
    return Image(work / RAW, wanted.engine, base.kind, base.about, inputs)


def play_variables(engine: Engine, base: str) -> dict[str, Any]:
    """What the play of Ansible is told."""
    return {
        **image.layout(),
        "base": base,
        "engine_name": engine.name,
        "engine_version": engine.version,
        "engine_binary": str(engine.binary),
        "engine_sha256": engine.sha256,
        "engine_provenance": dict(engine.provenance),
    }


def packer_variables(
    base: bases.Base, found: accelerator.Accelerator, part: Path, work: Path
) -> packer.Variables:
    """What the template of Packer is told.

    Args:
        part: has `extra_vars.json`, and gets the new folder `disk`.
        work: gets what the machine writes to its console.
    """
    return packer.Variables(
        base=base.kind,
        base_image=base.disk,
        base_checksum=base.checksum,
        accelerator=found.name,
        cpu_model=found.cpu_model,
        disk_size=base.disk_size,
        ssh_username=base.user,
        ssh_private_key_file=str(base.key),
        seed_directory=str(base.seed or ""),
        network=base.network,
        extra_vars=str(part / "extra_vars.json"),
        output_directory=str(part / "disk"),
        serial_log=str(work / "serial.log"),
        image_file=RAW,
    )


def _base(wanted: Wanted, tar: Path, cache: Path, part: Path) -> bases.Base:
    if wanted.base_disk is None:
        return bases.debian(tar, cache)
    return bases.exordos(wanted.base_disk, wanted.base_checksum, part)


def _build(
    engine: Engine, base: bases.Base, tar: Path, part: Path, work: Path, steps: Steps
) -> None:
    for before in ("inputs", RAW):
        (work / before).unlink(missing_ok=True)
    with steps.step("look for an accelerator"):
        found = accelerator.choose(tar)
    told = json.dumps(play_variables(engine, base.kind))
    (part / "extra_vars.json").write_text(told)
    with steps.step(f"packer, {found.name}"):
        variables = packer_variables(base, found, part, work)
        packer.build(variables, part, work / "packer.log")
    (part / "disk" / RAW).replace(work / RAW)


def _look_through(work: Path, base: bases.Base, steps: Steps) -> None:
    with steps.step("look through the disk"):
        wrong = hygiene.findings(work / RAW, base.kind)
    if wrong:
        listed = "".join(f"\n  {each}" for each in wrong)
        raise errors.SetupError(
            f"{work / RAW} must not be used: mend the role or packer/cleanup.sh, or"
            f" delete it if it was changed after it was built{listed}"
        )


def _inputs(engine: Engine, base: bases.Base) -> str:
    """One checksum of what is put together; the file's name of a binary is no part."""
    variables = {**play_variables(engine, base.kind), "engine_binary": ""}
    folders = (packer.ANSIBLE, packer.TEMPLATE)
    files = sorted(path for top in folders for path in top.rglob("*") if _counts(path))
    sums = [
        (str(path.relative_to(packer.IMAGES)), _sha256(path), path.stat().st_mode)
        for path in files
    ]
    # The key in the disk is new in each, so the disk counts by what it was made of.
    whole = json.dumps([variables, base.about, base.disk_size, sums], sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()


def _counts(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _is_there(work: Path, inputs: str) -> bool:
    try:
        return (work / "inputs").read_text() == inputs and (work / RAW).is_file()
    except FileNotFoundError:
        return False
