"""Stopping every engine below a folder, also those of a service that was killed."""

from __future__ import annotations

import uuid
from concurrent import futures
from pathlib import Path

from exordos_paas_storage.domain import capabilities
from exordos_paas_storage.nodes import folder, launch, process


def stop_all(root_dir: Path) -> None:
    """Stop the engines of all instances side by side, and keep their data."""
    places = [folder.Folder(root_dir, found) for found in _instances(root_dir)]
    with futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(_stop, places))


def _instances(root_dir: Path) -> list[uuid.UUID]:
    found = []
    for path in root_dir.iterdir() if root_dir.is_dir() else ():
        try:
            found.append(uuid.UUID(path.name))
        except ValueError:
            continue
    return found


def _stop(place: folder.Folder) -> None:
    run = place.read_run()
    if not (run and process.alive(run.process) and launch.is_engine(run, place)):
        # Its start was cut short before it was written down; RustFS stops slowest.
        run = launch.find(capabilities.RUSTFS, place)
    if run:
        limits = capabilities.of(run.engine, run.engine_version)
        process.terminate(run.process, limits.stop_s)
    place.forget_run()
