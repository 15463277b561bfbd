"""Many users and keys at once, by the bulk import that both engines have."""

import datetime
import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from typing import Any

from exordos_paas_storage.domain import state
from tests.contract.made import SECRET, Real

_MOMENT = "%Y-%m-%dT%H:%M:%SZ"


def import_iam(real: Real, files: Mapping[str, Mapping[str, Any]]) -> None:
    """Send an archive of `iam-assets/*.json`; whatever failed in it fails the test."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        for name, content in files.items():
            packed.writestr(f"iam-assets/{name}", json.dumps(content))
    answer = real.signed(
        "PUT", real.admin_path("import-iam-v2"), real.root, archive.getvalue()
    )
    assert answer.status_code == 200, answer.text
    assert not any(answer.json()["failed"].values()), answer.text


def import_users(
    real: Real, users: Mapping[str, Iterable[str]], policies: Iterable[str]
) -> None:
    """Make users that carry `policies`, each with its access keys of secret `SECRET`.

    Args:
        users: the ids of the keys of each user.
    """
    mapping = {"version": 1, "policy": ",".join(policies), "updatedAt": _now()}
    import_iam(
        real,
        {
            "users.json": {
                user: {"secretKey": SECRET, "status": "enabled"} for user in users
            },
            "svcaccts.json": {
                key: service_account(user, key)
                for user, keys in users.items()
                for key in keys
            },
            "user_mappings.json": dict.fromkeys(users, mapping),
        },
    )


def service_account(
    user: str, key: str, expires_at: datetime.datetime | None = None
) -> dict[str, Any]:
    """An entry of `svcaccts.json`."""
    account = {
        "parent": user,
        "accessKey": key,
        "secretKey": SECRET,
        "groups": [],
        "claims": {},
        "sessionPolicy": None,
        "status": "on",
        "name": "",
        "description": "",
    }
    if expires_at is not None:
        account["expiration"] = expires_at.strftime(_MOMENT)
    return account


def pair(key: str) -> state.Credentials:
    """The key pair of an imported access key."""
    return state.Credentials(key, SECRET)


def _now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).strftime(_MOMENT)
