"""`python -m tests.stand`: the real platform on one machine, without a hypervisor."""

from __future__ import annotations

import json
import os
import sys

import click

from exordos_paas_storage.cli import tool
from exordos_paas_storage.nodes import engine_config
from tests.stand import (
    elements,
    host,
    nodes,
    offers,
    origin,
    places,
    secretbook,
    services,
)
from tests.stand import up as steps


@click.group(cls=tool.ToolGroup)
def main() -> None:
    """The unmodified platform, with our service, in namespaces of this machine."""


@main.command()
@click.option("--iam-cache", is_flag=True, help="Cache tokens in front of Core's IAM.")
def up(iam_cache: bool) -> None:
    """Bring the stand up and install our service on it.

    One that is up is left as it is where it was made from this tree, with this engine
    and these options; another one is made anew.
    """
    if host.running() and places.READY.exists():
        differs = origin.differences(origin.wanted(iam_cache=iam_cache))
        if not differs:
            click.echo("the stand is up: python -m tests.stand status")
            return
        click.echo(f"the stand that is up has another {', '.join(differs)}: anew")
    steps.up(click.echo, iam_cache=iam_cache)
    click.echo("the stand is up: python -m tests.stand exec -- COMMAND runs inside it")


@main.command()
def down() -> None:
    """End everything that `up` started; logs stay."""
    click.echo("the stand is down" if host.stop() else "no stand runs")


@main.command()
def status() -> None:
    """Tell whether the stand runs, and what in it; exits 1 where it does not."""
    if not host.running():
        click.echo("no stand runs")
        sys.exit(1)
    for machine, unit, found in services.listed():
        click.echo(f"{machine:45} {unit:32} {found['state']:9} {found['pid'] or ''}")
    if not places.READY.exists():
        click.echo("it is half made: python -m tests.stand up makes it anew")
        sys.exit(1)


@main.command("exec", context_settings={"ignore_unknown_options": True})
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def execute(command: tuple[str, ...]) -> None:
    """Run a command on the stand's network, with the settings of a test run."""
    argv = host.inside(list(command))
    if places.SETTINGS.exists():
        text = places.SETTINGS.read_text()
        os.environ.update(engine_config.read_environment_file(text))
    os.execvp(argv[0], argv)


@main.command()
@click.argument("version")
def wheel(version: str) -> None:
    """Offer the tree under another version too; prints its manifest's path."""
    host.inside([])
    origin.forget()
    path = offers.add(version)
    elements.refresh_offers(secretbook.read())
    click.echo(path)


@main.group()
def service() -> None:
    """Services of the platform."""


@service.command("list")
def list_services() -> None:
    """Print each one as a line of JSON."""
    for machine, unit, found in services.listed():
        click.echo(json.dumps({"machine": machine, "name": unit, **found}))


@service.command()
@click.argument("name")
def restart(name: str) -> None:
    """Restart a service, and wait until it serves."""
    host.ask(services.machine_of(name), "restart", units=[name])


@service.command()
@click.argument("name")
def stop(name: str) -> None:
    """Stop a service."""
    host.ask(services.machine_of(name), "stop", units=[name])


@service.command()
@click.argument("name")
def start(name: str) -> None:
    """Start a service, and wait until it serves."""
    host.ask(services.machine_of(name), "start", units=[name])


@service.command()
@click.option("-s", "signal_name", default="KILL", help="A signal, like KILL.")
@click.argument("name")
def kill(signal_name: str, name: str) -> None:
    """Signal all processes of a service."""
    services.signal(services.machine_of(name), name, signal_name)


@main.group()
def machine() -> None:
    """Machines of the pool; each by its uuid or its address."""


@machine.command("list")
def list_machines() -> None:
    """Print each one as a line of JSON."""
    for node in nodes.known():
        click.echo(json.dumps(services.told(node)))


def _engine_verb(name: str, signal_name: str, text: str) -> None:
    def act(which: str) -> None:
        node = services.node(which)
        services.signal(node.name, nodes.ENGINE_UNIT, signal_name)

    command = click.command(name, help=text)(click.argument("which")(act))
    machine.add_command(command)


_engine_verb("kill", "KILL", "Kill the engine; it is restarted as on a node.")
_engine_verb("pause", "STOP", "Let the engine hang.")
_engine_verb("resume", "CONT", "Let it go on.")


@machine.command("stop-engine")
@click.argument("which")
def stop_engine(which: str) -> None:
    """Stop the engine; nothing restarts it but start-engine."""
    host.ask(services.node(which).name, "stop", units=[nodes.ENGINE_UNIT])


@machine.command("start-engine")
@click.argument("which")
def start_engine(which: str) -> None:
    """Start it again."""
    host.ask(services.node(which).name, "start", units=[nodes.ENGINE_UNIT])


@machine.command("exec", context_settings={"ignore_unknown_options": True})
@click.argument("which")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def execute_on(which: str, command: tuple[str, ...]) -> None:
    """Run a command on a machine, also on one of a control plane by its name."""
    argv = services.inside(which, list(command))
    os.execvp(argv[0], argv)


@machine.command()
@click.option("--keep-disks", is_flag=True, help="Of a host that died, on a store.")
@click.argument("which")
def lose(which: str, keep_disks: bool) -> None:
    """Let a machine disappear with its disks, as if its host had died."""
    services.lose(services.node(which), disks=not keep_disks)


@main.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def cli(arguments: tuple[str, ...]) -> None:
    """Run the platform's command line, as its administrator."""
    secrets = secretbook.read()
    argv = host.inside([*elements.command(secrets), *arguments])
    os.execvpe(argv[0], argv, elements.environment())


if __name__ == "__main__":
    main()
