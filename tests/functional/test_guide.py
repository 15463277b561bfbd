"""The platform guide's first call, pasted into a shell; where its answers lead."""

import os
import re
import shlex
import subprocess
import sys
import uuid
from pathlib import Path

import httpx
import pytest

from tests.service import made

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "platform.md"
BALANCER = "http://10.20.0.2/api"


@pytest.fixture(scope="module")
def balancer(live):
    """Core's load balancer, which has Core's API and MetaPaaS's below this path."""
    return live.core.url.removesuffix("/core")


def commands(live, balancer, project, folder):
    """The blocks for a tenant, with what a reader of the guide fills in."""
    section = GUIDE.read_text().split("\n## First call\n")[1].split("\n## ")[0]
    blocks = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)[:2]
    text = "".join(blocks)
    name, password = live.given.tenant
    (folder / "password").write_text(password)
    filled = {
        "ORGANIZATION=…": "ORGANIZATION="
        + live.core.list("iam/organizations")[0]["uuid"],
        "$(cat /proc/sys/kernel/random/uuid)": project,
        "-n shop": f"-n {made.unique('shop')}",
        "-u USERNAME": f"-u {name}",
        "$(token USERNAME PASSWORD_FILE": f"$(token {name} {folder}/password",
    }
    for shown, real in filled.items():
        assert text.count(shown) == 1, shown
        text = text.replace(shown, real)
    return text.replace(BALANCER, balancer)


def test_the_first_call_of_a_tenant(given, live, balancer, run, tmp_path):
    project = str(uuid.uuid4())
    exordos = f'exordos() {{ {shlex.quote(given.cli)} --no-check-updates "$@"; }}\n'
    tools = Path(sys.executable).parent  # for a python3 that has boto3
    environ = {**os.environ, "HOME": str(run.home)}
    environ["PATH"] = f"{tools}{os.pathsep}{os.environ['PATH']}"
    with live.removed(project):
        shell = subprocess.run(
            ["bash", "-eu", "-o", "pipefail"],
            input=exordos + commands(live, balancer, project, tmp_path),
            env=environ,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )

    assert shell.returncode == 0, shell.stderr
    # The answers of curl end without a line's end.
    assert shell.stdout.endswith("b'hello'\n")


def test_a_location_leads_to_what_was_made_also_by_the_balancer(
    live, accounts, balancer, example
):
    owner = accounts["one", "owner"]
    headers = {"Authorization": f"Bearer {live.token(owner)}"}
    at = f"{balancer}/metapaas{made.BASE}{example.at}/buckets"
    name = made.unique("located")
    with httpx.Client(headers=headers, timeout=60, trust_env=False) as client:
        answer = client.post(at, json={"name": name})
        assert answer.status_code == 201, answer.text

        found = client.get(answer.headers["Location"])

        assert (found.status_code, found.json()["name"]) == (200, name)
        assert client.delete(f"{at}/{name}").status_code == 204
