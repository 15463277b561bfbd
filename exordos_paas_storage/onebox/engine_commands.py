"""`exordos-storage engine …`: getting an engine for this machine."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import click
import rich.console
import rich.progress

from exordos_paas_storage.domain import capabilities
from exordos_paas_storage.onebox import engine_cache, engines


@click.group("engine")
def engine() -> None:
    """Engines on this machine: install one, list those that are at hand."""


@engine.command("install")
@click.argument("name", type=click.Choice(capabilities.ENGINES))
def install(name: str) -> None:
    """Put an engine into the cache that all state folders share.

    RustFS is downloaded as a verified release, MinIO is built from its source, which
    takes some minutes and 4 GiB of free space while it lasts.
    """
    cache = engine_cache.default(os.environ)
    with shown_progress() as progress:
        path = engines.installers(cache, os.environ, progress)[name]()
    click.echo(f"{name} {engines.VERSIONS[name]} {path}")


@engine.command("list")
def show() -> None:
    """Print name, version and path of each engine at hand, one a line."""
    cache = engine_cache.default(os.environ)
    for name in capabilities.ENGINES:
        if os.environ.get(engines.VARIABLES[name]):
            found = engines.at_hand(name, cache, os.environ)
            if found:
                click.echo(f"{name} {found.version} {found.path}")
    for entry in cache.entries():
        click.echo(f"{entry.engine} {entry.version} {entry.path}")


@contextlib.contextmanager
def shown_progress() -> Iterator[engine_cache.Progress]:
    """Show progress on standard error: bars on a terminal, else a line for each work.

    Yields:
        What to call with the work, how much is done, and of how much.
    """
    console = rich.console.Console(stderr=True)
    if not console.is_terminal:
        yield _Lines()
        return
    with rich.progress.Progress(console=console, transient=True) as bars:
        tasks: dict[str, rich.progress.TaskID] = {}

        def show_bar(what: str, done: int, total: int | None) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done, total=total)

        yield show_bar


class _Lines:
    """One line when a work begins."""

    def __init__(self) -> None:
        self._begun: set[str] = set()

    def __call__(self, what: str, done: int, total: int | None) -> None:
        if what not in self._begun:
            self._begun.add(what)
            click.echo(f"{what} …", err=True)
