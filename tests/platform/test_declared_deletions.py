"""What a manifest no longer has."""

from exordos_paas_storage.domain import policy
from exordos_paas_storage.models import instance
from tests.platform.shop import installed, platform, rows, shop, tables

__all__ = ("platform", "tables")


def test_what_a_manifest_no_longer_has_goes(platform, db):
    manifest = installed(platform)
    without = shop()
    for path in [*without][1:]:
        without[path] = {}

    platform.change(manifest, without)
    platform.until(
        lambda: (
            not rows(db, "buckets") + rows(db, "users") + rows(db, "access_keys")
            and len(rows(db, "policies")) == len(policy.TEMPLATES)
        )
    )
    manifest.uninstall()
    platform.until(lambda: not rows(db, "instances"))
    platform.until(platform.is_settled)
    left = db.execute("SELECT kind FROM ua_actual_resources").fetchall()
    assert left == []


def test_an_uninstalled_element_takes_all_with_it(platform, db, caplog):
    manifest = installed(platform)
    manifest.uninstall()

    platform.until(lambda: not rows(db, "instances"))
    platform.until(platform.is_settled)
    # Other refusals are the order of the agent, which tries again.
    assert "BeingDeleted" not in caplog.text


def test_a_protected_instance_stays_and_is_asked_for_again(platform, db):
    manifest = installed(platform, shop(main={"deletion_protection": True}))
    manifest.uninstall()
    for _ in range(3):
        platform.turn()
    assert [row["status"] for row in rows(db, "instances")] == ["ACTIVE"]

    found = instance.Instance.objects.get_one(filters={"name": "main"})
    found.deletion_protection = False
    found.update()
    platform.until(lambda: not rows(db, "instances"))


def test_a_bucket_with_objects_stays_and_can_be_declared_again(platform, db, world):
    own = {"uuid": "5d1f7b3e-7f0c-4e1c-9d35-0c6a3f0c7a11"}
    manifest = installed(platform, shop(photos=own))
    world.only.put_object("photos")

    platform.change(manifest, shop() | {"instances.buckets": {}})
    platform.until(lambda: rows(db, "buckets")[0]["conditions"])
    (kept,) = rows(db, "buckets")
    assert kept["conditions"][0]["type"] == "DeleteRefused"

    platform.change(manifest, shop(photos=own))
    platform.wait("photos")
    (again,) = rows(db, "buckets")
    assert (again["uuid"], again["created_at"]) == (kept["uuid"], kept["created_at"])
