"""Idempotency-Key: a POST that is sent again is answered as before, not done again."""

import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exordos_paas_storage.api import idempotency as answers
from exordos_paas_storage.models import account, idempotency
from tests.service import conftest, made
from tests.service.repeats import (
    KINDS,
    POSTS,
    aged,
    body_of,
    counted,
    is_replay,
    keyed,
    place,
    told,
)

WITH_SECRET = ("access_key", "rotate")
OFTEN = settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)


@pytest.fixture
def records(db):
    """Reads what is stored of keyed calls."""
    return lambda: db.execute("SELECT * FROM s3aas_idempotency").fetchall()


@pytest.mark.parametrize("post", POSTS)
def test_a_repeat_has_the_first_answer_and_does_nothing(api, tree, db, post):
    path, body = place(tree, post), body_of(post)

    first = keyed(api, path, body)
    after = counted(db)
    repeats = [keyed(api, path, body) for _ in range(3)]

    assert first.status_code == (201 if POSTS[post][2] else 200), first.text
    assert not is_replay(first)
    for again in repeats:
        assert is_replay(again)
        assert told(again) == told(first)
    assert counted(db) == after
    assert first.headers["ETag"] == f'"{first.json()["generation"]}"'
    assert ("Location" in first.headers) == POSTS[post][2]


@pytest.mark.parametrize("post", POSTS)
def test_a_body_that_says_the_same_is_the_same(api, tree, post):
    path, body = place(tree, post), body_of(post)
    if post not in ("attachment", "suspend", "resume", "rotate"):
        body |= {"labels": {"a": "1", "b": "2"}}
    turned = {
        name: dict(reversed(value.items())) if isinstance(value, dict) else value
        for name, value in reversed(body.items())
    }

    first = keyed(api, path, body)
    again = keyed(api, path, turned)

    assert is_replay(again) and told(again) == told(first)


def test_no_body_and_an_empty_one_are_the_same_to_an_action(api, tree):
    path = place(tree, "rotate")

    first = keyed(api, path, {})
    bare = api.call("POST", path, headers={"Idempotency-Key": "k-1"})

    assert is_replay(bare) and told(bare) == told(first)


@pytest.mark.parametrize("post", POSTS)
def test_another_body_is_409(api, tree, db, post):
    path, body = place(tree, post), body_of(post)
    keyed(api, path, body)
    before = counted(db)
    other = {"labels": {"other": "one"}} if post in KINDS else {"other": 1}

    answer = keyed(api, path, body | other)

    made.refused(answer, 409, "IdempotencyKeyReused", "Idempotency-Key")
    assert counted(db) == before
    assert is_replay(keyed(api, path, body))


def test_other_keys_are_other_calls(api, tree):
    path = tree.collection("access_key")

    found = [keyed(api, path, {}, key).json() for key in ("a", "b", "A", " b", "a ")]

    # A server strips what stands around a header's value; this one gets it as it is.
    assert len({one["id"] for one in found}) == 5


def test_an_object_that_is_gone_is_still_told_of(api, tree, reconcile):
    path = f"{tree.at}/buckets"
    first = keyed(api, path, {"name": "shortly"})
    api.remove(f"{path}/shortly")
    assert told(keyed(api, path, {"name": "shortly"})) == told(first)
    reconcile()
    api.wait_gone(f"{path}/shortly")

    assert told(keyed(api, path, {"name": "shortly"})) == told(first)
    made.refused(api.get(f"{path}/shortly"), 404)


# Who asks, and where.


def test_each_caller_has_its_own_keys(api, callers, tree, stranger):
    operator = callers["one", "operator"]
    body = {"name": "shared-name"}

    first = keyed(api, f"{tree.at}/buckets", body)
    answer = keyed(operator, f"{tree.at}/buckets", body)
    made.refused(answer, 409, "NameTaken", "name")
    other = keyed(operator, f"{tree.at}/buckets", {"name": "operators-own"})

    assert first.status_code == other.status_code == 201
    assert not is_replay(other)
    instance = keyed(api, "/instances", {"name": "same"})
    theirs = keyed(stranger, "/instances", {"name": "same"})
    assert theirs.status_code == 201 and not is_replay(theirs)
    assert theirs.json()["id"] != instance.json()["id"]


