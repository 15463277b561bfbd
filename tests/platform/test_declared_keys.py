"""Declared keys that were rotated: what was rotated away never signs again."""

import datetime
import importlib.util

import psycopg
import pytest

from exordos_paas_storage.domain import errors
from exordos_paas_storage.models import access_key, base, migrate, user
from tests.platform.shop import (
    NAMES,
    SECRET,
    installed,
    platform,
    rows,
    settles,
    shop,
    tables,
)
from tests.service import made

__all__ = ("platform", "tables")

WITHOUT_KEY = [name for name in NAMES if name != "key"]
OTHER = {"access_key": "AKOTHER", "secret_key": SECRET[::-1]}


def ends_at(db):
    (row,) = db.execute(
        "SELECT expires_at FROM s3aas_access_keys WHERE access_key = 'AKDECLARED'"
    ).fetchall()
    return row["expires_at"]


def declared_key():
    return access_key.AccessKey.objects.get_one(filters={"access_key": "AKDECLARED"})


@pytest.mark.parametrize(
    ("main", "asked"),
    [
        ({}, None),
        ({"max_key_ttl_s": 3600}, None),
        ({}, "2040-01-01T00:00:00Z"),
    ],
)
def test_a_key_that_was_rotated_away_is_not_brought_back(
    platform, db, world, main, asked
):
    installed(platform, shop(main=main, key={"expires_at": asked}))
    settles(platform, NAMES)
    follows = declared_key().rotate(0)
    made.until(lambda: world.only.access_key("AKDECLARED") is None)
    ended = ends_at(db)

    settles(platform, NAMES)
    assert ends_at(db) == ended
    assert world.only.access_key("AKDECLARED") is None
    made.until(lambda: world.only.access_key(follows.access_key))


def test_a_key_in_a_rotation_can_end_earlier(platform, db):
    manifest = installed(platform)
    declared_key().rotate(3600)
    nearer = (base.now() + datetime.timedelta(seconds=600)).replace(microsecond=0)
    platform.change(manifest, shop(key={"expires_at": nearer.isoformat()}))

    platform.until(lambda: ends_at(db) == nearer.replace(tzinfo=None))
    settles(platform, NAMES)


def key(name):
    return access_key.AccessKey.objects.get_one(filters={"access_key": name})


def delete(db, name):
    """Delete a key, and wait until the engine and the table are rid of it."""
    key(name).delete()
    made.until(lambda: name not in names(db))


def names(db):
    return [row["access_key"] for row in rows(db, "access_keys")]


def rotated_twice(db):
    """Rotate the declared key, and its successor; give the id of the last one.

    Each that is rotated away is deleted.
    """
    follows = declared_key().rotate(0).access_key
    delete(db, "AKDECLARED")
    last = key(follows).rotate(0).access_key
    delete(db, follows)
    return last


def test_a_key_that_was_rotated_away_and_deleted_is_not_made_again(platform, db, world):
    manifest = installed(platform)
    settles(platform, NAMES)
    follows = declared_key().rotate(3600).access_key
    delete(db, "AKDECLARED")

    message = platform.refused("key", "ERROR AlreadyRotated access_key")
    assert message == (
        "access_key: was rotated away; declare a key of another id and secret"
    )
    assert platform.shown(WITHOUT_KEY, 4) == {(name, "ACTIVE") for name in WITHOUT_KEY}
    assert world.only.access_key("AKDECLARED") is None
    assert names(db) == [follows]

    platform.change(manifest, shop(key=OTHER))
    settles(platform, NAMES)
    assert sorted(names(db)) == sorted([follows, "AKOTHER"])


def test_nor_is_it_when_its_successors_are_gone(platform, db):
    installed(platform)
    settles(platform, NAMES)
    last = rotated_twice(db)
    platform.refused("key", "ERROR AlreadyRotated access_key")
    delete(db, last)

    for _ in range(3):
        platform.turn()
    platform.refused("key", "ERROR AlreadyRotated access_key")
    assert names(db) == []


def test_nor_is_it_when_its_user_is_made_again(platform, db):
    installed(platform)
    settles(platform, NAMES)
    declared_key().rotate(0)
    (alice,) = rows(db, "users")
    user.User.objects.get_one(filters={"name": "alice"}).delete()

    platform.until(
        lambda: all(r["created_at"] > alice["created_at"] for r in rows(db, "users"))
    )
    platform.refused("key", "ERROR AlreadyRotated access_key")
    assert names(db) == []


def test_nor_is_one_whose_id_the_service_chose(platform, db):
    without_id = shop()
    del without_id["instances.users.access_keys"]["key"]["access_key"]
    manifest = installed(platform, without_id)
    settles(platform, NAMES)
    (chosen,) = names(db)
    key(chosen).rotate(0)
    delete(db, chosen)

    platform.refused("key", "ERROR AlreadyRotated access_key")
    assert chosen not in names(db)
    platform.change(manifest, shop(key=OTHER))
    settles(platform, NAMES)


def test_a_key_that_was_not_rotated_away_is_made_again(platform, db):
    """Not even where the others of its user were."""
    two = shop()
    keys = two["instances.users.access_keys"]
    keys["other"] = keys["key"] | OTHER
    installed(platform, two)
    settles(platform, [*NAMES, "other"])
    declared_key().rotate(0)
    delete(db, "AKOTHER")

    platform.until(lambda: "AKOTHER" in names(db))
    settles(platform, [*NAMES, "other"])


def test_a_refused_rotation_says_what_a_declared_key_can_take(platform, db):
    installed(platform)
    follows = declared_key().rotate(3600)

    for one in (declared_key(), follows):
        with pytest.raises(errors.AlreadyRotated) as refused:
            one.rotate(0)
        assert str(refused.value) == (
            "access_key: is in a rotation already; wait until the older of the two has "
            "expired, or give it an earlier expires_at; to rotate the older one again, "
            "delete the newer one"
        )


def upgraded(uri):
    """What an upgrade from migration 0002 remembers of the database as it is now."""
    (path,) = migrate.path().glob("0003-*.py")
    spec = importlib.util.spec_from_file_location("step", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with psycopg.connect(uri) as connection:
        module.migration_step.downgrade(connection)
        module.migration_step.upgrade(connection)
        found = connection.execute("SELECT key FROM s3aas_rotated_away").fetchall()
        connection.rollback()
    return {name for (name,) in found}


def test_an_upgrade_knows_what_was_rotated_away_before(platform, db, uri):
    installed(platform)
    settles(platform, NAMES)
    assert upgraded(uri) == set()
    first = declared_key()
    first.rotate(0)
    assert upgraded(uri) == {"AKDECLARED", str(first.uuid)}

    delete(db, "AKDECLARED")
    assert upgraded(uri) == {"AKDECLARED"}
