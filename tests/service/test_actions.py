"""Actions of objects and calls of collections: their paths, bodies, rights, answers."""

import pytest

from exordos_paas_storage.api import openapi_calls, routes
from exordos_paas_storage.domain import access
from tests.service import made

ACTIONS = [
    ("instance", "suspend"),
    ("instance", "resume"),
    ("access_key", "rotate"),
]
LINTED = {"template": "backup"}
PLACES = [
    place
    for place in openapi_calls.places(routes.TypeRoute, made.BASE)
    if not place.lists_names
]


def path_of(tree, kind, action):
    return f"{tree.path(kind)}/actions/{action}/invoke"


def lint_of(tree):
    return f"{tree.at}/policies/lint"


def test_every_action_has_its_right_and_its_test():
    of_routes = {
        (place.resource.name, action)
        for place in PLACES
        for action in place.controller.actions
    }
    four = {access.CREATE, access.READ_VERB, access.UPDATE, access.DELETE}
    of_table = {
        (resource.name, verb)
        for resource in access.RESOURCES
        for verb in resource.verbs.keys() - four
    }

    assert of_routes == of_table == set(ACTIONS)
    for place in PLACES:
        assert set(place.controller.creating) <= set(place.controller.actions)
        known = {*place.controller.actions, *place.controller.calls}
        assert place.controller.action_schemas.keys() <= known
        assert place.controller.answer_schemas.keys() <= set(place.controller.calls)


@pytest.mark.parametrize(("kind", "action"), ACTIONS)
@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("body", [None, b"", b"{}", b" {} "])
def test_an_action_is_done(api, tree, kind, action, slash, body):
    sent = {} if body is None else {"content": body}
    answer = api.call("POST", path_of(tree, kind, action) + slash, **sent)

    assert answer.status_code == (201 if action == "rotate" else 200), answer.text
    found = answer.json()
    where = made.location(answer) if action == "rotate" else tree.path(kind)
    shown = api.get(where)
    assert {k: v for k, v in found.items() if k != "secret_key"} == shown.json()
    assert answer.headers["ETag"] == shown.headers["ETag"]


@pytest.mark.parametrize(("kind", "action"), ACTIONS)
def test_an_action_takes_ids(api, tree, kind, action):
    at = f"/instances/{tree.instance['id']}"
    if kind == "access_key":
        at += f"/users/{tree.user['id']}/access_keys/{tree.access_key['id']}"

    answer = api.post(f"{at}/actions/{action}/invoke", {})

    assert answer.status_code in (200, 201), answer.text


def test_only_what_makes_an_object_tells_where_and_shows_its_secret(api, tree):
    suspended = api.post(path_of(tree, "instance", "suspend"), {})
    assert "Location" not in suspended.headers
    assert suspended.json()["suspended"] is True

    rotated = api.post(path_of(tree, "access_key", "rotate"), {})

    new = rotated.json()["access_key"]
    at = f"{made.BASE}{tree.collection('access_key')}/{new}"
    assert made.location(rotated) == at
    assert len(rotated.json()["secret_key"]) == 40
    assert "secret_key" not in api.show(at)
    assert "secret_key" not in api.change(at, description="new")


@pytest.mark.parametrize(("kind", "action"), ACTIONS)
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_an_action_is_a_post(api, tree, kind, action, method):
    sent = {"json": {}} if method in ("PUT", "PATCH") else {}
    before = api.show(tree.path(kind))

    answer = api.call(method, path_of(tree, kind, action), **sent)

    made.refused(answer, 405, "MethodNotAllowed", "method")
    assert api.show(tree.path(kind)) == before


UNKNOWN = [
    "/actions", "/actions/", "/actions/invoke", "/actions/explode/invoke",
    "/actions/suspend", "/actions/suspend/", "/actions/suspend/poke",
    "/actions/suspend/invoke/more", "/actions//invoke", "/actions/suspend//invoke",
    "/actions/Suspend/invoke", "/actions/suspend%00/invoke", "/actions/rotate/invoke",
    "/actions/act_suspend/invoke", "/actions/__class__/invoke", "/actions/make/invoke",
]  # fmt: skip


@pytest.mark.parametrize("behind", UNKNOWN)
@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
def test_other_actions_are_not_there(api, tree, behind, method):
    sent = {"json": {}} if method == "POST" else {}

    made.refused(api.call(method, tree.at + behind, **sent), 404, "NotFound")
    assert api.show(tree.at)["suspended"] is False


@pytest.mark.parametrize("kind", ["bucket", "user", "policy", "attachment", "version"])
@pytest.mark.parametrize("action", ["suspend", "rotate"])
def test_others_have_no_such_action(api, tree, kind, action):
    made.refused(api.post(path_of(tree, kind, action), {}), 404, "NotFound")


