"""A manifest with one object of each kind, and the platform that installs it."""

import logging
from typing import Any

import pytest

from exordos_paas_storage.domain import policy
from exordos_paas_storage.models import attachment, base, user, version
from exordos_paas_storage.plugin import declared
from tests.platform import core_elements
from tests.platform.core_elements import link
from tests.service import conftest

SECRET = "0123456789abcdef0123456789abcdef"
MAIN = link("instances", "main")
ALICE = link("instances.users", "alice")
PHOTOS_ONLY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::ph*/*"}
    ],
}


def shop(**changed):
    """A manifest with one object of each kind; `changed` by the object's name."""
    found: dict[str, dict[str, Any]] = {
        "instances": {"main": {"name": "main", "version": "0.0.1"}},
        "instances.buckets": {
            "photos": {"name": "photos", "versioning": True, "instance": MAIN}
        },
        "instances.policies": {
            "looking": {"name": "look", "document": PHOTOS_ONLY, "instance": MAIN}
        },
        "instances.users": {"alice": {"name": "alice", "instance": MAIN}},
        "instances.users.policies": {
            "looks": {"policy": "look", "user": ALICE, "instance": MAIN}
        },
        "instances.users.access_keys": {
            "key": {
                "access_key": "AKDECLARED",
                "secret_key": SECRET,
                "user": ALICE,
                "instance": MAIN,
            }
        },
    }
    for objects in found.values():
        for name in objects.keys() & changed.keys():
            objects[name] = objects[name] | changed[name]
    return found


NAMES = ["main", "photos", "looking", "alice", "looks", "key"]
WITHOUT_LOOKS = [name for name in NAMES if name != "looks"]
NOTHING = frozenset({policy.GUARD_NAME})


@pytest.fixture(scope="module")
def tables(uri):
    core_elements.migrate()


@pytest.fixture
def platform(tables, db, running, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    found = core_elements.Platform(tmp_path, db)
    found.install("s3aas", {})
    yield found
    conftest.empty(db)
    db.execute("DELETE FROM s3aas_versions WHERE project_id = %s", (declared.PROJECT,))
    version.offer("0.0.1", "rustfs", "1.0.1")


def installed(platform, resources=None):
    manifest = platform.install("shop", resources or shop())
    for name in NAMES:
        platform.wait(name)
    return manifest


def rows(db, table):
    return db.execute(f"SELECT * FROM s3aas_{table}").fetchall()


def settles(platform, names):
    """Wait until Core shows these as `ACTIVE` and has no more to say, and they stay."""
    for name in names:
        platform.wait(name)
    platform.until(platform.is_settled)
    assert platform.shown(names, turns=4) == {(name, "ACTIVE") for name in names}


def granted(db, *names):
    """The engine's policies of a user that has these, the guard among them."""
    found = db.execute(
        "SELECT uuid FROM s3aas_policies WHERE name = ANY(%s)", ([*names],)
    ).fetchall()
    assert len(found) == len(names)
    return NOTHING | {policy.engine_name(row["uuid"]) for row in found}


def attach(name):
    """Attach a policy to alice, as the API does."""
    with base.transaction() as session:
        alice = user.User.objects.get_one(session=session, filters={"name": "alice"})
        attachment.attach(session, alice, name)


def mapped(world):
    """The sets of policies that the engine was given for users, in their order."""
    return [call[2] for call in world.only.calls if call[0] == "map_policies"]
