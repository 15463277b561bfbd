"""Versions, which the service's own manifest declares."""

from exordos_paas_storage.models import version
from tests.platform.shop import installed, platform, rows, shop, tables
from tests.service import made

__all__ = ("platform", "tables")

RUSTFS = {"name": "9.9.9", "engine": "rustfs", "engine_version": "1.0.1"}


def versions(**named):
    return {"versions": {name: RUSTFS | own for name, own in named.items()}}


def test_declared_versions_are_offered(platform, db):
    manifest = platform.install(
        "release", versions(new={"default": True, "image": "http://repo/node.raw.zst"})
    )
    made_by = platform.wait("new")
    assert version.find(None).name == "9.9.9"
    assert made_by["value"]["image"] == "http://repo/node.raw.zst"

    platform.change(manifest, versions(new={"default": False, "deprecated": True}))
    platform.wait("new")
    assert platform.one("new")["value"]["deprecated"] is True


def test_a_second_default_is_refused_until_the_first_yields(platform):
    both = versions(one={"default": True}, two={"name": "9.9.8", "default": True})
    manifest = platform.install("release", both)
    made.until(lambda: platform.turn() or {
        platform.one("one")["reported"], platform.one("two")["reported"]
    } == {"ACTIVE", "ERROR InvalidValue default"})  # fmt: skip

    platform.change(
        manifest,
        versions(one={"default": False}, two={"name": "9.9.8", "default": True}),
    )
    platform.wait("one")
    platform.wait("two")
    assert version.find(None).name == "9.9.8"


def test_a_version_stays_while_an_instance_is_of_it(platform, db, caplog):
    release = platform.install("release", versions(new={}))
    platform.wait("new")
    client = installed(platform, shop(main={"version": "9.9.9"}))

    release.uninstall()
    for _ in range(3):
        platform.turn()
    assert version.find("9.9.9").status == "ACTIVE"
    assert "name: is an instance's version; deprecate it instead" in caplog.text

    client.uninstall()
    platform.until(lambda: not rows(db, "instances"))
    platform.until(lambda: "9.9.9" not in {row["name"] for row in rows(db, "versions")})