@pytest.mark.parametrize(
    "path",
    [
        "/actions/suspend/invoke", "/instances/actions/suspend/invoke",
        "/instances/none/actions/suspend/invoke",
        "/instances/none/users/none/access-keys/none/actions/rotate/invoke",
        "/v1/actions/suspend/invoke", "/v1/types/actions/x/invoke",
    ],
)  # fmt: skip
def test_an_action_of_nothing_is_404(api, tree, path):
    made.refused(api.post(path, {}), 404, "NotFound")


def test_the_document_has_no_actions(http):
    answer = http.post("/specifications/3.1.0/actions/suspend/invoke", json={})

    made.refused(answer, 404, "NotFound")


@pytest.mark.parametrize(("kind", "action"), ACTIONS)
@pytest.mark.parametrize("role", access.ROLES)
def test_an_action_needs_the_right_of_its_name(callers, tree, kind, action, role):
    resource = {one.name: one for one in access.RESOURCES}[kind]

    answer = callers["one", role].post(path_of(tree, kind, action), {})

    if resource.may(role, action):
        assert answer.status_code in (200, 201), answer.text
    else:
        message = made.refused(answer, 403, "Forbidden", "token")
        assert access.permission(kind, action) in message


@pytest.mark.parametrize(("kind", "action"), ACTIONS)
def test_a_stranger_finds_nothing_to_act_on(
    api, stranger, anonymous, tree, kind, action
):
    before = api.show(tree.path(kind))

    made.refused(stranger.post(path_of(tree, kind, action), {}), 404, "NotFound")
    for path in (path_of(tree, kind, action), path_of(tree, kind, "explode")):
        made.refused(anonymous.post(path, {}), 401, "Unauthorized", "token")
    assert api.show(tree.path(kind)) == before


BODIES = {
    "array": (b"[]", 400, "MalformedBody"),
    "null": (b"null", 400, "MalformedBody"),
    "text": (b'"x"', 400, "MalformedBody"),
    "half": (b"{", 400, "MalformedBody"),
    "space": (b" ", 400, "MalformedBody"),
    "bytes": (b"\xff", 400, "MalformedBody"),
    "unknown field": (b'{"nope": 1}', 400, "UnknownField"),
    "too large": (b'{"a": "' + b"x" * (1 << 20) + b'"}', 413, "BodyTooLarge"),
}


@pytest.mark.parametrize(("kind", "action"), [*ACTIONS, ("policy", "lint")])
@pytest.mark.parametrize("case", BODIES)
def test_a_bad_body_does_nothing(api, tree, kind, action, case):
    content, code, error = BODIES[case]
    before = api.show(tree.path(kind)), api.show(tree.collection(kind))
    path = lint_of(tree) if action == "lint" else path_of(tree, kind, action)

    answer = api.call("POST", path, content=content)

    made.refused(answer, code, error)
    assert (api.show(tree.path(kind)), api.show(tree.collection(kind))) == before


@pytest.mark.parametrize(("kind", "action"), [*ACTIONS, ("policy", "lint")])
def test_a_body_of_another_type_is_415(api, tree, kind, action):
    path = lint_of(tree) if action == "lint" else path_of(tree, kind, action)
    for said in ("text/plain", "application/x-www-form-urlencoded", "multipart/mixed"):
        answer = api.call("POST", path, content="{}", headers={"Content-Type": said})
        made.refused(answer, 415, "UnsupportedMediaType", "Content-Type")


# Calls of collections.


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("role", access.ROLES)
def test_a_call_answers_whoever_may_read(api, callers, tree, slash, role):
    before = api.show(tree.collection("policy"))

    answer = callers["one", role].post(lint_of(tree) + slash, LINTED)

    assert answer.status_code == 200, answer.text
    assert isinstance(answer.json(), dict)
    assert not {"Location", "ETag"} & set(answer.headers)
    assert api.show(tree.collection("policy")) == before


def test_a_call_needs_a_body(api, tree):
    made.refused(api.call("POST", lint_of(tree)), 400, "MalformedBody")


@pytest.mark.parametrize("method", ["GET", "DELETE", "PATCH", "PUT"])
def test_a_call_is_a_post(api, tree, method):
    """No policy can be called so, so other methods find none."""
    sent = {"json": {}} if method in ("PUT", "PATCH") else {}

    made.refused(api.call(method, lint_of(tree), **sent), 404, "NotFound")


def test_a_call_is_its_collections_alone(api, stranger, anonymous, tree):
    for path in (
        f"{tree.at}/buckets/lint",
        f"{tree.at}/users/anna/policies/lint",
        f"{tree.path('policy')}/lint",
        "/instances/lint",
        "/lint",
        f"{tree.at}/policies/lint/more",
        f"{tree.at}/policies/call_lint",
    ):
        assert api.post(path, LINTED).status_code in (404, 405), path
    made.refused(api.post("/instances/none/policies/lint", LINTED), 404, "NotFound")
    made.refused(stranger.post(lint_of(tree), LINTED), 404, "NotFound")
    made.refused(anonymous.post(lint_of(tree), LINTED), 401, "Unauthorized")
