"""The machines of the control planes: what all of them have in common."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from tests.stand import places
from tests.stand.manager.spec import Machine, Unit

# Platform code names no log format of ours; that of Core silences every logger that
# exists before it is read, so refused agents would be invisible.
LOGGING = """\
version: 1
disable_existing_loggers: false
formatters:
  plain:
    format: '%(asctime)s %(process)d %(levelname)s %(name)s:%(lineno)d %(message)s'
handlers:
  console: {class: logging.StreamHandler, formatter: plain, stream: ext://sys.stderr}
loggers:
  bazooka: {level: WARNING}
  gcl_looper: {level: WARNING}
  restalchemy: {level: WARNING}
  urllib3: {level: WARNING}
root: {handlers: [console], level: INFO}
"""
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# What every machine changes of what it shares with this one.
_OWN = ("/etc", "/var/lib")


def folder(name: str) -> Path:
    """Everything that is a machine's own."""
    return places.MACHINES / name


def describe(
    name: str,
    *,
    address: str,
    dmi: str,
    units: list[Unit],
    own: tuple[str, ...] = _OWN,
    binds: Mapping[str, str] | None = None,
) -> Machine:
    """A machine with a link to the stand's bridge."""
    return Machine(
        name=name,
        control=str(places.control(name)),
        logs=str(places.LOGS / name),
        address=f"{address}/{places.PREFIX}",
        gateway=places.HOST,
        bridge=places.BRIDGE,
        dmi=dmi,
        overlays={path: str(_layer(name, path)) for path in own},
        binds=binds or {},
        units=units,
    )


def as_unit(machine: Machine) -> Unit:
    """The unit of the host that a machine is."""
    spec = machine.write(places.RUN / f"{machine.name}.json")
    return Unit(
        name=machine.name,
        argv=enter_new(spec),
        env={"PATH": _PATH},
        cwd=str(places.ROOT),
        keep=False,
        stop_s=90.0,
    )


def enter_new(spec: Path) -> list[str]:
    """The command that becomes a machine; its end is the end of all that is in it."""
    return [
        "unshare",
        *("--net", "--mount", "--pid", "--fork", "--kill-child", "--propagation"),
        *("private", "--", *python("tests.stand.manager", str(spec))),
    ]


def python(module: str, *arguments: str) -> list[str]:
    """A module of the stand, in the interpreter that this one runs in."""
    return [sys.executable, "-m", module, *arguments]


def put(machine: str, path: str, content: str, mode: int = 0o644) -> None:
    """Write a file of a machine that is not up yet."""
    layer = next(own for own in _OWN if path.startswith(own + "/"))
    target = _layer(machine, layer) / "upper" / path.removeprefix(layer + "/")
    # The upper folder replaces the mode of the one below.
    target.parent.mkdir(parents=True, exist_ok=True)
    target.touch(mode=mode)
    target.write_text(content)


def platform_environment(**more: str) -> dict[str, str]:
    """The environment of the platform's services, and of what they call."""
    return {
        "PATH": f"{places.TOOLS}:{places.VENV}/bin:{_PATH}",
        "LANG": "C.UTF-8",
        "HOME": "/root",
        "PYTHONUNBUFFERED": "1",
        **more,
    }


def program(name: str) -> str:
    """A command of the platform's environment."""
    return str(places.VENV / "bin" / name)


def _layer(machine: str, path: str) -> Path:
    return folder(machine) / path.strip("/").replace("/", "-")
