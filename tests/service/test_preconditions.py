"""If-Match and ETag: a write happens only at a generation that its author has seen."""

from concurrent import futures

import pytest
import webob
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exordos_paas_storage.api import preconditions
from exordos_paas_storage.domain import errors
from tests.service import made

KINDS = ["instance", "bucket", "user", "policy", "attachment", "access_key"]
CHANGED = [kind for kind in KINDS if kind != "attachment"]
# Every route that changes an object: kind, method, and the path behind the object's.
ROUTES = [
    *((kind, method, "") for kind in CHANGED for method in ("PATCH", "PUT")),
    *((kind, "DELETE", "") for kind in KINDS),
    ("instance", "POST", "/actions/suspend/invoke"),
    ("instance", "POST", "/actions/resume/invoke"),
    ("access_key", "POST", "/actions/rotate/invoke"),
]
MALFORMED = ["", " ", "3", "abc", '"3', '3"', '"3" "4"', "W/3", "*, *", '"3", *', ",",
             'w/"3"', '"a b"', '"\x7f"', "\0", '"1"\0', "**"]  # fmt: skip


@pytest.fixture
def target(api, tree):
    """A path to one object of a kind that every call may change."""

    def find(kind):
        if kind != "policy":
            return tree.path(kind)
        # The tree's own is attached, so it can't be deleted.
        return f"{tree.at}/policies/{api.make(f'{tree.at}/policies', **FREE)['name']}"

    return find


FREE = {"name": "free", "template": "backup"}


def ask(api, method, path, said, body=None):
    headers = {} if said is None else {"If-Match": said}
    sent = {} if method == "DELETE" else {"json": body or {}}
    if method in ("PATCH", "PUT"):
        sent = {"json": body or {"labels": {"asked": "so"}}}
    return api.call(method, path, headers=headers, **sent)


@pytest.mark.parametrize(("kind", "method", "action"), ROUTES)
@pytest.mark.parametrize(
    "said", ['"{}"', '"999", "{}"', 'W/"{}" ,, "{}",', "*", " * ", '"abc,", "{}"']
)
def test_a_match_is_done(api, target, kind, method, action, said):
    path = target(kind)
    generation = api.show(path)["generation"]

    answer = ask(api, method, path + action, said.replace("{}", str(generation)))

    assert answer.status_code in (200, 201, 204), answer.text


@pytest.mark.parametrize(("kind", "method", "action"), ROUTES)
@pytest.mark.parametrize("said", ['"999"', 'W/"{}"', '"0{}"', '"{}.0"', '"7", W/"{}"'])
def test_a_mismatch_changes_nothing(api, target, db, kind, method, action, said):
    path = target(kind)
    before = api.show(path)
    rows = everything(db)

    answer = ask(
        api, method, path + action, said.replace("{}", str(before["generation"]))
    )

    made.refused(answer, 412, "PreconditionFailed", "If-Match")
    assert api.show(path) == before
    assert everything(db) == rows


def everything(db):
    return {
        table: db.execute(f"SELECT * FROM s3aas_{table} ORDER BY uuid").fetchall()
        for table in ("instances", "buckets", "users", "policies", "attachments",
                      "access_keys")
    }  # fmt: skip


@pytest.mark.parametrize(("kind", "method", "action"), ROUTES)
def test_a_malformed_one_is_refused(api, target, db, kind, method, action):
    path = target(kind)
    rows = everything(db)

    for said in MALFORMED:
        answer = ask(api, method, path + action, said)
        made.refused(answer, 400, "InvalidHeader", "If-Match")
    assert everything(db) == rows


@pytest.mark.parametrize("kind", [*KINDS, "version"])
def test_etag_is_the_generation(api, tree, kind):
    answer = api.get(tree.path(kind))

    assert answer.headers["ETag"] == f'"{answer.json()["generation"]}"'


@pytest.mark.parametrize("kind", KINDS)
def test_what_creates_tells_the_etag(api, tree, kind):
    answer = api.post(tree.collection(kind), made.BODIES[kind]())
    shown = api.get(made.location(answer))

    assert answer.headers["ETag"] == '"1"' == shown.headers["ETag"]