def test_one_account_has_other_keys_in_each_project(uri, callers, login, db):
    one, two = conftest.PROJECTS["one"], conftest.PROJECTS["two"]
    name = made.unique("both")
    account.add_user(name, made.PASSWORD, one, "owner")
    account.set_role(name, two, "owner")

    found = [
        keyed(login(name, project), "/instances", {"name": "twice"})
        for project in (one, two)
    ]

    assert [answer.status_code for answer in found] == [201, 201]
    projects = {answer.json()["project_id"] for answer in found}
    assert projects == {str(one), str(two)}


def test_each_path_has_its_own_keys(api, tree):
    api.make("/instances", name="other")
    api.make("/instances/other/users", name="anna")
    body = {"name": "wherever"}

    paths = (f"{tree.at}/buckets", f"{tree.at}/users", "/instances/other/buckets")
    found = [keyed(api, path, body) for path in paths]
    keys = [
        keyed(api, f"{at}/users/anna/access-keys", {})
        for at in (tree.at, "/instances/other")
    ]
    rotated = [
        keyed(api, f"{place(tree, 'access_key')}/{one}/actions/rotate/invoke", {})
        for one in (
            tree.access_key["access_key"],
            keys[0].json()["access_key"],
        )
    ]

    assert [answer.status_code for answer in found] == [201] * 3
    assert not any(map(is_replay, [*found, *keys, *rotated]))
    assert len({one.json()["id"] for one in [*keys, *rotated]}) == 4


def test_a_path_is_the_same_by_name_or_id_with_or_without_a_slash(api, tree):
    first = keyed(api, tree.collection("access_key"), {})
    by_id = f"/instances/{tree.instance['id']}/users/{tree.user['id'].upper()}"
    paths = [
        f"{tree.collection('access_key')}/",
        f"{by_id}/access-keys",
        f"{by_id}/access_keys/",
    ]

    for path in paths:
        again = keyed(api, path, {})
        assert is_replay(again) and told(again) == told(first)


def test_a_new_instance_of_an_old_name_starts_anew(api, reconcile):
    api.make("/instances", name="again")
    first = keyed(api, "/instances/again/buckets", {"name": "inside"})
    api.remove("/instances/again")
    reconcile()
    api.wait_gone("/instances/again")
    api.make("/instances", name="again")

    second = keyed(api, "/instances/again/buckets", {"name": "inside"})

    assert second.status_code == 201 and not is_replay(second)
    assert second.json()["id"] != first.json()["id"]


def test_a_right_that_is_gone_opens_no_answer(uri, callers, login, db, api, tree):
    name = made.unique("fallen")
    project = conftest.PROJECTS["one"]
    account.add_user(name, made.PASSWORD, project, "owner")
    fallen = login(name, project)
    path = tree.collection("access_key")
    first = keyed(fallen, path, {})
    assert first.status_code == 201

    for role in ("operator", "viewer"):
        account.set_role(name, project, role)
        answer = keyed(fallen, path, {})
        made.refused(answer, 403, "Forbidden", "token")
    account.set_role(name, project, "owner")
    assert told(keyed(fallen, path, {})) == told(first)


# Secrets.


@pytest.mark.parametrize("post", WITH_SECRET)
def test_a_secret_is_told_again_for_ten_minutes(api, tree, db, post):
    path = place(tree, post)
    first = keyed(api, path, {})
    secret = first.json()["secret_key"]
    assert len(secret) == 40

    aged(db, minutes=9)
    assert told(keyed(api, path, {})) == told(first)
    aged(db, minutes=1)
    late = keyed(api, path, {})

    assert is_replay(late) and late.status_code == 201
    assert late.json() == first.json() | {"secret_key": None}
    assert secret not in late.text


