"""`exordos-storage`: one group of commands for each noun."""

from __future__ import annotations

import sys
from importlib import metadata

import click

from exordos_paas_storage import __version__
from exordos_paas_storage.domain import errors

COMMANDS = "exordos_paas_storage.commands"
_HINT = "install exordos-paas-storage[onebox] for the commands that run a service here"


class Commands(click.Group):
    """Commands found by entry point; an error on purpose is one line and exit 1."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(point.name for point in metadata.entry_points(group=COMMANDS))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        found = metadata.entry_points(group=COMMANDS, name=cmd_name)
        for point in found:
            try:
                return point.load()
            except ModuleNotFoundError as error:
                said = f"{error.name} is missing: {_HINT}"
                raise click.ClickException(said) from None
        return None

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except errors.StorageError as error:
            click.echo(f"exordos-storage: {error}", err=True)
            sys.exit(1)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """S3 object storage as a service."""


if __name__ == "__main__":
    main()
