"""What is wrong is refused by name before anything is stored; lint says it, too."""

import time

import pytest

from exordos_paas_storage.domain import capabilities, policy
from tests.service import made
from tests.service.effects.asks import ARN, allow, deny, document
from tests.service.effects.stand import VERSIONS

ENGINES = capabilities.ENGINES
READ = allow("s3:GetObject", f"{ARN}photos/*")


def _large(most_bytes):
    """A document that says more than can be said in so few bytes."""
    keys = [f"{n:04}/{'long' * 220}" for n in range(most_bytes // 880 + 1)]
    return document(allow("s3:GetObject", *(f"{ARN}photos/{key}" for key in keys)))


def _with(**elements):
    return document(READ, {**READ, **elements})


INVALID = (400, "InvalidPolicy")
# A document, and the answer to it: status, type and the path behind its field's name.
BAD = {
    "B6: anything": ({**document(READ), "foo": 1}, *INVALID, ".foo"),
    "no statement": (document(), *INVALID, ".Statement"),
    "no version": ({"Statement": [READ]}, *INVALID, ".Version"),
    "an old version": (
        {**document(READ), "Version": "2008-10-17"}, *INVALID, ".Version",
    ),
    "an action that is none": (
        _with(Action="s3:GetObjekt"), *INVALID, ".Statement[1].Action[0]",
    ),
    "a wildcard that meets no action": (
        _with(Action=["s3:Get*", "s3:Noth*"]), *INVALID, ".Statement[1].Action[1]",
    ),
    "another service": (_with(Action="iam:*"), *INVALID, ".Statement[1].Action[0]"),
    "the engine's own": (_with(Action="admin:*"), *INVALID, ".Statement[1].Action[0]"),
    "an operator that is none": (
        _with(Condition={"StringEqualz": {"aws:SourceIp": "x"}}),
        *INVALID, ".Statement[1].Condition.StringEqualz",
    ),
    "a key that is none": (
        _with(Condition={"StringEquals": {"aws:Nothing": "x"}}),
        *INVALID, ".Statement[1].Condition.StringEquals.aws:Nothing",
    ),
    "a value that is none": (
        _with(Condition={"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "300.0.0.1"]}}),
        *INVALID, ".Statement[1].Condition.IpAddress.aws:SourceIp[1]",
    ),
    "a principal": (_with(Principal="*"), *INVALID, ".Statement[1].Principal"),
    "an effect in small": (_with(Effect="allow"), *INVALID, ".Statement[1].Effect"),
    "no ARN": (_with(Resource="photos/*"), *INVALID, ".Statement[1].Resource[0]"),
    "an element that is none": (_with(Extra="s3:*"), *INVALID, ".Statement[1].Extra"),
    "what no engine can decide by": (
        _with(Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}}),
        422, "UnsupportedByEngine",
        ".Statement[1].Condition.Bool.aws:MultiFactorAuthPresent",
    ),
}  # fmt: skip


@pytest.fixture(params=ENGINES)
def at(request, api):
    """An instance that no reconciler looks at, with a user, a policy and a key."""
    name = made.unique("refusing")
    api.make("/instances", name=name, version=VERSIONS[request.param])
    at = f"/instances/{name}"
    api.make(f"{at}/policies", name="reading", document=document(READ))
    api.make(f"{at}/users", name="anna", policies=["reading"])
    api.make(f"{at}/users/anna/access-keys", access_key="ANNASKEY")
    return at


def stored(api, at):
    """All that a refused call must leave as it was."""
    return [
        api.show(at + path)
        for path in ("", "/policies", "/users", "/users/anna/policies")
    ] + [api.show(f"{at}/users/anna/access-keys")]


@pytest.mark.parametrize("bad", BAD)
def test_a_bad_document_is_refused_wherever_it_stands(api, at, bad):
    written, status, kind, where = BAD[bad]
    keys, before = f"{at}/users/anna/access-keys", stored(api, at)

    for answer, field in [
        (api.post(f"{at}/policies", {"name": "bad", "document": written}), "document"),
        (api.patch(f"{at}/policies/reading", {"document": written}), "document"),
        (api.put(f"{at}/policies/reading", {"document": written}), "document"),
        (api.post(keys, {"scope": written}), "scope"),
        (api.patch(f"{keys}/ANNASKEY", {"scope": written}), "scope"),
    ]:
        made.refused(answer, status, kind, f"{field}{where}")

    assert stored(api, at) == before
    for field in ("document", "scope"):
        answer = api.post(f"{at}/policies/lint", {field: written})
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert not found["valid"] and found["compiled"] is None
        said = [(one["code"], one["type"], one["field"]) for one in found["problems"]]
        assert said[0] == (status, kind, field + where)
    assert stored(api, at) == before


@pytest.mark.parametrize("field", ["document", "scope"])
def test_what_is_too_large_is_refused(api, at, field):
    able = capabilities.of(api.show(at)["engine"], "")
    most = able.policy_bytes if field == "document" else able.scope_bytes
    before, keys = stored(api, at), f"{at}/users/anna/access-keys"
    large = _large(most)

    if field == "document":
        new = api.post(f"{at}/policies", {"name": "large", "document": large})
        change = api.patch(f"{at}/policies/reading", {"document": large})
    else:
        new = api.post(keys, {"scope": large})
        change = api.patch(f"{keys}/ANNASKEY", {"scope": large})

    for answer in (new, change):
        made.refused(answer, 422, "PolicyTooLarge", field)
    found = api.post(f"{at}/policies/lint", {field: large}).json()
    assert [one["type"] for one in found["problems"]] == ["PolicyTooLarge"]
    assert found["most_bytes"] == most
    assert stored(api, at) == before


def test_as_many_statements_as_are_taken_are_answered_soon(api, at):
    """One call must not keep a thread of the API for longer than a client waits."""
    many = document(
        *(allow("s3:GetObject", f"{ARN}photos/{n}/*") for n in range(700)),
        *(deny("s3:GetObject", f"{ARN}photos/{n}/x") for n in range(200)),
    )
    began = time.thread_time()

    answer = api.post(f"{at}/policies/lint", {"document": many})

    assert answer.status_code == 200 and time.thread_time() - began < 10


BODIES = {
    "neither document nor template": ({}, 400, "MissingField", "document"),
    "both": (
        {"document": document(READ), "template": "read-only"},
        400, "InvalidValue", "document",
    ),
    "no such template": ({"template": "write-once"}, 400, "InvalidValue", "template"),
    "parameters without a template": (
        {"document": document(READ), "parameters": {"bucket": "photos"}},
        400, "InvalidValue", "parameters",
    ),
    "a prefix without a bucket": (
        {"template": "read-only", "parameters": {"prefix": "in/"}},
        400, "InvalidValue", "parameters",
    ),
    "a wildcard for a prefix": (
        {"template": "read-only", "parameters": {"bucket": "photos", "prefix": "*"}},
        400, "InvalidValue", "parameters.prefix",
    ),
    "a variable for a prefix": (
        {"template": "read-only", "parameters": {"bucket": "photos", "prefix": "${a}"}},
        400, "InvalidValue", "parameters.prefix",
    ),
    "a document that is none": ({"document": [READ]}, 400, "InvalidValue", "document"),
}  # fmt: skip


@pytest.mark.parametrize("bad", BODIES)
def test_a_bad_policy_is_refused(api, at, bad):
    body, status, kind, field = BODIES[bad]
    before = stored(api, at)

    answer = api.post(f"{at}/policies", {"name": "bad", **body})

    made.refused(answer, status, kind, field)
    assert stored(api, at) == before


SCOPES = {
    "no such preset": ({"preset": "write-once"}, "scope.preset"),
    "a preset that is no text": ({"preset": ["read-only"]}, "scope.preset"),
    "a prefix without a bucket": ({"preset": "read-only", "prefix": "in/"}, "scope"),
    "more than a preset takes": ({"preset": "read-only", "user": "anna"}, "scope"),
    "a bucket that can't be": ({"preset": "read-only", "bucket": "*"}, "scope.bucket"),
    "a list": ([{"preset": "read-only"}], "scope"),
    "B6: anything": ({"foo": 1}, "scope"),
    "a preset and a document": ({"preset": "read-only", **document(READ)}, "scope"),
}


@pytest.mark.parametrize("bad", SCOPES)
def test_a_bad_scope_is_refused(api, at, bad):
    scope, field = SCOPES[bad]
    keys, before = f"{at}/users/anna/access-keys", stored(api, at)

    for answer in (
        api.post(keys, {"scope": scope}),
        api.patch(f"{keys}/ANNASKEY", {"scope": scope}),
    ):
        made.refused(answer, 400, "InvalidValue", field)

    assert stored(api, at) == before


def test_what_is_attached_a_default_or_a_template_stays(api, at):
    before = stored(api, at)

    answer = api.post(f"{at}/users/anna/policies", {"policy": "reading"})
    made.refused(answer, 409, "AlreadyAttached", "policy")
    made.refused(api.delete(f"{at}/policies/reading"), 409, "PolicyInUse", "name")
    for name in policy.TEMPLATES:
        made.refused(api.delete(f"{at}/policies/{name}"), 409)
        answer = api.patch(f"{at}/policies/{name}", {"document": document(READ)})
        assert answer.status_code in (400, 409)
        answer = api.post(f"{at}/policies", {"name": name, "document": document(READ)})
        made.refused(answer, 409, "NameTaken", "name")
    answer = api.post(f"{at}/users/anna/policies", {"policy": "nothing"})
    made.refused(answer, 400, "InvalidValue", "policy")

    assert stored(api, at) == before


def test_lint_says_all_that_is_wrong_and_stores_nothing(api, at):
    before = stored(api, at)
    written = document(
        {**READ, "Action": "s3:GetObjekt", "Effect": "allow"},
        {**READ, "Condition": {"StringEqualz": {"aws:SourceIp": "x"}}},
    )

    found = api.post(f"{at}/policies/lint", {"document": written}).json()

    assert {one["field"] for one in found["problems"]} == {
        "document.Statement[0].Effect",
        "document.Statement[0].Action[0]",
        "document.Statement[1].Condition.StringEqualz",
    }
    assert stored(api, at) == before


@pytest.mark.parametrize(
    "body",
    [
        {"document": document(READ)},
        {"template": "read-write"},
        {"template": "backup", "parameters": {"bucket": "photos", "prefix": "in/"}},
        {"scope": document(READ)},
        {"scope": {"preset": "write-only", "bucket": "photos"}},
    ],
    ids=["document", "template", "template with parameters", "scope", "preset"],
)
def test_lint_shows_what_the_engine_gets(api, callers, at, body):
    engine, before = api.show(at)["engine"], stored(api, at)
    able = capabilities.of(engine, "")

    for role in ("owner", "operator", "viewer"):
        found = callers["one", role].post(f"{at}/policies/lint", body)
        assert found.status_code == 200, found.text
    found = found.json()

    assert found["valid"] and found["problems"] == [] and found["engine"] == engine
    most = able.scope_bytes if "scope" in body else able.policy_bytes
    assert 0 < found["size_bytes"] <= found["most_bytes"] == most
    named = {
        action for one in found["compiled"]["Statement"] for action in one["Action"]
    }
    assert named <= set(able.guard_actions)
    assert stored(api, at) == before


def test_lint_warns_of_what_has_no_effect(api, at):
    written = document(allow(["s3:GetObject", "s3:PutBucketPolicy"]))

    found = api.post(f"{at}/policies/lint", {"document": written}).json()

    assert found["valid"]
    without_effect = [one for one in found["warnings"] if not one["laxer"]]
    assert [one["field"] for one in without_effect] == [
        "document.Statement[0].Action[1]"
    ]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"document": document(READ), "scope": document(READ)},
        {"document": document(READ), "parameters": {"bucket": "photos"}},
        {"parameters": {"bucket": "photos"}},
        {"document": document(READ), "name": "reading"},
    ],
    ids=["nothing", "two", "parameters of a document", "parameters alone", "a name"],
)
def test_lint_refuses_a_body_that_is_not_its_own(api, at, body):
    assert api.post(f"{at}/policies/lint", body).status_code == 400