@pytest.mark.parametrize("post", WITH_SECRET)
def test_a_secret_is_gone_with_its_key(api, tree, reconcile, post):
    path = place(tree, post)
    first = keyed(api, path, {}).json()
    at = f"{tree.collection('access_key')}/{first['access_key']}"
    api.remove(at)

    deleting = keyed(api, path, {})
    assert deleting.json() == first | {"secret_key": None}
    if post == "access_key":
        reconcile()
        api.wait_gone(at)
        assert told(keyed(api, path, {})) == told(deleting)


def test_nothing_secret_lies_in_a_record(api, tree, records, db):
    given = {"access_key": "GIVENKEY1", "secret_key": "given-secret-of-a-key"}
    answer = keyed(api, tree.collection("access_key"), given)
    rotated = keyed(api, place(tree, "rotate"), {})
    assert answer.status_code == rotated.status_code == 201

    text = str(records())

    assert given["secret_key"] not in text
    assert rotated.json()["secret_key"] not in text
    # Nor does what is compared tell a guess of the body from another.
    digest = answers._canonical(given)
    for form in (digest.decode(), idempotency.hashlib.sha256(digest).hexdigest()):
        assert form not in text
    sealed = [one["body"] for one in records()]
    db.execute("DELETE FROM s3aas_idempotency")
    db.execute("DELETE FROM s3aas_access_keys WHERE access_key = 'GIVENKEY1'")
    keyed(api, tree.collection("access_key"), given)
    assert not {one["body"] for one in records()} & set(sealed)


@pytest.mark.parametrize("caller", ["another", "without"])
def test_no_other_call_tells_the_secret(api, callers, tree, caller):
    path = tree.collection("access_key")
    first = keyed(api, path, {}).json()

    if caller == "without":
        found = api.post(path, {})
    else:
        operator = keyed(callers["one", "operator"], path, {})
        made.refused(operator, 403, "Forbidden")
        found = api.get(f"{path}/{first['access_key']}")

    assert first["secret_key"] not in found.text


# Time.


def test_a_key_is_free_after_a_day(api, tree, db, records):
    path = tree.collection("access_key")
    first = keyed(api, path, {})
    aged(db, hours=23)
    assert is_replay(keyed(api, path, {}))
    aged(db, hours=1)

    second = keyed(api, path, {})
    third = keyed(api, path, {})

    assert second.status_code == 201 and not is_replay(second)
    assert second.json()["id"] != first.json()["id"]
    assert told(third) == told(second) and is_replay(third)
    assert len(records()) == 1
    aged(db, hours=24)
    other = keyed(api, path, {"description": "another body"})
    assert other.status_code == 201 and not is_replay(other)


def test_records_past_their_time_are_removed_some_at_a_time(api, tree, db, records):
    def add(number, age):
        db.execute(
            "INSERT INTO s3aas_idempotency "
            "(uuid, project_id, user_uuid, place, key, body, created_at) "
            "SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'p', 'k', "
            "'b', now() - %s::interval FROM generate_series(1, %s)",
            (age, number),
        )

    add(idempotency.MOST_REMOVED + 30, "24 hours")
    add(5, "23 hours 59 minutes")

    keyed(api, tree.collection("access_key"), {})
    assert len(records()) == 30 + 5 + 1
    keyed(api, tree.collection("access_key"), {}, "k-2")
    assert len(records()) == 5 + 2


def test_removing_waits_for_nobody(api, tree, db, records, uri):
    """What another request has locked is left to it."""
    keyed(api, tree.collection("access_key"), {}, "old")
    aged(db, hours=25)
    with db.transaction():
        db.execute("SELECT 1 FROM s3aas_idempotency FOR UPDATE")
        answer = keyed(api, tree.collection("access_key"), {}, "new")
        assert answer.status_code == 201
    assert len(records()) == 2


# Beside If-Match, and at other calls.