@pytest.mark.parametrize("kind", CHANGED)
@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_what_changes_tells_the_next_etag(api, tree, kind, method):
    path = tree.path(kind)
    for number in range(3):
        before = api.get(path)
        body = {"labels": {"n": str(number)}}

        answer = ask(api, method, path, before.headers["ETag"], body)

        after = before.json()["generation"] + 1
        assert (answer.status_code, answer.headers["ETag"]) == (200, f'"{after}"')
        assert api.get(path).headers["ETag"] == f'"{after}"'


@pytest.mark.parametrize("kind", CHANGED)
@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_a_mismatch_is_412_also_where_nothing_would_change(api, tree, kind, method):
    path = tree.path(kind)

    for body in ({}, api.show(path)):
        answer = api.call(method, path, json=body, headers={"If-Match": '"999"'})
        made.refused(answer, 412, "PreconditionFailed", "If-Match")


@pytest.mark.parametrize("kind", CHANGED)
def test_an_old_copy_put_back_is_412_and_not_a_read_only_field(api, tree, kind):
    """The whole object sent back holds the old `generation`, which nobody can set."""
    old = api.get(tree.path(kind))
    api.change(tree.path(kind), labels={"by": "another"})

    answer = api.put(
        tree.path(kind), old.json(), headers={"If-Match": old.headers["ETag"]}
    )

    made.refused(answer, 412, "PreconditionFailed", "If-Match")
    assert api.show(tree.path(kind))["labels"] == {"by": "another"}


@pytest.mark.parametrize("kind", [*KINDS, "version"])
def test_reading_is_matched_too(api, tree, kind):
    path = tree.path(kind)

    tag = api.get(path).headers["ETag"]
    assert api.get(path, headers={"If-Match": tag}).status_code == 200
    answer = api.get(path, headers={"If-Match": '"999"'})
    made.refused(answer, 412, "PreconditionFailed", "If-Match")
    answer = api.get(tree.collection(kind), headers={"If-Match": tag})
    made.refused(answer, 400, "InvalidHeader", "If-Match")


@pytest.mark.parametrize("kind", KINDS)
def test_a_collection_takes_none(api, tree, kind):
    for said in ("*", '"1"', ""):
        answer = api.post(
            tree.collection(kind), made.BODIES[kind](), headers={"If-Match": said}
        )
        made.refused(answer, 400, "InvalidHeader", "If-Match")


def test_a_call_of_a_collection_takes_none(api, tree):
    answer = api.post(
        f"{tree.at}/policies/lint",
        {"template": "backup"},
        headers={"If-Match": "*"},
    )

    made.refused(answer, 400, "InvalidHeader", "If-Match")


@pytest.mark.parametrize("kind", ["bucket", "user", "access_key", "attachment"])
def test_deleting_what_is_being_deleted_is_204_whatever_it_matches(api, tree, kind):
    """A DELETE that is sent again has done what it asks for; RFC 9110, 13.1.1."""
    path = tree.path(kind)
    tag = api.get(path).headers["ETag"]

    for _ in range(2):
        answer = ask(api, "DELETE", path, tag)
        assert answer.status_code == 204
    assert api.get(path).headers["ETag"] != tag
    assert ask(api, "DELETE", path, '"999"').status_code == 204
    made.refused(ask(api, "DELETE", path, "malformed"), 400, "InvalidHeader")


def test_what_a_precondition_can_not_mend_is_said_first(api, tree):
    unknown = f"{tree.at}/buckets/none-such"
    made.refused(ask(api, "PATCH", unknown, '"1"'), 404, "NotFound")
    made.refused(ask(api, "DELETE", unknown, "*"), 404, "NotFound")
    answer = api.call("PATCH", tree.at, content=b"{", headers={"If-Match": '"999"'})
    made.refused(answer, 400, "MalformedBody")


def waiting(db, number):
    """Whether so many requests wait for a lock."""
    found = db.execute(
        "SELECT count(DISTINCT pid) AS n FROM pg_locks WHERE NOT granted"
    ).fetchone()
    return found["n"] == number


