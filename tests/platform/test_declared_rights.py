"""What declared users may do, on the engine: never more than manifests say."""

import pytest

from exordos_paas_storage.domain import errors
from exordos_paas_storage.models import user
from tests.platform.shop import (
    MAIN,
    NAMES,
    NOTHING,
    WITHOUT_LOOKS,
    attach,
    granted,
    installed,
    mapped,
    platform,
    rows,
    settles,
    shop,
    tables,
)
from tests.service import made

__all__ = ("platform", "tables")


def test_a_user_may_nothing_until_its_attachment_is_stored(platform, db, world):
    manifest = platform.install("shop", shop(looks={"policy": "typo"}))
    for name in WITHOUT_LOOKS:
        platform.wait(name)
    platform.refused("looks", "ERROR InvalidValue policy")
    assert rows(db, "access_keys")[0]["status"] == "ACTIVE"
    assert world.only.policies_of("alice") == NOTHING

    platform.change(manifest, shop())
    settles(platform, NAMES)
    made.until(lambda: world.only.policies_of("alice") == granted(db, "look"))


def test_a_user_that_says_null_has_the_defaults(platform, db, world):
    resources = shop(alice={"policies": None}) | {"instances.users.policies": {}}
    manifest = platform.install("shop", resources)
    settles(platform, WITHOUT_LOOKS)
    assert world.only.policies_of("alice") == granted(db, "read-write")

    platform.change(manifest, shop() | {"instances.users.policies": {}})
    made.until(
        lambda: platform.turn() or world.only.policies_of("alice") == NOTHING,
    )
    settles(platform, WITHOUT_LOOKS)


def test_policies_that_the_manifest_does_not_name_stay(platform, db):
    resources = shop() | {"instances.users.policies": {}}
    platform.install("shop", resources)
    settles(platform, WITHOUT_LOOKS)
    alice = user.User.objects.get_one(filters={"name": "alice"})
    alice.policies = ["backup"]
    alice.update()
    for _ in range(3):
        platform.turn()

    assert user.User.objects.get_one(filters={"name": "alice"}).policies == ["backup"]


def test_the_defaults_beside_an_attachment_are_refused(platform, db, world):
    manifest = installed(platform)
    platform.change(manifest, shop(alice={"policies": None}))

    message = platform.refused("alice", "ERROR InvalidValue policies")
    assert message == "policies: can't be null beside declared attachments"
    assert world.only.policies_of("alice") == granted(db, "look")


def test_a_list_stands_beside_attachments(platform, db, world):
    listed = {"policies": ["backup", "read-only"]}
    manifest = installed(platform, shop(alice=listed))
    settles(platform, NAMES)
    assert world.only.policies_of("alice") == granted(db, "look", *listed["policies"])

    # What neither of the two names is taken away again.
    alice = user.User.objects.get_one(filters={"name": "alice"})
    alice.policies = ["backup", "write-only"]
    alice.update()
    wanted = granted(db, "look", *listed["policies"])
    made.until(lambda: platform.turn() or world.only.policies_of("alice") == wanted)
    settles(platform, NAMES)

    platform.change(manifest, shop(alice={"policies": []}))
    made.until(
        lambda: (
            platform.turn() or world.only.policies_of("alice") == granted(db, "look")
        )
    )
    settles(platform, NAMES)


def test_what_is_no_longer_declared_goes_from_the_list_too(platform, db, world):
    manifest = installed(platform, shop(alice={"policies": []}))
    platform.change(
        manifest, shop(alice={"policies": []}) | {"instances.users.policies": {}}
    )

    made.until(lambda: platform.turn() or world.only.policies_of("alice") == NOTHING)
    settles(platform, WITHOUT_LOOKS)


