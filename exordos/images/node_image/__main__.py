"""`python -m node_image`: builds the node image, and looks into one."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

import click

from exordos_paas_storage.cli import tool
from exordos_paas_storage.domain import capabilities
from exordos_paas_storage.nodes import image
from node_image import build, engine, hygiene, manifest, tools
from node_image.steps import Steps

_WORK = manifest.REPOSITORY / "build" / "node-image"
_OUTPUT = manifest.REPOSITORY / "output"
_MIB = 1 << 20


@click.group(cls=tool.ToolGroup)
def main() -> None:
    """Build the node image, and look into one."""
    # A kill must end the machine of a build as Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


@main.command("build")
@click.option("--engine", "name", type=click.Choice(list(capabilities.ENGINES)))
@click.option("--engine-binary", type=click.Path(path_type=Path), help="A file.")
@click.option("--engine-version", help="Of --engine-binary.")
@click.option("--engine-release", help="A release of RustFS to fetch.")
@click.option("--engine-sha256", help="Of the binary, or of the release's archive.")
@click.option("--mirror", help="A mirror of Debian; {archive} in it: see the guide.")
@click.option("--base-image", help="The platform's base, for an image on that.")
@click.option("--base-checksum", help="Its sha256:DIGITS.")
@click.option("--work", type=click.Path(path_type=Path), default=_WORK)
@click.option("--cache", type=click.Path(path_type=Path))
@click.option("--output", type=click.Path(path_type=Path), default=_OUTPUT)
def build_image(
    name: str | None,
    engine_binary: Path | None,
    engine_version: str | None,
    engine_release: str | None,
    engine_sha256: str | None,
    mirror: str | None,
    base_image: str | None,
    base_checksum: str | None,
    work: Path,
    cache: Path | None,
    output: Path,
) -> None:
    """Build an image, and write it and what describes it into a folder."""
    steps = Steps(click.echo)
    cache = cache or build.default_cache()
    if engine_release:
        found = engine.from_release(engine_release, engine_sha256, cache)
    elif engine_binary:
        found = engine.from_file(name, engine_version, engine_binary)
        engine.check_sum(found, engine_sha256)
    else:
        found = engine.at_hand(name)
        engine.check_sum(found, engine_sha256)
    click.echo(f"{found.name} {found.version}, sha256 {found.sha256}")
    wanted = build.Wanted(found, mirror, base_image, base_checksum)
    place = work.resolve() / found.name
    # Held, so that no other build replaces the image while it is read.
    with build.held(wanted, place, cache.resolve(), steps) as made:
        about = manifest.publish(made, output.resolve(), steps)
    for part in ("raw", "compressed"):
        click.echo(f"{about[part]['bytes'] / _MIB:8.1f} MiB  {about[part]['file']}")


@main.command("hygiene")
@click.argument("raw", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--base", type=click.Choice(hygiene.BASES), default=hygiene.DEBIAN)
def look_through(raw: Path, base: str) -> None:
    """List what is wrong with a raw image. Exits 1 if anything is."""
    wrong = hygiene.findings(raw, base)
    for each in wrong:
        click.echo(each)
    sys.exit(1 if wrong else 0)


@main.command("tools")
@click.option("--for", "group", type=click.Choice(tools.GROUPS), default=tools.BUILD)
def install_tools(group: str) -> None:
    """Install the tools that are missing on this machine."""
    installed = tools.ensure(group)
    if installed:
        click.echo(f"installed {', '.join(installed)}")


@main.command("layout")
def show_layout() -> None:
    """Print the names that the image and whoever configures a node agree on."""
    click.echo(json.dumps(image.layout(), indent=2))


if __name__ == "__main__":
    main()
