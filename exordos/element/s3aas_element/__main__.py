"""`python -m s3aas_element`: makes the element's manifests, wheel and repository."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable
from pathlib import Path

import click

from exordos_paas_storage import __version__
from exordos_paas_storage.cli import tool
from exordos_paas_storage.domain import errors
from exordos_paas_storage.plugin import place
from s3aas_element import (
    command_line,
    image_files,
    install,
    package_index,
    release,
    render,
    repository,
    served,
    versions,
    wheel,
)

_OUTPUT = wheel.SOURCES / "output"
_OPENAPI = wheel.SOURCES / "build" / "docs" / "openapi.json"
_PUBLISHED = Path("/srv/exordos-local-repo/simple")


def _release_options(command: Callable[..., None]) -> Callable[..., None]:
    path = click.Path(path_type=Path)
    for option in (
        click.option("--version", help="Of the element; else the package's."),
        click.option("--engine", "name", help="On the nodes; else the image's."),
        click.option("--engine-version", help="Of --engine; else the pinned one."),
        click.option("--index-url", default="", help="Package index with the wheel."),
        click.option("--repository", "where", default="", help="Address of OUTPUT/…"),
        click.option("--output", type=path, default=_OUTPUT),
        click.option("--images", type=path, help="With the node image; else OUTPUT."),
    ):
        command = option(command)
    return command


@click.group(cls=tool.ToolGroup)
def main() -> None:
    """Make the element s3aas."""


@main.command("manifests")
@_release_options
@click.option("--for-exordos-build", is_flag=True, help="Its template as well.")
def write_manifests(
    version: str | None,
    name: str | None,
    engine_version: str | None,
    index_url: str,
    where: str,
    output: Path,
    images: Path | None,
    for_exordos_build: bool,
) -> None:
    """Render the manifests into OUTPUT/manifests."""
    engine = release.engine_for(name, engine_version, images or output)
    wanted = release.of(version, release.index(index_url, where), engine)
    paths = render.write(wanted, output / "manifests")
    if for_exordos_build:
        paths.append(render.write_template(wanted, output / "manifests"))
    for path in paths:
        click.echo(path)


@main.command("build")
@_release_options
@click.option(
    "--image",
    type=click.Choice(["built", "none"]),
    default="built",
    help="none: leave the node image out; then no instance gets a machine.",
)
@click.option("--openapi", type=click.Path(path_type=Path), default=_OPENAPI)
def build(
    version: str | None,
    name: str | None,
    engine_version: str | None,
    index_url: str,
    where: str,
    output: Path,
    images: Path | None,
    image: str,
    openapi: Path,
) -> None:
    """Build the wheel, the manifests and OUTPUT/repository for a web server."""
    found = None if image == "none" else _image(images or output)
    engine = release.engine_for(name, engine_version, images or output)
    if found and (found.engine, found.engine_version) != (engine.name, engine.version):
        raise errors.SetupError(
            f"the image has {found.engine} {found.engine_version}, and not"
            f" {engine.name} {engine.version}: leave --engine out, or build another"
        )
    if not openapi.is_file():
        raise errors.SetupError(f"{openapi} is missing: write it with `make docs`")
    index = release.index(index_url, where)
    # What is wrong is told before the long work, and before anything is replaced.
    wanted = release.of(version, index, engine)
    _check_kept(wanted, found, output / "repository")
    made = wheel.build(output / "dist")
    wanted = release.of(version, index, engine, made.version)
    paths = render.write(wanted, output / "manifests")
    elements = [_element(path, wanted, made, found, openapi) for path in paths]
    # The wheel first: a platform that reads a release installs its wheel.
    package_index.publish(made, output / "repository" / "simple", replace=True)
    folder = repository.write(elements, output / "repository")
    for path in (made.file, *paths, folder):
        click.echo(path)
    if found is None:
        _tell_no_image(wanted.version)


@main.command("publish-wheel")
@click.option("--output", type=click.Path(path_type=Path), default=_OUTPUT)
@click.option("--to", type=click.Path(path_type=Path), default=_PUBLISHED)
@click.option("--replace", is_flag=True, help="Replace another of the same version.")
def publish_wheel(output: Path, to: Path, replace: bool) -> None:
    """Put the newest built wheel into a package index on this machine."""
    built = sorted((output / "dist").glob("*.whl"), key=lambda one: one.stat().st_mtime)
    if not built:
        raise errors.SetupError(f"no wheel in {output / 'dist'}: run `make build`")
    click.echo(package_index.publish(wheel.read(built[-1]), to, replace=replace))


def _image(output: Path) -> image_files.Image:
    found = image_files.find(output)
    if found is None:
        raise errors.SetupError(
            f"{output / image_files.FILE} is missing: run `make image` first, or pass"
            " IMAGE=none for an element whose instances get no machine yet"
        )
    image_files.check(found)
    return found


def _check_kept(
    wanted: release.Release, found: image_files.Image | None, top: Path
) -> None:
    """Refuse what would take an image or an engine from those who have a release."""
    name, version = place.ELEMENT, wanted.version
    repository.check_images_stay(top, name, version, 1 if found else 0)
    shipped = repository.manifests(top, name, but=version)
    versions.check_engines_stay(wanted.versions, shipped)


def _tell_no_image(version: str) -> None:
    click.secho(
        "WITHOUT A NODE IMAGE: no instance of this element gets a machine. A platform"
        f" that has read {version} never reads it again: build with an image"
        " (`make image`, no IMAGE=none) before, or with another --version",
        fg="red",
        bold=True,
        err=True,
    )


def _element(
    manifest: Path,
    wanted: release.Release,
    made: wheel.Wheel,
    found: image_files.Image | None,
    openapi: Path,
) -> repository.Element:
    text = manifest.read_text()
    if manifest.stem != place.ELEMENT:
        return repository.Element(manifest.stem, wanted.version, text)
    return repository.Element(
        manifest.stem,
        wanted.version,
        text,
        images=[found.file] if found else [],
        beside=[found.checksum] if found else [],
        artifacts=[openapi],
        wheels=[made.file],
    )


@main.command("install")
@click.option("--repository", "served_at", required=True, help="Address of OUTPUT/…")
@click.option("--version", default=__version__, show_default=True)
@click.option("--exordos", default="exordos", help="The platform's command line.")
@click.option(
    "--wait",
    "within_s",
    type=float,
    default=900.0,
    show_default=True,
    help="Seconds for all of it.",
)
def install_element(
    served_at: str, version: str, exordos: str, within_s: float
) -> None:
    """Install or update the element on the platform that EXORDOS is set to."""
    deadline = time.monotonic() + within_s
    run = command_line.CommandLine(
        shlex.split(exordos), lambda: deadline - time.monotonic()
    )
    wanted = release.checked_version(version)
    install.install(run, served_at, wanted, within_s, served.read)
    click.echo(f"{place.ELEMENT} {wanted} is {install.ACTIVE}")


if __name__ == "__main__":
    main()
