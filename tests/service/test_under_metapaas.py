"""The same route tree inside an application that MetaPaaS would build: the same API."""

import contextlib

import pytest
from restalchemy.api import resources

from exordos_paas_storage.iam import driver
from exordos_paas_storage.models import bucket
from tests.service import made, metapaas_app


@contextlib.contextmanager
def resource_map():
    """restalchemy keeps one map of resources for a process; give it back afterwards."""
    kept = dict(vars(resources.ResourceMap))
    names = [name for name in kept if isinstance(kept[name], dict)]
    before = {name: dict(kept[name]) for name in names}
    held = {name: getattr(resources.ResourceMap, name) for name in names}
    try:
        yield
    finally:
        for name in names:
            setattr(resources.ResourceMap, name, held[name])
            held[name].clear()
            held[name].update(before[name])


@pytest.fixture(scope="module", params=["platform", "restalchemy"])
def middleware(request):
    """Whose middleware asks for a token."""
    return request.param


@pytest.fixture(scope="module")
def home(middleware, callers, issued_by):
    with resource_map():
        local = driver.LocalDriver(issued_by)
        with made.client_of(metapaas_app.build(local, middleware)) as client:
            yield client


@pytest.fixture
def there(home, callers, db):
    """The API as one caller, in the other home."""
    return lambda project="one", role="owner": made.Api(
        home, callers[project, role].token
    )


@pytest.fixture
def owner(there):
    return there()


@pytest.fixture
def tree(owner):
    return made.tree(owner)


KINDS = ["instance", "bucket", "user", "policy", "attachment", "access_key"]


