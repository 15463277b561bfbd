"""`exordos-storage up`, `down` and `status`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import click
import httpx

from exordos_paas_storage.domain import capabilities, errors
from exordos_paas_storage.nodes import process
from exordos_paas_storage.onebox import (
    config_file,
    database,
    database_url,
    engine_cache,
    engine_commands,
    engines,
    options,
    ports,
    progress,
    report,
    service,
    settings,
    statedir,
)

DOWN_WITHIN_S = 150.0


@click.command("up")
@options.state_dir
@click.option(
    "--engine",
    type=click.Choice(capabilities.ENGINES),
    help="For new instances; by default RustFS where it can be had, else MinIO.",
)
@click.option("--detach", is_flag=True, help="Go on in the background once it runs.")
@click.option(
    "--api-port",
    type=click.IntRange(1, 65535),
    help="By default 8080, or the next free one.",
)
@click.option(
    "--sealing-key-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Keep the sealing keys outside the state folder; made when it is missing.",
)
@click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    help="A file with [db] connection_url for a PostgreSQL of your own, and [s3aas] "
    "sealing_keys_file. EXORDOS_STORAGE_DATABASE_URL may name the database instead.",
)
def up(
    state: statedir.StateDir,
    engine: str | None,
    detach: bool,
    api_port: int | None,
    sealing_key_file: Path | None,
    config_path: Path | None,
) -> None:
    """Run the service here until Ctrl-C; everything is set up by itself."""
    state.create()
    if state.is_held():
        raise errors.SetupError(
            f"a service already runs on {state.path} (pid {state.holder()}): stop it "
            "by exordos-storage down, or choose another folder with --state-dir"
        )
    config = config_file.read(config_path) if config_path else config_file.Config()
    own = _database(config, config_path)
    # Before an engine is built, which takes minutes.
    database.of(state, own or database.remembered(state)).check()
    if api_port is not None:
        ports.take(settings.HOST, api_port, None)[1].close()
    choice = _choice(state, engine)
    click.echo(f"- {choice.why}")
    keys = sealing_key_file.absolute() if sealing_key_file else None
    wanted = service.Wanted(
        state, choice, api_port, keys or config.sealing_keys_file, own
    )
    if detach:
        _run_behind(wanted, config_path)
    else:
        database.forget_environment()
        _run(wanted)


def _database(
    config: config_file.Config, path: Path | None
) -> database_url.Address | None:
    """The operator's own database, if one is named now."""
    named = database.from_environment(os.environ)
    if named or config.connection_url is None:
        return named
    return database_url.parse(config.connection_url, f"connection_url in {path}")


def _choice(state: statedir.StateDir, engine: str | None) -> engines.Choice:
    before = engines.kept(state, os.environ)
    if before and engine in (None, before.engine):
        return before
    cache = engine_cache.default(os.environ)
    with engine_commands.shown_progress() as progress:
        return engines.choose(
            engine,
            cache=cache,
            environ=os.environ,
            install=engines.installers(cache, os.environ, progress),
            say=lambda line: click.echo(f"- {line}"),
        )


def _run(wanted: service.Wanted) -> None:
    stop, is_up = threading.Event(), threading.Event()
    steps = progress.Steps(service.STEPS)

    def end(*_: Any) -> None:
        interrupts = not stop.is_set() and not is_up.is_set()
        stop.set()
        if interrupts:  # whatever the start waits for; later ones wait for the end
            raise KeyboardInterrupt

    def ready(facts: dict[str, Any]) -> None:
        is_up.set()
        steps.done()
        click.echo("\n" + report.text(facts, str(wanted.state.path)) + "\n")
        click.echo("Ctrl-C stops everything.")

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    try:
        service.Service(wanted, steps.says).run(stop, ready)
    finally:
        steps.done()


def _run_behind(wanted: service.Wanted, config: Path | None) -> None:
    """Run the same command without a terminal, and wait until its service is ready."""
    log = wanted.state.logs / "service.log"
    output = process.open_log(log)
    arguments = [
        f"--state-dir={wanted.state.path}",
        f"--engine={wanted.engine.engine}",
        *([f"--api-port={wanted.api_port}"] if wanted.api_port else []),
        *(
            [f"--sealing-key-file={wanted.sealing_key_file}"]
            if wanted.sealing_key_file
            else []
        ),
        # It names the database by a file or the environment, and not by an argument.
        *([f"--config={config.absolute()}"] if config else []),
    ]
    child = subprocess.Popen(
        [sys.executable, "-m", "exordos_paas_storage.cli.main", "up", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
        cwd="/",
    )
    os.close(output)
    try:
        process.wait_until(lambda: _is_ready(wanted.state, child), seconds=600.0)
    except KeyboardInterrupt:
        child.terminate()
        child.wait()
        raise
    if not _is_ready(wanted.state, child) or child.poll() is not None:
        child.terminate()
        child.wait()
        said = (process.last_line(log) or "nothing").removeprefix("exordos-storage: ")
        raise errors.SetupError(f"{said} (the whole log: {log})")
    facts = wanted.state.read_state()
    click.echo(report.text(facts, str(wanted.state.path)))
    click.echo(
        f"\nIt runs in the background (pid {child.pid}, log {log}).\n"
        f"Stop it: exordos-storage down --state-dir {wanted.state.path}"
    )


def _is_ready(state: statedir.StateDir, child: subprocess.Popen[bytes]) -> bool:
    return child.poll() is not None or state.read_state().get("pid") == child.pid


@click.command("down")
@options.state_dir
def down(state: statedir.StateDir) -> None:
    """Stop the service of a state folder; all data stays."""
    if not state.state_file.exists():
        click.echo(f"no service was ever started on {state.path}")
        return
    if service.stop(state, DOWN_WITHIN_S):
        click.echo("stopped")
        return
    service.take_down_left_over(state)
    click.echo("it was not running")


@click.command("status")
@options.state_dir
@click.option(
    "--output", type=click.Choice(("text", "json")), default="text", show_default=True
)
def status(state: statedir.StateDir, output: str) -> None:
    """Tell whether the service runs, and where everything is."""
    found = state.read_state()
    running = state.is_held()
    ready = running and "pid" in found and _answers(found["api_url"])
    if output == "json":
        click.echo(json.dumps(report.facts(found, running, ready), indent=2))
    elif not running:
        click.echo(f"no service runs on {state.path}")
    elif not ready:
        click.echo("the service runs and does not answer yet; see " + str(state.logs))
    else:
        click.echo(report.text(found, str(state.path)))


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=5).is_success
    except httpx.HTTPError:
        return False
