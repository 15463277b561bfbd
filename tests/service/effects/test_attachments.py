"""Attaching, detaching, replacing: a user has what its policies say, and no more."""

import pytest

from exordos_paas_storage.domain import errors
from tests.service import made
from tests.service.effects import asks
from tests.service.effects.asks import ARN, allow, deny

OBJECTS = f"{ARN}<bucket>/*"


def test_attached_and_detached(here):
    name = here.policy(allow("s3:PutObject", OBJECTS))
    user = here.user("read-only")
    key = here.key(user)
    assert here.rights(key, asks.EVERYTHING) == {
        "get_object x": True,
        "list_objects_v2": True,
        "put_object y": False,
        "delete_object z": False,
    }

    for _ in range(2):
        here.api.make(f"{user}/policies", policy=name)
        here.soon("policy attached", key, asks.put("y"), True)
        made.refused(here.api.post(f"{user}/policies", {"policy": name}), 409)
        made.refused(here.api.delete(f"{here.at}/policies/{name}"), 409, "PolicyInUse")
        here.api.remove(f"{user}/policies/{name}")
        here.soon("policy detached", key, asks.put("y"), False)
        here.api.wait_gone(f"{user}/policies/{name}")
        assert here.may(key, asks.get("x"))


def test_a_list_is_replaced_whole(here):
    user = here.user("read-only")
    key = here.key(user)

    here.api.change(user, policies=["write-only"])
    here.soon("list replaced", key, asks.get("x"), False)
    made.until(lambda: here.may(key, asks.put("y")))
    here.api.change(user, policies=[])
    here.soon("list replaced", key, asks.put("y"), False)
    here.api.change(user, policies=["read-only", "write-only"])
    here.soon("list replaced", key, asks.put("y"), True)
    assert here.may(key, asks.get("x"))


def test_a_denial_wins_over_what_another_policy_allows(here):
    allowing = here.policy(allow())
    denying = here.policy(deny("s3:PutObject", f"{ARN}<bucket>/kept/*"))
    user = here.user(allowing)
    key = here.key(user)
    assert here.may(key, asks.put("kept/y"))

    here.api.make(f"{user}/policies", policy=denying)
    here.soon("policy attached", key, asks.put("kept/y"), False)
    assert here.may(key, asks.put("y")) and here.may(key, asks.get("kept/x"))
    here.api.remove(f"{user}/policies/{denying}")
    here.soon("policy detached", key, asks.put("kept/y"), True)


def test_the_defaults_reach_those_who_follow_them(here):
    heir, other = here.user(policies=None), here.user("read-only")
    keys = [here.key(heir), here.key(other)]
    assert here.may(keys[0], asks.put("y")) and not here.may(keys[1], asks.put("y"))

    here.api.change(here.at, default_user_policies=["read-only"])
    here.soon("defaults changed", keys[0], asks.put("y"), False)
    assert here.may(keys[0], asks.get("x"))
    here.api.change(here.at, default_user_policies=[])
    here.soon("defaults changed", keys[0], asks.get("x"), False)
    assert here.may(keys[1], asks.get("x"))
    here.api.change(here.at, default_user_policies=None)
    here.soon("defaults changed", keys[0], asks.put("y"), True)


@pytest.mark.parametrize("by", ["detach", "patch"])
def test_what_is_taken_away_is_gone_while_another_policy_can_not_come(here, by):
    user = here.user("read-only", "write-only")
    key = here.key(user)

    def refuse(policy):
        if not policy.name.endswith("guard"):
            raise errors.EngineRefused("put policy", 500, "Broken")

    here.engine.on["put_policy"] = refuse
    late = made.unique("late")
    document = here.document(allow("s3:GetObjectTagging", OBJECTS))
    here.api.make(f"{here.at}/policies", name=late, document=document)
    here.api.wait(f"{here.at}/policies/{late}", "ERROR")
    if by == "detach":
        here.api.make(f"{user}/policies", policy=late)
        here.api.remove(f"{user}/policies/write-only")
    else:
        here.api.change(user, policies=["read-only", late])

    here.soon("withdrawn while another waits", key, asks.put("y"), False)
    assert here.may(key, asks.get("x"))
    assert here.api.show(user)["status"] == "PENDING"
    del here.engine.on["put_policy"]
    here.api.wait(user)
    assert here.may(key, asks.tags("x")) and not here.may(key, asks.put("y"))