@pytest.mark.parametrize("kind", [*KINDS, "version"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_reads_are_the_same_in_both_homes(api, owner, tree, kind, slash):
    for path in (tree.path(kind) + slash, tree.collection(kind) + slash):
        assert owner.show(path) == api.show(path)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("slash", ["", "/"])
def test_creating_tells_where(owner, api, tree, kind, slash):
    answer = owner.post(tree.collection(kind) + slash, made.BODIES[kind]())

    assert answer.status_code == 201
    where = made.location(answer)
    assert where.startswith(made.BASE + tree.collection(kind))
    shown = {k: v for k, v in answer.json().items() if k != "secret_key"}
    assert api.show(where) == shown


@pytest.mark.parametrize(
    ("forwarded", "before"),
    [
        ({}, "http://storage.example:8080"),
        ({"Prefix": "/api/metapaas"}, "http://storage.example:8080/api/metapaas"),
        ({"Prefix": "/api/", "Proto": "https"}, "https://storage.example:8080/api"),
        ({"Proto": "HTTPS, http"}, "https://storage.example:8080"),
        ({"Prefix": ".evil.example", "Proto": "::"}, "http://storage.example:8080"),
        ({"Prefix": "[", "Proto": ":"}, "http://storage.example:8080"),
    ],
)
def test_a_location_is_what_the_caller_asks_behind_a_proxy(
    owner, tree, forwarded, before
):
    headers = {f"X-Forwarded-{name}": told for name, told in forwarded.items()}
    headers["Host"] = "storage.example:8080"

    answer = owner.post(f"{tree.at}/buckets", {"name": "far-away"}, headers=headers)

    where = f"{made.BASE}{tree.at}/buckets/far-away"
    assert answer.headers["Location"] == before + where


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("kind", ["instance", "bucket", "user", "policy", "access_key"])
def test_updates_are_partial(owner, tree, method, slash, kind):
    answer = owner.call(method, tree.path(kind) + slash, json={"labels": {"a": "b"}})

    assert answer.status_code == 200, answer.text
    assert answer.json()["labels"] == {"a": "b"}
    assert owner.call(method, tree.path(kind), json=answer.json()).status_code == 200


def test_deleting_is_204(owner, tree):
    answer = owner.delete(tree.path("bucket"))

    assert (answer.status_code, answer.content) == (204, b"")
    assert owner.show(tree.path("bucket"))["status"] == "DELETING"


ERRORS = {
    "unknown object": ("GET", "/instances/none", {}, 404, "NotFound"),
    "unknown parent": ("GET", "/instances/none/buckets", {}, 404, "NotFound"),
    "unknown route": ("GET", "{at}/nonsense", {}, 404, "NotFound"),
    "unknown collection": ("GET", "/nonsense", {}, 404, "NotFound"),
    "NUL": ("GET", "/instances/%00", {}, 404, "NotFound"),
    "name taken": ("POST", "{at}/buckets", {"name": "photos"}, 409, "NameTaken"),
    "in use": ("DELETE", "{at}/policies/reading", None, 409, "PolicyInUse"),
    "later": ("POST", "{at}/buckets", {"name": "b-1", "public": True}, 422,
              "NotYetSupported"),
    "action": ("POST", "{at}/buckets/photos/actions/cancel_delete/invoke", {}, 422,
               "NotYetSupported"),
    "unknown action": ("POST", "{at}/actions/explode/invoke", {}, 404, "NotFound"),
    "action's method": ("GET", "{at}/actions/suspend/invoke", {}, 405,
                        "MethodNotAllowed"),
    "unknown field": ("POST", "/instances", {"nope": 1}, 400, "UnknownField"),
    "missing field": ("POST", "/instances", {}, 400, "MissingField"),
    "bad value": ("PATCH", "{at}", {"cpu": True}, 400, "InvalidValue"),
    "read-only": ("PATCH", "{at}", {"status": "x"}, 400, "ReadOnlyField"),
    "array": ("POST", "/instances", [], 400, "MalformedBody"),
    "percent": ("PATCH", "{at}", {"%s%d%(x)s": 1}, 400, "UnknownField"),
    "bad query": ("GET", "/instances?nonsense=1", None, 400, "InvalidQuery"),
    "bad page": ("GET", "/instances?page_limit=0", None, 400, "InvalidQuery"),
    "bad expression": ("GET", "/instances?q=(((", None, 400, "InvalidQuery"),
    "method": ("DELETE", "/instances", None, 405, "MethodNotAllowed"),
    "read-only route": ("POST", "/versions", {}, 405, "MethodNotAllowed"),
}  # fmt: skip


@pytest.mark.parametrize("case", ERRORS)
def test_errors_are_the_same_in_both_homes(api, owner, tree, case):
    method, path, body, status, kind = ERRORS[case]
    asked = {} if body is None or method == "GET" else {"json": body}
    where = path.replace("{at}", tree.at)

    there = owner.call(method, where, **asked)
    here = api.call(method, where, **asked)

    made.refused(there, status, kind)
    assert there.json() == here.json()


HEADERS = {
    "precondition": ("PATCH", "{at}", {"If-Match": '"999"'}, 412, "PreconditionFailed"),
    "malformed": ("DELETE", "{at}/buckets/photos", {"If-Match": "1"}, 400,
                  "InvalidHeader"),
    "not taken": ("POST", "{at}/buckets", {"If-Match": "*"}, 400, "InvalidHeader"),
    "bad key": ("POST", "{at}/buckets", {"Idempotency-Key": ""}, 400, "InvalidHeader"),
}  # fmt: skip


@pytest.mark.parametrize("case", HEADERS)
def test_headers_are_refused_alike(api, owner, tree, case):
    method, path, headers, status, kind = HEADERS[case]
    sent = {} if method == "DELETE" else {"json": {"labels": {}}}
    where = path.replace("{at}", tree.at)

    there = owner.call(method, where, headers=headers, **sent)
    here = api.call(method, where, headers=headers, **sent)

    made.refused(there, status, kind)
    assert there.json() == here.json()


def test_preconditions_hold_here_too(owner, tree):
    tag = owner.get(tree.at).headers["ETag"]

    answer = owner.patch(tree.at, {"cpu": 2}, headers={"If-Match": tag})

    assert answer.status_code == 200 and answer.headers["ETag"] != tag
    answer = owner.patch(tree.at, {"cpu": 3}, headers={"If-Match": tag})
    made.refused(answer, 412, "PreconditionFailed", "If-Match")


@pytest.mark.parametrize("action", ["suspend", "resume"])
def test_actions_are_done_here_too(owner, api, tree, action):
    answer = owner.post(f"{tree.at}/actions/{action}/invoke", {})

    assert (answer.status_code, answer.json()) == (200, api.show(tree.at))


@pytest.mark.parametrize("home_of_first", ["here", "there"])
def test_a_repeat_in_the_other_home_has_the_first_answer(
    api, owner, tree, db, home_of_first
):
    """All of it lies in the database, so no process and no home has a part of it."""
    homes = [api, owner] if home_of_first == "here" else [owner, api]
    headers = {"Idempotency-Key": made.unique("key")}
    for path in (
        tree.collection("access_key"),
        f"{tree.path('access_key')}/actions/rotate/invoke",
    ):
        first, again = (
            home.post(path, {"labels": {}} if "rotate" not in path else {}, **more)
            for home, more in zip(homes, [{"headers": headers}] * 2, strict=True)
        )
        assert (first.status_code, again.status_code) == (201, 201), first.text
        assert again.json() == first.json() and first.json()["secret_key"]
        assert again.headers["Idempotency-Replayed"] == "true"
        assert again.headers["Location"] == first.headers["Location"]


def test_a_crash_leaves_nothing_here_too(home, owner, tree, monkeypatch):
    def fault(self, session):
        raise ZeroDivisionError

    headers = {"Authorization": f"Bearer {owner.token}", "Idempotency-Key": "crash"}
    url = f"{made.BASE}{tree.at}/buckets"
    with monkeypatch.context() as patched:
        patched.setattr(bucket.Bucket, "_after_insert", fault)
        answer = home.post(url, json={"name": "crashed"}, headers=headers)
        assert answer.status_code == 500

    made.refused(owner.get(f"{tree.at}/buckets/crashed"), 404)
    answer = home.post(url, json={"name": "crashed"}, headers=headers)
    assert answer.status_code == 201 and "Idempotency-Replayed" not in answer.headers


def test_bodies_that_are_not_json_are_refused_alike(owner, tree):
    said = {"Content-Type": "text/plain"}
    answer = owner.call("POST", "/instances", content="{}", headers=said)
    made.refused(answer, 415, "UnsupportedMediaType")
    body = b'{"name": "' + b"x" * (1 << 20) + b'"}'
    said = {"Content-Type": "application/json"}
    answer = owner.call("POST", "/instances", content=body, headers=said)
    made.refused(answer, 413, "BodyTooLarge")


def test_without_a_token_it_is_401_in_our_form(home, tree):
    for path in ("/instances", tree.at, f"{tree.at}/buckets", "/versions"):
        made.refused(made.Api(home, None).get(path), 401, "Unauthorized", "token")


def test_a_bad_token_is_401_in_the_platforms_form(home, middleware, callers):
    answer = home.get(
        made.BASE + "/instances", headers={"Authorization": "Bearer junk"}
    )

    # restalchemy's bare middleware knows no tokens and calls it a fault.
    assert answer.status_code == {"platform": 401, "restalchemy": 500}[middleware]
    if middleware == "platform":
        assert answer.json()["error"] == "invalid_token"
    assert "Traceback" not in answer.text and "psycopg" not in answer.text


def test_no_project_no_right_and_another_project(home, there, login, tree):
    nowhere = made.Api(home, login("owner-one").token)
    made.refused(nowhere.get("/instances"), 403, "Forbidden", "token")
    viewer = there("one", "viewer")
    made.refused(viewer.post("/instances", {"name": "x"}), 403, "Forbidden", "token")
    made.refused(viewer.delete(tree.path("bucket")), 403, "Forbidden", "token")
    made.refused(there("two").get(tree.path("bucket")), 404, "NotFound")


def test_what_failed_is_rolled_back(owner, tree):
    answer = owner.post(
        f"{tree.at}/users", {"name": "half", "policies": ["backup", "nope"]}
    )

    made.refused(answer, 400, "InvalidValue")
    made.refused(owner.get(f"{tree.at}/users/half"), 404)


def test_a_fault_leaks_nothing(home, owner, tree, monkeypatch):
    def fault(self, session):
        session.execute("SELECT secret FROM no_such_table WHERE x = 'hunter2'")

    monkeypatch.setattr(bucket.Bucket, "_before_insert", fault)
    answer = home.post(
        f"{made.BASE}{tree.at}/buckets",
        json={"name": "faulty"},
        headers={"Authorization": f"Bearer {owner.token}"},
    )

    assert answer.status_code == 500
    found = made.form_of(answer)
    assert found["type"] == "InternalError"
    assert "hunter2" not in answer.text and "no_such_table" not in answer.text


def test_the_platforms_own_document_is_still_built(home, owner):
    answer = home.get("/v1/", headers={"Authorization": f"Bearer {owner.token}"})

    assert answer.status_code == 200 and "types" in answer.text
