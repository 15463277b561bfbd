"""A policy says what its users may do, from its document to the engine and back."""

import pytest

from tests.service import made
from tests.service.effects import asks
from tests.service.effects.asks import ARN, allow, deny

BUCKET, OBJECTS = f"{ARN}<bucket>", f"{ARN}<bucket>/*"
HERE = {"IpAddress": {"aws:SourceIp": ["127.0.0.0/8", "::1/128"]}}
ELSEWHERE = {"NotIpAddress": {"aws:SourceIp": ["127.0.0.0/8", "::1/128"]}}
IN_HOME = {"StringLike": {"s3:prefix": ["in/*"]}}

# What the statements before and after a change of the document allow of `asks`.
ROWS = {
    "a right added": (
        [allow("s3:GetObject", OBJECTS)],
        [allow(["s3:GetObject", "s3:PutObject"], OBJECTS)],
        {asks.get("x"): (True, True), asks.put("y"): (False, True)},
    ),
    "B1: an address excluded": (
        [allow("s3:GetObject", OBJECTS)],
        [allow("s3:GetObject", OBJECTS, Condition=ELSEWHERE)],
        {asks.get("x"): (True, False)},
    ),
    "B1: the address let in": (
        [allow("s3:*", Condition=ELSEWHERE)],
        [allow("s3:*", Condition=HERE)],
        dict.fromkeys(asks.EVERYTHING, (False, True)),
    ),
    "B1: a denial for an address": (
        [allow(), deny("s3:PutObject", Condition=ELSEWHERE)],
        [allow(), deny("s3:PutObject", Condition=HERE)],
        {asks.put("y"): (True, False), asks.get("x"): (True, True)},
    ),
    "denied without TLS, which the endpoint has not": (
        [allow(), deny(Condition={"Bool": {"aws:SecureTransport": "false"}})],
        [allow(), deny(Condition={"Bool": {"aws:SecureTransport": "true"}})],
        dict.fromkeys(asks.EVERYTHING, (False, True)),
    ),
    "deny over allow in one document": (
        [allow()],
        [allow(), deny("s3:DeleteObject", OBJECTS)],
        {asks.delete("z"): (True, False), asks.put("y"): (True, True)},
    ),
    "all actions but some": (
        [allow(NotAction=["s3:DeleteObject*"])],
        [allow(NotAction=["s3:PutObject*"])],
        {asks.delete("z"): (False, True), asks.put("y"): (True, False)},
    ),
    "all resources but some": (
        [allow("s3:GetObject", NotResource=[f"{ARN}<bucket>/in/*"])],
        [allow("s3:GetObject", NotResource=[f"{ARN}<bucket>/out/*"])],
        {asks.get("in/x"): (False, True), asks.get("out/x"): (True, False)},
    ),
    "a wildcard in an action": (
        [allow("s3:Get*", OBJECTS)],
        [allow("s3:*Object", OBJECTS)],
        {
            asks.get("x"): (True, True),
            asks.tags("x"): (True, False),
            asks.put("y"): (False, True),
            asks.listing(): (False, False),
        },
    ),
    "a wildcard in a resource": (
        [allow("s3:GetObject", f"{ARN}<bucket>/a?c/*")],
        [allow("s3:GetObject", f"{ARN}<bucket>/a*")],
        {asks.get("abc/x"): (True, True), asks.get("ad/x"): (False, True)},
    ),
    "a prefix for listing": (
        [allow("s3:ListBucket", BUCKET)],
        [allow("s3:ListBucket", BUCKET, Condition=IN_HOME)],
        {
            asks.listing(): (True, False),
            asks.listing("in/"): (True, True),
            asks.listing("out/"): (True, False),
        },
    ),
    "a key that the request has not": (
        [allow("s3:ListBucket", BUCKET, Condition={"Null": {"s3:prefix": "true"}})],
        [allow("s3:ListBucket", BUCKET, Condition={"Null": {"s3:prefix": "false"}})],
        {asks.listing(): (True, False), asks.listing("in/"): (False, True)},
    ),
    "an operator of which an engine knows no IfExists": (
        [allow("s3:ListBucket", Condition={"StringEquals": {"s3:prefix": "in/"}})],
        [
            allow(
                "s3:ListBucket",
                Condition={"StringEqualsIfExists": {"s3:prefix": "in/"}},
            )
        ],
        {
            asks.listing(): (False, True),
            asks.listing("in/"): (True, True),
            asks.listing("out/"): (False, False),
        },
    ),
}


