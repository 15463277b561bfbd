"""What declared users may do, on the engine: never more than manifests say."""

from exordos_paas_storage.domain import errors, policy
from exordos_paas_storage.models import attachment, base, user
from tests.platform.shop import NAMES, installed, platform, rows, shop, tables
from tests.service import made

__all__ = ("platform", "tables")

NOTHING = frozenset({policy.GUARD_NAME})
WITHOUT_LOOKS = [name for name in NAMES if name != "looks"]


def granted(db, *names):
    """The engine's policies of a user that has these, the guard among them."""
    found = db.execute(
        "SELECT uuid FROM s3aas_policies WHERE name = ANY(%s)", ([*names],)
    ).fetchall()
    assert len(found) == len(names)
    return NOTHING | {policy.engine_name(row["uuid"]) for row in found}


def settles(platform, names):
    for name in names:
        platform.wait(name)
    platform.until(platform.is_settled)
    assert platform.shown(names, turns=4) == {(name, "ACTIVE") for name in names}


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
    with base.transaction() as session:
        alice = user.User.objects.get_one(session=session, filters={"name": "alice"})
        attachment.attach(session, alice, "look")
    world.only.on.clear()

    made.until(lambda: platform.turn() or not rows(db, "attachments"))
    assert world.only.policies_of("alice") == NOTHING


def unavailable(*asked):
    raise errors.EngineUnavailable("map policies")