def test_a_repeat_goes_before_if_match(api, tree):
    """The first call moved the generation, so the repeat can't match it any more."""
    path = place(tree, "suspend")
    headers = {"If-Match": api.get(tree.at).headers["ETag"]}

    first = keyed(api, path, {}, headers=headers)
    again = keyed(api, path, {}, headers=headers)

    assert first.status_code == 200 and told(again) == told(first)
    answer = keyed(api, path, {}, "k-2", headers=headers)
    made.refused(answer, 412, "PreconditionFailed", "If-Match")


@pytest.mark.parametrize("key", ["k-1", "", "\t", "x" * 300])
def test_calls_that_repeat_well_by_themselves_ignore_it(api, tree, records, key):
    headers = {"Idempotency-Key": key}

    for method, code in [("GET", 200), ("PATCH", 200), ("PUT", 200), ("DELETE", 204)]:
        for number in range(2):
            body = {"labels": {"n": str(number)}}
            sent = {} if method in ("GET", "DELETE") else {"json": body}
            answer = api.call(method, tree.path("bucket"), headers=headers, **sent)
            assert answer.status_code == code
            assert not is_replay(answer)
    assert records() == []


@pytest.mark.parametrize("post", POSTS)
@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb", "a\x7fb", "\0"])
def test_a_key_that_is_none_is_refused(api, tree, db, records, post, key):
    before = counted(db)

    answer = keyed(api, place(tree, post), body_of(post), key)

    made.refused(answer, 400, "InvalidHeader", "Idempotency-Key")
    assert counted(db) == before and records() == []


@pytest.mark.parametrize("key", ["x", "x" * 255, " ", '"quoted"', "'; --", "%s", "~"])
def test_any_printable_text_is_a_key(api, tree, key):
    path = tree.collection("access_key")

    first, again = keyed(api, path, {}, key), keyed(api, path, {}, key)

    assert first.status_code == 201 and told(again) == told(first)


def test_any_key_at_all(api, tree):
    @OFTEN
    @given(st.text(st.characters(max_codepoint=127), max_size=300))
    def post(key):
        answer = keyed(api, place(tree, "resume"), {}, key)
        good = 1 <= len(key) <= 255 and all(" " <= letter <= "~" for letter in key)
        assert answer.status_code == (200 if good else 400), answer.text

    post()


def test_any_body_twice(api, tree):
    """Whatever a body holds, it is the same as itself, and the answer too."""
    values = st.recursive(
        st.none() | st.booleans() | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
        lambda inner: st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=4), inner, max_size=3),
        max_leaves=6,
    )  # fmt: skip

    @OFTEN
    @given(st.dictionaries(st.sampled_from(["labels", "description"]), values))
    def post(body):
        key = str(uuid.uuid4())
        path = tree.collection("access_key")
        first = keyed(api, path, body, key)
        again = keyed(api, path, body, key)
        assert told(again) == told(first)
        assert is_replay(again) == (first.status_code == 201)

    post()


@pytest.mark.parametrize("post", ["access_key", "rotate", "policy"])
@pytest.mark.parametrize("key", [{}, {"Idempotency-Key": "k-1"}])
@pytest.mark.parametrize("depth", [65, 200, 300, 1000])
def test_a_body_that_is_too_deep_is_malformed(api, tree, post, key, depth):
    """A keyed body is written to be compared; orjson reads deeper than it writes."""
    content = b'{"a":' * depth + b"1" + b"}" * depth

    answer = api.call("POST", place(tree, post), content=content, headers=key)

    made.refused(answer, 400, "MalformedBody", "body")


@pytest.mark.parametrize("role", ["owner", "viewer"])
def test_lint_stores_nothing_and_needs_no_key(callers, tree, db, role):
    """Whoever may read may lint, and is to leave nothing behind."""
    path = f"{tree.at}/policies/lint"

    answers = [
        keyed(callers["one", role], path, {"template": template})
        for template in ("backup", "read-only")
    ]

    assert [one.json()["valid"] for one in answers] == [True, True]
    assert not any(map(is_replay, answers))
    assert db.execute("SELECT 1 FROM s3aas_idempotency").fetchone() is None