@pytest.mark.parametrize("row", ROWS)
def test_a_document_decides_until_it_is_changed_and_after(here, row):
    before, after, table = ROWS[row]
    name = here.policy(*before)
    user, path = here.user(name), f"{here.at}/policies/{name}"
    key = here.key(user)
    told = [
        {str(ask): allowed[turn] for ask, allowed in table.items()} for turn in (0, 1)
    ]
    telling, (was, becomes) = next(
        (ask, allowed) for ask, allowed in table.items() if allowed[0] != allowed[1]
    )
    assert here.rights(key, table) == told[0]

    here.api.change(path, document=here.document(*after))
    here.soon("policy edited", key, telling, becomes)
    assert here.rights(key, table) == told[1]

    here.api.change(path, document=here.document(*before))
    here.soon("policy edited", key, telling, was)
    assert here.rights(key, table) == told[0]

    here.api.remove(f"{user}/policies/{name}")
    allowed = next((ask for ask in table if told[0][str(ask)]), None)
    if allowed is not None:
        here.soon("policy detached", key, allowed, False)
    here.api.wait_gone(f"{user}/policies/{name}")
    assert not any(here.rights(key, table).values())
    here.api.remove(path)
    here.api.wait_gone(path)


def test_a_template_becomes_a_document_and_comes_back(here):
    name = here.policy(allow("s3:GetObject", f"{ARN}<bucket>/in/*"))
    path, key = f"{here.at}/policies/{name}", here.key(here.user(name))
    own = {"bucket": here.bucket, "prefix": "in/"}
    written = here.api.show(path)["document"]
    assert here.rights(key, [asks.put("in/y"), asks.get("in/x")]) == {
        "put_object in/y": False,
        "get_object in/x": True,
    }

    body = {"document": None, "template": "write-only", "parameters": own}
    shown = here.api.change(path, **body)
    assert shown["document"] != written and shown["template"] == "write-only"
    here.soon("policy edited", key, asks.put("in/y"), True)
    assert not here.may(key, asks.get("in/x"))
    assert not here.may(key, asks.put("out/y"))

    here.api.change(path, template=None, parameters={}, document=written)
    here.soon("policy edited", key, asks.put("in/y"), False)
    assert here.may(key, asks.get("in/x"))
    assert here.api.show(path)["document"] == written


def test_a_policy_says_which_of_its_parts_have_no_effect(here):
    read = allow(["s3:GetBucketLocation", "s3:PutBucketPolicy"], BUCKET)
    path = f"{here.at}/policies/{here.policy(read)}"

    said = made.condition(here.api.show(path), "FullyEffective")
    assert (said["status"], said["reason"]) == ("False", "PartsWithoutEffect")
    assert "document.Statement[0].Action[1]" in said["message"]

    read["Action"] = ["s3:GetBucketLocation"]
    here.api.change(path, document=here.document(read))
    said = made.condition(here.api.wait(path), "FullyEffective")
    assert (said["status"], said["reason"]) == ("True", "Compiled")


def test_b1_a_condition_is_applied_when_it_is_added_and_kept_by_later_edits(here):
    reading = allow("s3:GetObject", OBJECTS)
    name = here.policy(reading)
    path, key = f"{here.at}/policies/{name}", here.key(here.user(name))
    assert here.may(key, asks.get("x"))

    here.api.change(path, document=here.document({**reading, "Condition": ELSEWHERE}))
    here.soon("policy edited", key, asks.get("x"), False)
    wider = {**reading, "Action": ["s3:GetObject", "s3:ListBucket"]}
    wider["Resource"] = [BUCKET, OBJECTS]
    for condition in (ELSEWHERE, {**ELSEWHERE, **IN_HOME}):
        edited = here.document({**wider, "Condition": condition})
        here.api.change(path, document=edited)
        here.api.wait(path)
        assert here.api.show(path)["document"] == edited
        assert not here.may(key, asks.get("x")) and not here.may(key, asks.listing())

    here.api.change(path, document=here.document({**wider, "Condition": HERE}))
    here.soon("policy edited", key, asks.get("x"), True)
    assert here.may(key, asks.listing())


def test_b8_the_variable_is_the_name_of_the_user(here):
    home = f"{ARN}<bucket>/home/${{aws:username}}/*"
    name = here.policy(
        allow(["s3:GetObject", "s3:PutObject"], home),
        allow(
            "s3:ListBucket",
            BUCKET,
            Condition={"StringLike": {"s3:prefix": "home/${aws:username}/*"}},
        ),
    )
    users = [here.user(name), here.user(name)]
    own, other = (path.rpartition("/")[2] for path in users)
    keys = [here.key(users[0]), here.key(users[0]), here.key(users[1])]

    for key, mine, foreign in zip(
        keys, (own, own, other), (other, other, own), strict=True
    ):
        table = {
            asks.put(f"home/{mine}/y"): True,
            asks.get(f"home/{mine}/x"): True,
            asks.listing(f"home/{mine}/"): True,
            asks.put(f"home/{foreign}/y"): False,
            asks.get(f"home/{foreign}/x"): False,
            asks.listing(f"home/{foreign}/"): False,
            asks.put(f"home/{key.pair.access_key}/y"): False,
            asks.listing(): False,
        }
        assert [here.may(key, ask) for ask in table] == list(table.values())
