"""Runs Packer: a machine boots the base, Ansible plays in it, and its disk is left."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from exordos_paas_storage.domain import errors
from node_image import command

HERE = Path(__file__).resolve().parent
IMAGES = HERE.parent
TEMPLATE = IMAGES / "packer"
ANSIBLE = IMAGES / "ansible"
# From here on plugins are fetched by `packer init`.
_WITH_PLUGINS = (1, 7)
_BUILD_LIMIT_S = 3600.0
# The kernel sends it where this process is gone, by whatever kill.
_DIES_WITH_US = ("setpriv", "--pdeathsig", "TERM")
# Packer stops its machine first.
_STOP_S = 10.0
_LOOK_EVERY_S = 0.02


@dataclass(frozen=True)
class Variables:
    """What the template asks for, under its names there."""

    base: str
    base_image: str
    base_checksum: str
    accelerator: str
    cpu_model: str
    disk_size: str
    ssh_username: str
    ssh_private_key_file: str
    seed_directory: str
    network: str
    extra_vars: str
    output_directory: str
    serial_log: str
    image_file: str
    ansible_playbook: str = ""
    ansible_config: str = str(ANSIBLE / "ansible.cfg")
    playbook: str = str(ANSIBLE / "image.yml")
    cleanup: str = str(TEMPLATE / "cleanup.sh")


def version() -> tuple[int, ...]:
    """Packer's version, as numbers."""
    said = command.run(["packer", "version"], env=_environment())
    found = re.search(r"v(\d+)\.(\d+)\.(\d+)", said)
    if not found:
        raise errors.SetupError(
            f"packer does not say its version but {said.strip()!r}: another program of"
            " that name comes first in PATH"
        )
    return tuple(int(part) for part in found.groups())


def check_format() -> None:
    """Check the template's layout.

    Raises:
        SetupError: `packer fmt` would change it.
    """
    command.run(["packer", "fmt", "-check", "-diff", TEMPLATE], env=_environment())


def validate(variables: Variables, work: Path) -> None:
    """Let Packer check the template with these values.

    Args:
        work: an empty folder.

    Raises:
        SetupError: something in it is wrong.
    """
    command.run(_command("validate", variables, work), env=_environment())


def build(variables: Variables, work: Path, log: Path) -> None:
    """Build; the disk is in the folder that the variables name.

    Args:
        work: an empty folder.
        log: gets all that Packer and Ansible say.

    Raises:
        SetupError: it failed; nothing runs any more.
    """
    argv = _command("build", variables, work)
    # Of its own and with a short name: Packer's sockets are in it, and what is left
    # there by one that was killed goes as well.
    with tempfile.TemporaryDirectory(prefix="packer-") as scratch:
        status = _run(argv, {**_environment(work), "TMPDIR": scratch}, log)
    if status != 0:
        how = "did not end in an hour" if status is None else f"ended with {status}"
        said = command.last_lines(log.read_text(errors="replace"))
        raise errors.SetupError(
            f"packer {how}; see {log} and {variables.serial_log}:{said}"
        )


def playbook_program() -> Path:
    """ansible-playbook, as it is installed beside this Python.

    Raises:
        SetupError: it is not.
    """
    program = Path(sys.executable).with_name("ansible-playbook")
    if not program.is_file():
        raise errors.SetupError(
            f"{program} is missing: pip install 'exordos-paas-storage[image]'"
        )
    return program


def _command(verb: str, variables: Variables, work: Path) -> list[str]:
    """Packer's command line; the template and its values are put into `work`."""
    template = work / "template"
    template.mkdir()
    shutil.copy(TEMPLATE / "image.pkr.hcl", template)
    if version() >= _WITH_PLUGINS:
        shutil.copy(TEMPLATE / "plugins.pkr.hcl.in", template / "plugins.pkr.hcl")
        command.run(["packer", "init", template], env=_environment(), limit_s=600)
    values = asdict(variables)
    values["ansible_playbook"] = values["ansible_playbook"] or str(playbook_program())
    file = work / "values.pkrvars.json"
    file.write_text(json.dumps(values, indent=2))
    how: Sequence[str] = ["-color=false", "-timestamp-ui"] if verb == "build" else []
    return ["packer", verb, *how, f"-var-file={file}", str(template)]


def _run(argv: Sequence[str], environment: Mapping[str, str], log: Path) -> int | None:
    """The exit status; None where it took too long. Whatever happens, it has ended."""
    with log.open("wb") as output:
        # In a group of its own, so that whatever ends us ends the machine as well.
        process = subprocess.Popen(
            [*_DIES_WITH_US, *argv],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
            start_new_session=True,
        )
        try:
            return process.wait(_BUILD_LIMIT_S)
        except subprocess.TimeoutExpired:
            return None
        finally:
            _end(process)


def _environment(work: Path | None = None) -> dict[str, str]:
    # Packer asks its maker for news otherwise, and keeps copies of disks for ever.
    environment = {**os.environ, "CHECKPOINT_DISABLE": "1", "PACKER_NO_COLOR": "1"}
    if work:
        environment["PACKER_CACHE_DIR"] = str(work / "cache")
    return environment


def _end(process: subprocess.Popen[bytes]) -> None:
    """Stop what still runs: politely first, so that Packer stops its machine."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_S)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    # Packer's own children end after it, and a kill some time after it was sent.
    limit = time.monotonic() + _STOP_S
    while left := _living(process.pid):
        if time.monotonic() > limit:
            raise errors.SetupError(f"processes of packer can't be killed: {left}")
        time.sleep(_LOOK_EVERY_S)


def _living(group: int) -> list[int]:
    """The processes of a group that run; one that nobody reaped does not."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(ProcessLookupError, psutil.NoSuchProcess):
            ended = process.status() == psutil.STATUS_ZOMBIE
            if os.getpgid(process.pid) == group and not ended:
                found.append(process.pid)
    return found
