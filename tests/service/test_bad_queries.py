"""Query parameters and paths: what is unknown or junk is 400 or 404, never 500."""

import pytest

from tests.service import made

KINDS = ["version", "instance", "bucket", "user", "policy", "attachment", "access_key"]

BAD = [
    "nonsense=1", "status_=ACTIVE", "=x", "labels=x", "conditions=x", "secret=x",
    "secret_key=x", "ours=true", "revision=1", "user_uuid=1", "inherits_policies=true",
    "sort_key=nonsense", "sort_key=labels", "sort_key=secret", "sort_key=revision",
    "sort_key=", "sort_key=name;drop", "sort_dir=asc", "sort_key=id&sort_dir=up",
    "sort_key=id&sort_key=uuid", "page_limit=0", "page_limit=1001", "page_limit=abc",
    "page_limit=-1", "page_limit=1.0", "page_limit=", "page_limit=%D9%A3",
    "page_limit=" + "9" * 400, "page_limit=1&page_limit=2", "page_marker=junk",
    "page_marker=", "page_marker=%00", "label=novalue", "label==x", "label=a%25=x",
    "label=a=1&label=a=2", "label=" + "k" * 64 + "=v", "label=k=" + "v" * 256,
    "label=a%00=b", "fields=nonsense", "fields=secret_key", "fields=secret",
    "uuid=junk", "id=junk", "generation=abc", "generation=1.5", "generation=",
    "created_at=junk", "updated_at=1", "status=NONSENSE", "project_id=junk",
    "status=%00", "status=%ff", "uuid=%ff", "%ff=1", "%00=1",
]  # fmt: skip
BAD_Q = [
    "", " ", "(", "name", "name=", "= 'x'", "name = 'x", "nonsense = 'x'", "1=1",
    "name = 'x' AND", "secret = 'x'", "ours = true", "revision = 1", "labels = 'x'",
    "generation = 'abc'", "uuid = 'junk'", "created_at > 'junk'", "status = 'NOPE'",
    "(" * 500 + "generation=1" + ")" * 500, "generation=1 OR " * 2000 + "generation=1",
    "generation in ()", "not", "generation=1; drop table s3aas_users", "\0",
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_bad_query_is_refused(api, tree, kind):
    for query in BAD:
        answer = api.get(f"{tree.collection(kind)}?{query}")
        assert answer.status_code == 400, (query, answer.status_code, answer.text)
        message = made.refused(answer, 400, "InvalidQuery")
        assert len(message) < 300, query


@pytest.mark.parametrize("kind", KINDS)
def test_a_bad_expression_is_refused(api, tree, kind):
    for expression in BAD_Q:
        answer = api.get(tree.collection(kind), params={"q": expression})
        if expression.strip() == "" and answer.status_code == 200:
            continue
        assert answer.status_code == 400, (expression[:60], answer.text[:200])
        message = made.refused(answer, 400, "InvalidQuery")
        assert message.startswith("q: "), (expression[:60], message)


@pytest.mark.parametrize("kind", ["bucket", "user", "access_key"])
def test_an_expression_never_reaches_a_hidden_column(api, tree, kind):
    hidden = ["secret", "ours", "lease_until", "attempts", "user_uuid", "revision"]
    for name in [*hidden, "root_secret", "inherits_policies"]:
        for expression in (f"{name} != 'x'", f"{name} LIKE '%'", f"not {name} = 'x'"):
            answer = api.get(tree.collection(kind), params={"q": expression})
            made.refused(answer, 400, "InvalidQuery")


@pytest.fixture
def buckets(api, tree):
    path = f"{tree.at}/buckets"
    for number in range(5):
        labels = {"team": f"t{number % 2}", "it's": 'a"b\\c%d'}
        api.make(path, name=f"bucket{number}", versioning=number < 2, labels=labels)
    return path


def names(found):
    return [one["name"] for one in found]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"name": "bucket3"}, {"bucket3"}),
        ({"name": ["bucket3", "bucket4"]}, {"bucket3", "bucket4"}),
        ({"label": "team=t1"}, {"bucket1", "bucket3"}),
        ({"label": ["team=t1", "it's=a\"b\\c%d"]}, {"bucket1", "bucket3"}),
        ({"label": "team=t2"}, set()),
        ({"label": "it's="}, set()),
        ({"versioning": "true"}, {"bucket0", "bucket1"}),
        ({"versioning": "true", "label": "team=t1"}, {"bucket1"}),
        ({"q": "name = 'bucket2'"}, {"bucket2"}),
        ({"q": "name = 'bucket2' OR name = 'bucket3'"}, {"bucket2", "bucket3"}),
        ({"q": "versioning = true AND NOT name = 'bucket0'"}, {"bucket1"}),
        ({"name": "%' OR 1=1 --"}, set()),
        ({"kind": "s3_bucket"}, None),
    ],
)
def test_lists_are_filtered(api, buckets, query, found):
    answer = api.get(buckets, params=query)

    if found is None:
        made.refused(answer, 400, "InvalidQuery")
    else:
        assert answer.status_code == 200, answer.text
        assert set(names(answer.json())) == found


@pytest.mark.parametrize("key", ["id", "uuid"])
def test_lists_are_filtered_by_id(api, buckets, key):
    wanted = api.show(buckets)[:2]

    found = api.get(buckets, params={key: [one["id"] for one in wanted]}).json()

    assert {one["id"] for one in found} == {one["id"] for one in wanted}


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("key", ["name", "id", "created_at", None])
def test_pages_together_are_the_whole_list(api, buckets, key, order):
    query = {"sort_key": key, "sort_dir": order} if key else {}
    whole = api.get(buckets, params=query).json()
    assert len(whole) == 6
    if key in ("name", "id", "created_at"):
        values = [one[key] for one in whole]
        assert values == sorted(values, reverse=order == "desc")

    seen, marker = [], None
    while True:
        page = {"page_limit": 2} | ({"page_marker": marker} if marker else {})
        answer = api.get(buckets, params=query | page)
        assert answer.status_code == 200, answer.text
        seen += answer.json()
        marker = answer.headers.get("X-Pagination-Marker")
        if not marker or not answer.json():
            break
        assert len(seen) <= 6

    assert seen == whole