def test_an_attachment_that_left_the_manifest_is_nobodys(platform, db, world):
    """What the API attaches again before it is gone is the API's."""
    manifest = installed(platform, shop(alice={"policies": []}))
    world.only.on["map_policies"] = unavailable
    platform.change(
        manifest, shop(alice={"policies": []}) | {"instances.users.policies": {}}
    )
    platform.until(lambda: rows(db, "attachments")[0]["status"] == "DELETING")
    attach("look")
    world.only.on.clear()

    made.until(lambda: platform.turn() or not rows(db, "attachments"))
    assert world.only.policies_of("alice") == NOTHING


def unavailable(*asked):
    raise errors.EngineUnavailable("map policies")


def test_a_list_may_become_attachments(platform, db, world):
    """What of the list no attachment names stays until an empty list takes it away."""
    listed = shop(alice={"policies": ["look", "backup"]})
    manifest = platform.install("shop", listed | {"instances.users.policies": {}})
    settles(platform, WITHOUT_LOOKS)
    made.until(lambda: world.only.policies_of("alice") == granted(db, "look", "backup"))
    world.only.calls.clear()

    platform.change(manifest, shop())
    settles(platform, NAMES)
    assert world.only.policies_of("alice") == granted(db, "look", "backup")

    platform.change(manifest, shop(alice={"policies": []}))
    made.until(
        lambda: (
            platform.turn() or world.only.policies_of("alice") == granted(db, "look")
        )
    )
    settles(platform, NAMES)
    (kept,) = rows(db, "attachments")
    assert kept["uuid"] == platform.one("looks")["uuid"]
    assert all(given >= granted(db, "look") for given in mapped(world))


def test_what_the_api_attached_can_be_declared(platform, db, world):
    without = shop() | {"instances.users.policies": {}}
    manifest = platform.install("shop", without)
    settles(platform, WITHOUT_LOOKS)
    attach("look")

    platform.change(manifest, shop())
    settles(platform, NAMES)
    platform.change(manifest, without)
    made.until(lambda: platform.turn() or world.only.policies_of("alice") == NOTHING)
    settles(platform, WITHOUT_LOOKS)


def test_a_policy_is_attached_by_one_declared_object(platform):
    manifest = installed(platform)
    twice = shop()
    of_users = twice["instances.users.policies"]
    of_users["again"] = of_users["looks"]
    platform.change(manifest, twice)

    message = platform.refused("again", "ERROR AlreadyAttached policy")
    assert message == "policy: is attached to the user already"
    assert platform.shown(NAMES, turns=4) == {(name, "ACTIVE") for name in NAMES}


@pytest.mark.parametrize("listed", [["backup"], None])
def test_attachments_of_an_earlier_release_stand_beside_a_list(
    platform, db, world, listed
):
    manifest = installed(platform)
    settles(platform, NAMES)
    db.execute("UPDATE s3aas_attachments SET declared = false, waits_for_user = false")
    platform.turn()
    world.only.calls.clear()

    platform.change(manifest, shop(alice={"policies": listed}))
    if listed is None:
        message = platform.refused("alice", "ERROR InvalidValue policies")
        assert message == "policies: can't be null beside declared attachments"
        assert world.only.policies_of("alice") == granted(db, "look")
    else:
        settles(platform, NAMES)
        assert world.only.policies_of("alice") == granted(db, "look", *listed)
    assert all(given >= granted(db, "look") for given in mapped(world))


def test_a_list_and_attachments_are_fifty_together(platform):
    most = [f"one-{n}" for n in range(50)]
    many = {
        name: {"name": name, "template": "read-only", "instance": MAIN} for name in most
    }
    resources = shop(alice={"policies": most})
    resources["instances.policies"] |= many
    manifest = platform.install("shop", resources)
    platform.wait("looks")

    message = platform.refused("alice", "ERROR InvalidValue policies")
    assert message == (
        "policies: and those of declared attachments together "
        + str(user.User.resource.fields["policies"].rule.words)
    )

    resources["instances.users"]["alice"]["policies"] = most[1:]
    platform.change(manifest, resources)
    settles(platform, NAMES)
