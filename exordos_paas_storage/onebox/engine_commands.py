"""`exordos-storage engine …`: getting an engine for this machine."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator

import click
import rich.console
import rich.progress

from exordos_paas_storage.domain import capabilities
from exordos_paas_storage.onebox import engine_cache, engines

# Seconds between two lines about one work.
EACH_S = 60.0


@click.group("engine")
def engine() -> None:
    """Engines on this machine: install one, list those that are at hand."""


@engine.command("install")
@click.argument("name", type=click.Choice(capabilities.ENGINES))
@click.option(
    "--from",
    "source",
    type=click.Choice(engines.SOURCES),
    help="RustFS alone: its verified release (the default), or its crate from"
    " crates.io, built here.",
)
def install(name: str, source: str | None) -> None:
    """Put an engine into the cache that all state folders share.

    RustFS is downloaded as a verified release. With --from crate it is built from its
    source, which takes an hour or more and 6 GiB of free space while it lasts. MinIO
    is always built from its source, in some minutes and 4 GiB.
    """
    if source and name != capabilities.RUSTFS:
        raise click.UsageError(f"--from is for rustfs: {name} has one source")
    cache = engine_cache.default(os.environ)
    with _ended_by_signals(), shown_progress() as progress:
        install = engines.installers(
            cache, os.environ, progress, rustfs_from=source or engines.RELEASE
        )
        path = install[name]()
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
def _ended_by_signals() -> Iterator[None]:
    """Take what was begun down again when this process is ended from outside."""

    def end(number: int, frame: object) -> None:
        sys.exit(128 + number)

    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, end) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


@contextlib.contextmanager
def shown_progress() -> Iterator[engine_cache.Progress]:
    """Show progress on standard error: bars on a terminal, else lines.

    Yields:
        What to call with the work, how much is done, and of how much.
    """
    console = rich.console.Console(stderr=True)
    if not console.is_terminal:
        yield Lines(lambda line: click.echo(line, err=True))
        return
    columns = (
        rich.progress.TextColumn("{task.description}"),
        rich.progress.BarColumn(),
        rich.progress.MofNCompleteColumn(),
        rich.progress.TimeElapsedColumn(),
    )
    with rich.progress.Progress(*columns, console=console, transient=True) as bars:
        tasks: dict[str, rich.progress.TaskID] = {}

        def show_bar(what: str, done: int, total: int | None) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done, total=total)

        yield show_bar


class Lines:
    """Progress without a terminal: a line when a work begins, then one a minute.

    Args:
        say: gets each line.
        clock: seconds that only grow.
    """

    def __init__(
        self, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._say, self._clock = say, clock
        # When each work began, and when something was said of it.
        self._begun: dict[str, float] = {}
        self._said: dict[str, float] = {}

    def __call__(self, what: str, done: int, total: int | None) -> None:
        now = self._clock()
        if what not in self._begun:
            self._begun[what] = self._said[what] = now
            self._say(f"{what} …")
        elif now - self._said[what] >= EACH_S:
            self._said[what] = now
            minutes = int(now - self._begun[what]) // 60
            of_total = f" of {total}" if total else ""
            self._say(f"{what}: {done}{of_total}, {minutes} min")
