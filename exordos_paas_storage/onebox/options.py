"""Options that the commands of one box share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from exordos_paas_storage.onebox import statedir


def state_dir(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--state-dir`, handed on as the `StateDir` `state`."""
    return click.option(
        "--state-dir",
        "state",
        type=click.Path(path_type=Path),
        default=statedir.default_path,
        show_default="/var/lib/exordos-storage as root, else your data directory",
        envvar="EXORDOS_STORAGE_STATE_DIR",
        callback=lambda context, option, value: statedir.StateDir(value),
        help="The one folder that holds all state of the service.",
    )(command)