def race(api, db, path, table, *asked):
    """Send requests with one If-Match so that all of them wait for the object's lock.

    Args:
        api: the API.
        db: a connection beside the service.
        path: of the object.
        table: where it lies.
        asked: method, body, and what is behind the object's path, of each request.
    """
    shown = api.get(path)
    tag, row = shown.headers["ETag"], shown.json()["id"]
    with futures.ThreadPoolExecutor(len(asked)) as pool:
        with db.transaction():
            db.execute(f"SELECT 1 FROM {table} WHERE uuid = %s FOR UPDATE", (row,))
            sent = [
                pool.submit(ask, api, method, path + behind, tag, body)
                for method, body, behind in asked
            ]
            made.until(lambda: waiting(db, len(asked)), why="all wait")
        return [one.result() for one in sent]


def test_of_writers_with_one_if_match_exactly_one_wins(api, tree, db):
    asked = [("PATCH", {"labels": {"n": str(number)}}, "") for number in range(6)]

    answers = race(api, db, tree.path("bucket"), "s3aas_buckets", *asked)

    codes = sorted(answer.status_code for answer in answers)
    assert codes == [200] + [412] * 5
    shown = api.show(tree.path("bucket"))
    (won,) = [answer.json() for answer in answers if answer.status_code == 200]
    assert shown == won and shown["generation"] == 2


def test_of_a_change_and_a_deletion_with_one_if_match_one_wins(api, tree, db):
    asked = [("PATCH", {"versioning": True}, ""), ("DELETE", None, "")]

    answers = race(api, db, tree.path("bucket"), "s3aas_buckets", *asked)

    codes = tuple(answer.status_code for answer in answers)
    assert codes in ((200, 412), (409, 204))


def test_of_rotations_with_one_if_match_exactly_one_wins(api, tree, db):
    asked = [("POST", {}, "/actions/rotate/invoke")] * 3

    answers = race(api, db, tree.path("access_key"), "s3aas_access_keys", *asked)

    codes = sorted(answer.status_code for answer in answers)
    assert codes == [201, 412, 412]
    assert len(api.show(tree.collection("access_key"))) == 2


def test_of_suspending_and_changing_with_one_if_match_one_wins(api, tree, db):
    asked = [("POST", {}, "/actions/suspend/invoke"), ("PATCH", {"cpu": 2}, "")]

    answers = race(api, db, tree.at, "s3aas_instances", *asked)

    assert sorted(answer.status_code for answer in answers) == [200, 412]


def test_of_many_at_once_one_wins(api, tree):
    tag = api.get(tree.at).headers["ETag"]

    def write(number):
        return ask(api, "PATCH", tree.at, tag, {"cpu": number + 2}).status_code

    with futures.ThreadPoolExecutor(8) as pool:
        codes = sorted(pool.map(write, range(16)))
    assert codes == [200] + [412] * 15
    assert api.show(tree.at)["generation"] == 2


OFTEN = settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)
NEARLY = st.text(st.sampled_from('"W/*, \t13abc'), max_size=16)


def test_any_header_at_all(api, tree):
    @OFTEN
    @given(st.text(st.characters(max_codepoint=127), max_size=30) | NEARLY)
    def patch(said):
        answer = ask(api, "PATCH", tree.path("bucket"), said)
        assert answer.status_code in (200, 400, 412), answer.text

    patch()


@OFTEN
@given(st.text(st.characters(max_codepoint=255), max_size=30) | NEARLY)
def test_any_bytes_at_all(said):
    """httpx sends no header of other bytes than ASCII; a real server passes them on."""
    request = webob.Request.blank("/", environ={"HTTP_IF_MATCH": said})

    try:
        found = preconditions.only_at(request)
    except errors.InvalidHeader as refused:
        assert said not in str(refused) or len(said) < 4
    else:
        assert (found is None) == (said.strip(" \t") == "*")
        assert all(f'"{generation}"' in said for generation in found or ())


@given(st.lists(st.integers(1, 10**18), min_size=1, max_size=9), st.data())
def test_every_generation_of_a_list_is_found(generations, data):
    gaps = st.sampled_from([",", ", ", " ,\t", ",,", ' , W/"5", '])
    said = f'"{generations[0]}"'
    for generation in generations[1:]:
        said += data.draw(gaps) + f'"{generation}"'

    request = webob.Request.blank("/", headers={"If-Match": said})
    assert preconditions.only_at(request) == set(generations)
