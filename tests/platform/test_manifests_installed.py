"""The rendered manifests, from Core's element manager to our tables.

What Core itself makes (passwords, permissions) has no agent here: a secret stands where
its link does.
"""

import copy
import logging
from pathlib import Path

import exordos_metapaas
import pytest
import yaml
from exordos_core.elements.dm import models as elements
from exordos_metapaas.dm import models as metapaas
from gcl_sdk.agents.universal.clients.backend import db as backend
from restalchemy.dm import filters
from restalchemy.storage.sql import migrations
from s3aas_element import identity, release, render, versions

from exordos_paas_storage.domain import policy
from exordos_paas_storage.models import version
from exordos_paas_storage.plugin import declared
from tests.platform import core_elements
from tests.platform.shop import tables
from tests.service import conftest

__all__ = ("tables",)

STORAGE = core_elements.TYPES
KEYS = f"{STORAGE}instances.users.access_keys"
ATTACHMENTS = f"{STORAGE}instances.users.policies"
BUCKETS = f"{STORAGE}instances.buckets"
VERSIONS = f"{STORAGE}versions"
CONFIGURED = core_elements.configured
SECRET = "0123456789abcdef0123456789abcdef01234567"


def rendered(element, number="1.2.3"):
    made = release.of(number, "", versions.engine("minio", "7"), wheel=number)
    return yaml.safe_load(render.manifest(element, made))


def with_plugins():
    """What MetaPaaS's agent keeps, its own list of plugins included."""
    yield from CONFIGURED()
    project = {"project_id": filters.EQ(str(identity.METAPAAS_PROJECT))}
    yield backend.ModelSpec(
        model=metapaas.PaaSType, kind="em_metapaas_types", filters=project
    )


@pytest.fixture(scope="module")
def plugins(tables):
    """The table in which MetaPaaS reads what to install."""
    path = Path(exordos_metapaas.__file__).parent / "migrations"
    steps = migrations.MigrationEngine(str(path))
    steps.apply_migration(steps.get_latest_migration())


@pytest.fixture
def platform(plugins, db, running, tmp_path, caplog, monkeypatch):
    """Core and MetaPaaS with the element s3aas and its version of the data plane."""
    caplog.set_level(logging.DEBUG)
    # What a platform has; versions that one machine offers are not on it.
    db.execute("DELETE FROM s3aas_versions")
    monkeypatch.setattr(core_elements, "configured", with_plugins)
    found = core_elements.Platform(tmp_path, db)
    for name in ("core", "metapaas"):
        found.install(name, {})
    yield found
    conftest.empty(db)
    db.execute("DELETE FROM metapaas_paas_types")
    db.execute("DELETE FROM s3aas_versions WHERE project_id = %s", (declared.PROJECT,))
    version.offer("0.0.1", "rustfs", "1.0.1")


def installed(platform, data):
    manifest = elements.Manifest(**copy.deepcopy(data))
    manifest.insert()
    manifest.install()
    return manifest


def upgraded(manifest, data):
    for section in ("resources", "imports", "exports"):
        setattr(manifest, section, data.get(section, {}))
    manifest.update()
    manifest.upgrade()


def storage_only(data):
    """A manifest's objects of S3 storage by name, and its secrets as they are."""
    found = copy.deepcopy(data)
    del found["resources"]["$core.secret.passwords"]
    for key in found["resources"][KEYS].values():
        key["secret_key"] = SECRET
    return found


def ids(db):
    return db.execute("SELECT uuid, name FROM em_resources ORDER BY uuid").fetchall()


def test_the_element_brings_its_version(platform, db):
    installed(platform, rendered("s3aas"))
    platform.wait("v0_0_1")

    [row] = db.execute("SELECT * FROM s3aas_versions").fetchall()
    assert (row["name"], row["engine"], row["default"]) == ("0.0.1", "minio", True)
    assert row["image"].startswith("urn:images:")
    assert row["uuid"] == identity.of("version", "0.0.1")