@pytest.mark.parametrize("key", ["versioning", "encryption"])
def test_what_may_be_null_is_no_order_that_pages_could_follow(api, buckets, key):
    answer = api.get(buckets, params={"sort_key": key, "page_limit": 2})

    made.refused(answer, 400, "InvalidQuery", "sort_key")


def test_pages_say_their_limit(api, buckets):
    answer = api.get(buckets, params={"page_limit": 2})

    assert answer.headers["X-Pagination-Limit"] == "2"
    assert answer.headers["X-Pagination-Marker"] == answer.json()[-1]["uuid"]
    assert api.get(buckets).headers["X-Pagination-Limit"] == "100"


def test_an_unknown_marker_is_refused_or_ends_the_list(api, buckets):
    unknown = "00000000-0000-0000-0000-000000000001"
    answer = api.get(buckets, params={"page_marker": unknown, "page_limit": 2})

    assert answer.status_code in (200, 400)


def test_fields_narrow_the_answer(api, buckets):
    answer = api.get(buckets, params={"fields": ["name", "status"]})
    assert all(set(one) == {"name", "status"} for one in answer.json())
    one = api.get(f"{buckets}/bucket0", params={"fields": ["name"]})
    assert one.json() == {"name": "bucket0"}


def test_fields_are_those_of_the_object_and_not_of_its_parent(api, tree):
    found = api.show(f"{tree.at}/users?fields=policies")

    assert found
    assert all(set(one) == {"policies"} for one in found)


def test_unknown_fields_of_one_object_are_refused(api, buckets):
    for fields in ("nonsense", "secret", "lease_until"):
        answer = api.get(f"{buckets}/bucket0", params={"fields": fields})
        made.refused(answer, 400, "InvalidQuery")


def test_fields_never_hide_the_secret_of_a_new_key(api, tree):
    answer = api.post(tree.collection("access_key") + "?fields=access_key", {})

    assert answer.status_code in (201, 400)
    assert answer.status_code == 400 or "secret_key" in answer.json()


PATHS = """
    /none/instances
    /none/versions
    /actions/x
    /actions
    /none/actions/x
    /none/actions/suspend/invoke
    /v1/actions/x/invoke
    /v1/types/actions/x
    /v1/types/none/instances
    /v1/none/s3
    /v1/iam/none
    /v1/types/s3/none/none
    /nonsense
    /instances/none
    /instances/%00
    /instances/a%00b
    /instances/%ff
    /instances/{at}/nonsense
    /instances/{at}/nonsense/x
    /instances/{at}/buckets/%00
    /instances/{at}/users/%00/access-keys
    /instances/{at}/users/anna/policies/%00
    /instances/{at}/users/anna/access-keys/%00
    /instances/%00/buckets/x
    /instances/{at}/users/anna/keys/
    /instances/{at}/users/anna/policies/none
    /instances/{at}/buckets/photos/more
    /instances/{at}/buckets/photos/more/and/more
    /instances/{at}/users/none/access-keys
    /instances/none/users/anna/access-keys/
    /versions/none
    /versions/%00
    /instances//buckets/x
    /instances/{at}/actions
    /instances/{at}/actions/x/invoke
    /instances/%F0%9F%98%80
    /instances/{at}/do
    /instances/{at}/get_route
    /__class__
    /instances/__class__
    /instances/00000000-0000-0000-0000-000000000000
    /instances/%E2%80%AE
    /instances/{at}/buckets/00000000000000000000000000000000
    /instances/%2e%2e
    /instances/{at}/buckets/%27%20OR%201=1--
    /instances/{at}/policies/%25s
"""


@pytest.mark.parametrize("method", ["GET", "DELETE", "PATCH", "PUT", "POST"])
def test_what_is_not_there_is_404(api, tree, method):
    for path in [*PATHS.split(), "/instances/" + "x" * 5000]:
        where = path.replace("{at}", tree.instance["name"])
        body = {"json": {}} if method in ("PATCH", "PUT", "POST") else {}
        answer = api.call(method, where, **body)
        allowed = {404, 405, 400} if method != "GET" or "%ff" in path else {404}
        assert answer.status_code in allowed, (method, path[:80], answer.text)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/instances"), ("PATCH", "/instances"), ("DELETE", "/instances"),
        ("POST", "/versions"), ("DELETE", "/versions/0.0.1"),
        ("PUT", "/versions/0.0.1"), ("PATCH", "/versions/0.0.1"),
        ("POST", "/"), ("DELETE", "/"), ("POST", ""),
        ("OPTIONS", "/instances"), ("TRACE", "/instances"), ("BREW", "/instances"),
        ("BREW", "{at}"), ("POST", "{at}"), ("POST", "{at}/users/anna"),
        ("PATCH", "{at}/users/anna/policies/reading"),
        ("PUT", "{at}/users/anna/policies/reading"),
        ("PATCH", "{at}/users/anna/policies"),
    ],
)  # fmt: skip
def test_a_method_that_a_path_does_not_take_is_405(api, tree, method, path):
    answer = api.call(method, path.replace("{at}", tree.at), json={})

    made.refused(answer, 405, "MethodNotAllowed")
