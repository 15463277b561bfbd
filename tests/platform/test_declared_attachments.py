"""Declared attachments that leave their manifest, and lists that name what they did."""

import pytest

from exordos_paas_storage.models import user
from exordos_paas_storage.plugin import declared
from tests.platform.shop import (
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

DENIES = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Deny",
            "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::photos/secret/*",
        }
    ],
}


@pytest.fixture(params=["users first", "attachments first"])
def ordered(request, platform):
    """A platform whose agent takes these kinds in this order; its own is a set's."""
    last = [declared.kind(f"instances.users{one}") for one in ("", ".policies")]
    if request.param == "attachments first":
        last.reverse()
    platform.driver._kinds = [*(platform.driver._kinds - {*last}), *last]
    return platform


def changed(**alice):
    """A manifest with a policy that denies, and no attachment of it any more."""
    found = shop(alice=alice, looking={"document": DENIES})
    return found | {"instances.users.policies": {}}


@pytest.mark.parametrize("before", [{}, {"policies": ["read-only"]}])
def test_attachments_may_become_a_list(ordered, db, world, before):
    """What a list names is never away; the next list without it takes it away."""
    manifest = installed(ordered, shop(alice=before, looking={"document": DENIES}))
    settles(ordered, NAMES)
    (first,) = attachments(db, "look")
    world.only.calls.clear()

    ordered.change(manifest, changed(policies=["look", "read-only"]))
    settles(ordered, WITHOUT_LOOKS)
    both = granted(db, "look", "read-only")
    made.until(lambda: world.only.policies_of("alice") == both)
    assert all(given >= granted(db, "look") for given in mapped(world))
    (kept,) = attachments(db, "look")
    assert kept["generation"] == first["generation"]
    assert not kept["declared"] and not kept["waits_for_user"]

    ordered.change(manifest, changed(policies=["read-only"]))
    wanted = granted(db, "read-only")
    ordered.until(lambda: world.only.policies_of("alice") == wanted)
    settles(ordered, WITHOUT_LOOKS)


def attachments(db, name):
    return db.execute(
        "SELECT a.* FROM s3aas_attachments a "
        "JOIN s3aas_policies p ON p.uuid = a.policy_uuid WHERE p.name = %s",
        (name,),
    ).fetchall()


def test_an_attachment_that_left_goes_and_others_stay(ordered, db, world):
    """What the API attached beside it stays, and what a list did that is left out."""
    manifest = installed(ordered, shop(alice={"policies": ["backup"]}))
    settles(ordered, NAMES)
    ordered.change(manifest, shop())
    settles(ordered, NAMES)
    attach("write-only")

    ordered.change(manifest, shop() | {"instances.users.policies": {}})
    wanted = granted(db, "backup", "write-only")
    ordered.until(lambda: world.only.policies_of("alice") == wanted)
    settles(ordered, WITHOUT_LOOKS)
    before = rows(db, "users"), rows(db, "attachments")
    for _ in range(3):
        ordered.turn()
    assert (rows(db, "users"), rows(db, "attachments")) == before


def test_a_refused_list_keeps_what_it_names_and_no_more(ordered, db, world):
    two = shop()
    of_users = two["instances.users.policies"]
    of_users["backs"] = of_users["looks"] | {"policy": "backup"}
    manifest = installed(ordered, two)
    settles(ordered, [*NAMES, "backs"])

    ordered.change(manifest, changed(policies=["look", "typo"]))
    ordered.refused("alice", "ERROR InvalidValue policies")
    ordered.until(lambda: world.only.policies_of("alice") == granted(db, "look"))

    # It never held, so that without it nobody names the policy.
    ordered.change(manifest, changed())
    ordered.until(lambda: world.only.policies_of("alice") == NOTHING)
    settles(ordered, WITHOUT_LOOKS)


def test_an_attachment_to_a_user_of_the_api_goes_by_itself(platform, db, world):
    """No pass is about such a user."""
    manifest = installed(platform)
    (main,) = rows(db, "instances")
    bob = user.User(name="bob", instance=main["uuid"], project_id=declared.PROJECT)
    bob.policies = ["backup"]
    bob.insert()
    both = shop()
    of_users = both["instances.users.policies"]
    of_users["bobs"] = of_users["looks"] | {"user": str(bob.uuid)}
    platform.change(manifest, both)
    settles(platform, [*NAMES, "bobs"])

    platform.change(manifest, shop())
    wanted = granted(db, "backup")
    platform.until(lambda: world.only.policies_of("bob") == wanted)
    settles(platform, NAMES)