def test_core_asks_for_each_permission_and_grant_as_it_was_written(platform, db):
    data = rendered("s3aas")
    installed(platform, data)
    asked = "SELECT value FROM ua_target_resources WHERE kind = %s"
    kind = "em_core_iam_permission_bindings"

    def there():
        return len(db.execute(asked, (kind,)).fetchall()) == len(
            data["resources"]["$core.iam.permission_bindings"]
        )

    platform.until(there)
    names = {
        row["value"]["uuid"]: row["value"]["name"]
        for row in db.execute(asked, ("em_core_iam_permissions",)).fetchall()
    }
    operator = str(identity.of("role", "operator"))
    granted = {
        names[row["value"]["permission"]]
        for row in db.execute(asked, (kind,)).fetchall()
        if row["value"]["role"] == operator
    }
    assert "s3aas.bucket.create" in granted
    assert "s3aas.access_key.create" not in granted


def test_an_upgrade_keeps_every_object(platform, db):
    manifest = installed(platform, rendered("s3aas"))
    platform.wait("v0_0_1")
    before = ids(db)
    newer = rendered("s3aas", "1.3.0")
    upgraded(manifest, newer)
    [offer] = newer["resources"][VERSIONS].values()

    def has_the_new_image():
        [row] = db.execute("SELECT image FROM s3aas_versions").fetchall()
        return row["image"] == offer["image"]

    platform.until(has_the_new_image)
    assert ids(db) == before


def test_metapaas_is_told_which_wheel_to_install_and_of_each_newer_one(platform, db):
    asked = "SELECT name, package, version, status FROM metapaas_paas_types"

    def plugin():
        return db.execute(asked).fetchone()

    manifest = installed(platform, rendered("s3aas"))
    platform.until(lambda: plugin() is not None)
    assert plugin() == {
        "name": "s3",
        "package": "exordos-paas-storage[metapaas]",
        "version": "1.2.3",
        "status": "NEW",
    }
    # What MetaPaaS's reconciler says once it is installed.
    db.execute("UPDATE metapaas_paas_types SET status = 'ACTIVE'")
    platform.wait("s3")
    upgraded(manifest, rendered("s3aas", "1.3.0"))
    platform.until(lambda: plugin()["version"] == "1.3.0")
    assert plugin()["status"] == "NEW"


def test_everything_in_the_example_becomes_active(platform):
    installed(platform, rendered("s3aas"))
    platform.wait("v0_0_1")
    data = storage_only(rendered("example_s3"))
    installed(platform, data)
    wanted = {
        (kind, label, "ACTIVE")
        for kind, found in data["resources"].items()
        for label in found
    }
    asked = (
        "SELECT r.resource_link_prefix AS kind, r.name, r.status FROM em_resources r"
        " JOIN em_elements e ON e.uuid = r.element WHERE e.name = 'example_s3'"
    )

    platform.until(
        lambda: (
            wanted
            == {tuple(row.values()) for row in platform.db.execute(asked).fetchall()}
        )
    )


def test_the_examples_users_may_nothing_but_what_is_attached(platform, db, world):
    installed(platform, rendered("s3aas"))
    platform.wait("v0_0_1")
    data = storage_only(rendered("example_s3"))
    for attached in data["resources"][ATTACHMENTS].values():
        attached["policy"] = "not-there"
    installed(platform, data)

    users = data["resources"][f"{STORAGE}instances.users"].values()
    platform.until(lambda: len(held(db)) == len(users))
    for one in users:
        assert world.only.policies_of(one["name"]) == {policy.GUARD_NAME}


def held(db):
    """Users that the engine holds as they are wanted."""
    return db.execute("SELECT * FROM s3aas_users WHERE status = 'ACTIVE'").fetchall()


def test_another_element_puts_its_bucket_into_the_shared_instance(platform, db):
    installed(platform, rendered("s3aas"))
    platform.wait("v0_0_1")
    installed(platform, rendered("communal_s3"))
    platform.wait("communal")
    installed(
        platform,
        {
            "name": "consumer",
            "version": "1.0.0",
            "api_version": "v1",
            "requirements": {"s3aas": {}, "communal_s3": {}},
            "imports": {
                "storage": {
                    "element": "$communal_s3",
                    "kind": "resource",
                    "link": f"{STORAGE}instances.$communal",
                }
            },
            "resources": {
                BUCKETS: {
                    "mine": {
                        "instance": "$consumer.imports.$storage:uuid",
                        "name": "my-bucket",
                    }
                }
            },
        },
    )
    platform.wait("mine")

    [row] = db.execute("SELECT * FROM s3aas_buckets").fetchall()
    assert row["instance"] == platform.one("communal")["uuid"]
