"""What the stand asks of Core as its administrator."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from s3aas_element import identity

from exordos_paas_storage.domain import errors
from tests.stand import host, places, secretbook
from tests.stand.secretbook import Secrets

TENANT = "tenant"
_CALLS = """\
import json, sys
import requests

asked = json.load(sys.stdin)
base = asked["core"]
token = requests.post(
    f"{base}/v1/iam/clients/{asked['client']}/actions/get_token/invoke",
    data=asked["login"], timeout=30,
)
token.raise_for_status()
session = requests.Session()
session.headers["Authorization"] = "Bearer " + token.json()["access_token"]
found = session.get(f"{base}/v1/iam/organizations/", timeout=30)
found.raise_for_status()
organization = found.json()[0]["uuid"]
for path, body in asked["posts"]:
    if "organization" in body:
        body["organization"] = f"/v1/iam/organizations/{organization}"
    answer = session.post(base + path, json=body, timeout=30)
    if answer.status_code != 201:
        sys.exit(f"POST {path}: {answer.status_code} {answer.text[:500]}")
"""


def seed(secrets: Secrets) -> None:
    """Make the project that MetaPaaS works in, and an ordinary user.

    Raises:
        SetupError: Core refuses.
    """
    project = {
        "uuid": str(identity.METAPAAS_PROJECT),
        "name": "metapaas",
        "description": "",
        "organization": "",
    }
    tenant = {
        "username": TENANT,
        "password": secrets.tenant,
        "email": f"{TENANT}@stand.example",
        "first_name": "Stand",
        "last_name": "Tenant",
        "email_verified": True,
    }
    _post(secrets, [("/v1/iam/projects/", project), ("/v1/iam/users/", tenant)])


def _post(secrets: Secrets, posts: list[tuple[str, dict[str, Any]]]) -> None:
    """Make these, from inside the stand: its network is its own."""
    login = {
        "grant_type": "password",
        "username": "admin",
        "password": secrets.admin,
        "client_id": secretbook.CLIENT_ID,
        "client_secret": secretbook.CLIENT_SECRET,
        "scope": "",
    }
    asked = {
        "core": places.CORE_URL,
        "client": secretbook.CLIENT,
        "login": login,
        "posts": posts,
    }
    done = subprocess.run(
        host.inside([str(places.VENV / "bin" / "python"), "-c", _CALLS]),
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = (done.stderr.strip() or "it said nothing").splitlines()[-1]
        raise errors.SetupError(f"Core's IAM: {said}")
