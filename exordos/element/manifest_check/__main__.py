"""`python -m manifest_check MANIFEST…`: exits 1 if anything is wrong."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from exordos_paas_storage.domain import errors
from manifest_check import core, links, plugin, rights, storage
from manifest_check.manifest import Manifest, read

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("paths", metavar="MANIFEST…", type=_FILE, nargs=-1, required=True)
@click.option("--openapi", type=_FILE, required=True, help="The API's document.")
def main(paths: tuple[Path, ...], openapi: Path) -> None:
    """Check manifests as the platform would; imports are looked up among them."""
    try:
        found = [read(path) for path in paths]
        document = json.loads(openapi.read_text())
        wrong = {each.path: list(problems(each, found, document)) for each in found}
    except (errors.SetupError, ValueError) as error:
        raise click.ClickException(str(error)) from None
    for path, listed in wrong.items():
        click.echo(f"{'WRONG' if listed else 'right'}  {path}")
        for each in listed:
            click.echo(f"       {each}")
    sys.exit(1 if any(wrong.values()) else 0)


def problems(
    found: Manifest, beside: list[Manifest], openapi: Mapping[str, Any]
) -> Iterator[str]:
    """Everything that is wrong with one manifest.

    Args:
        beside: every manifest at hand.
        openapi: the API's document.
    """
    stopped = list(found.misshapen()) or list(core.refusal(found))
    if stopped:
        yield from stopped
        return
    yield from core.problems(found)
    yield from links.problems(found, {each.name: each for each in beside})
    yield from storage.problems(found, storage.collections(openapi))
    yield from plugin.problems(found)
    yield from rights.problems(found)


if __name__ == "__main__":
    main()
