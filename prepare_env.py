"""Brings the service onto a live platform, and says where: `prepare_env.py --help`.

Builds the wheel and the manifests, installs the elements `metapaas` (where it is
missing) and `s3aas` with the stock command line, waits until they are ACTIVE, and
writes the environment variables of the functional tests.
"""

from __future__ import annotations

import os
import secrets
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import httpx
import yaml

from exordos_paas_storage.domain import errors

# As `make install`; the element's own tools lie beside its manifests.
sys.path.insert(0, str(Path(__file__).parent / "exordos" / "element"))
from s3aas_element import install, served

from tests.functional import cli, core

HOST = "metapaas"
VERSIONS = "/v1/types/s3/versions"
TENANT = "s3-tenant"
ENV_FILE = "functional.env"
_POLL_S = 2.0


class Patience:
    """What is left of the time that everything may take together."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._ends = seconds, time.monotonic() + seconds

    def left_s(self) -> float:
        return max(0.0, self._ends - time.monotonic())

    def until(self, done: Callable[[], bool], what: str) -> None:
        """Wait.

        Raises:
            SetupError: the time is over.
        """
        while not done():
            if not self.left_s():
                raise errors.SetupError(
                    f"not in {self._seconds:g} s (--wait-timeout): {what}"
                )
            time.sleep(_POLL_S)


@click.command(context_settings={"show_default": True})
@click.option(
    "--metapaas-dir",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A built MetaPaaS: the folder whose `manifests/metapaas.yaml` is installed"
    " where the platform has no element `metapaas`. Without it that is an error.",
)
@click.option(
    "--project-dir",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(__file__).parent,
    help="This project's checkout, where `make build` is run.",
)
@click.option(
    "--output-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("output"),
    help=f"Gets the file {ENV_FILE}, with passwords, readable by you alone.",
)
@click.option(
    "--endpoint",
    envvar="EXORDOS_ENDPOINT",
    required=True,
    help="Core's API, such as http://10.20.0.2:11010. [env: EXORDOS_ENDPOINT]",
)
@click.option(
    "--username",
    "--admin",
    envvar="EXORDOS_USERNAME",
    default="admin",
    help="The platform's administrator. [env: EXORDOS_USERNAME]",
)
@click.option(
    "--password",
    envvar="EXORDOS_PASSWORD",
    prompt=True,
    hide_input=True,
    help="The administrator's password; asked for where neither the option nor the"
    " variable is given. [env: EXORDOS_PASSWORD]",
)
@click.option(
    "--wait-timeout",
    type=click.FloatRange(min=1),
    default=900.0,
    help="Seconds in which, after the build, the elements must be ACTIVE and the API"
    " must answer, all together.",
)
@click.option(
    "--service-url",
    envvar="EXORDOS_S3_CP_URL",
    default="http://metapaas-cp:8080",
    help="MetaPaaS's API. [env: EXORDOS_S3_CP_URL]",
)
@click.option(
    "--repository",
    required=True,
    help="Address at which PROJECT_DIR/output/repository is served: Core reads the"
    " element there, and machines get their image from it. Needed.",
)
@click.option(
    "--index-url",
    default="",
    help="Package index from which MetaPaaS installs the wheel.",
)
@click.option(
    "--build/--no-build", default=True, help="Whether `make build` is run before."
)
def main(
    metapaas_dir: Path | None,
    project_dir: Path,
    output_dir: Path,
    endpoint: str,
    username: str,
    password: str,
    wait_timeout: float,
    service_url: str,
    repository: str,
    index_url: str,
    build: bool,
) -> None:
    """Prepare a live platform for the functional tests.

    What is there already is left or brought up to date, so a second run is harmless.
    """
    if build:
        _build(project_dir, repository, index_url)
    version = _built_version(project_dir)
    admin = (username, password)
    patience = Patience(wait_timeout)
    try:
        platform = core.Core(endpoint, admin)
        with tempfile.TemporaryDirectory() as home:
            run = cli.Cli(
                os.environ.get("EXORDOS_CLI") or "exordos",
                Path(home),
                platform.url,
                admin,
                patience.left_s,
            )
            _install_host(run, platform, metapaas_dir, patience)
            click.echo(f"- {install.place.ELEMENT} {version} from {repository}")
            install.install(
                run.told, repository, version, patience.left_s(), served.read
            )
        patience.until(lambda: _serves(service_url), f"{service_url}{VERSIONS} answers")
        tenant = _tenant(platform, output_dir / ENV_FILE)
    except httpx.HTTPError as error:
        raise click.ClickException(f"Core does not answer: {error}") from None
    except (AssertionError, errors.SetupError) as error:
        raise click.ClickException(str(error)) from None
    file = _write(
        output_dir,
        EXORDOS_ENDPOINT=endpoint,
        EXORDOS_USERNAME=username,
        EXORDOS_PASSWORD=password,
        METAPAAS_USERNAME=tenant[0],
        METAPAAS_PASSWORD=tenant[1],
        EXORDOS_S3_CP_URL=service_url,
    )
    click.echo(f"ready: set -a; . {shlex.quote(str(file))}; set +a")


def _build(project_dir: Path, repository: str, index_url: str) -> None:
    named = {"REPOSITORY": repository, "INDEX_URL": index_url}
    words = [f"{name}={value}" for name, value in named.items() if value]
    answer = subprocess.run(
        ["make", "-C", str(project_dir), "build", *words],  # noqa: S607 - make is make
        check=False,
    )
    if answer.returncode:
        raise click.ClickException("`make build` failed; its reason stands above")


def _built_version(project_dir: Path) -> str:
    manifest = project_dir / "output" / "manifests" / f"{install.place.ELEMENT}.yaml"
    if not manifest.is_file():
        raise click.ClickException(f"there is no {manifest}: leave out --no-build")
    return str(yaml.safe_load(manifest.read_text())["version"])


def _install_host(
    run: cli.Cli, platform: core.Core, folder: Path | None, patience: Patience
) -> None:
    if platform.list("em/elements", name=HOST):
        _wait_active(platform, HOST, patience)
        return
    if folder is None:
        raise click.ClickException(
            f"the platform has no element {HOST}: name a built one by --metapaas-dir"
        )
    manifest = folder / "manifests" / f"{HOST}.yaml"
    if not manifest.is_file():
        raise click.ClickException(f"there is no {manifest}: was it built?")
    click.echo(f"- {HOST} from {manifest}")
    run("ee", "install", str(manifest))
    _wait_active(platform, HOST, patience)


def _wait_active(platform: core.Core, name: str, patience: Patience) -> None:
    def active() -> bool:
        found = platform.list("em/elements", name=name)
        return bool(found) and found[0]["status"] == "ACTIVE"

    patience.until(active, f"the element {name} is ACTIVE")


def _serves(service_url: str) -> bool:
    """Whether the service's own routes are there: a token is asked for, in its form."""
    try:
        answer = httpx.get(service_url.rstrip("/") + VERSIONS, timeout=10)
        return answer.status_code == 401 and answer.json()["type"] == "Unauthorized"
    except (httpx.HTTPError, ValueError, KeyError):
        return False


def _tenant(platform: core.Core, before: Path) -> tuple[str, str]:
    """Name and password of an ordinary user: an earlier run's, or a new one's."""
    known = _read(before)
    name, password = known.get("METAPAAS_USERNAME"), known.get("METAPAAS_PASSWORD")
    if name and password and platform.list("iam/users", username=name):
        return name, password
    name, password = f"{TENANT}-{secrets.token_hex(3)}", secrets.token_urlsafe(24)
    fields: dict[str, Any] = {
        "username": name,
        "password": password,
        "description": "Owns what the functional tests of S3 storage make",
        "first_name": "Functional",
        "last_name": "Tenant",
        "email": f"{name}@example.com",
    }
    platform.make("iam/users", **fields)
    return name, password


def _read(file: Path) -> dict[str, str]:
    if not file.is_file():
        return {}
    lines = [shlex.split(line)[0] for line in file.read_text().splitlines() if line]
    return dict(line.split("=", 1) for line in lines)


def _write(folder: Path, **variables: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / ENV_FILE
    file.touch(mode=0o600)
    file.chmod(0o600)
    file.write_text(
        "".join(f"{name}={shlex.quote(value)}\n" for name, value in variables.items())
    )
    return file


if __name__ == "__main__":
    main()
