"""Any JSON at all: an answer below 500 in the right form, and no half-made rows."""

import json
import uuid
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exordos_paas_storage.domain import access
from tests.service import made
from tests.service.conftest import empty

RESOURCES = {one.name: one for one in access.RESOURCES}
NASTY = st.sampled_from(
    [
        "", "\0", "a\0b", "%s", "%%", "{}", "${x}", "'; DROP TABLE x; --", "..", "/",
        "NaN", "null", "true", "1", "-1", "1e999", "ACTIVE", "DELETING", "read-write",
        "aes256", "0.0.1", "9999-12-31T23:59:59Z", "2020-13-45", "\u202e", "\U0001f600",
        "a" * 63, "b" * 64, "c" * 256, "photos", "anna", "reading",
        str(uuid.UUID(int=7)),
    ]
)  # fmt: skip
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    | NASTY
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=5) | NASTY, inner, max_size=4)
    ),
    max_leaves=8,
)
KINDS = ["instance", "bucket", "user", "policy", "attachment", "access_key"]
OFTEN = settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)


def bodies(kind):
    fields = st.sampled_from(sorted(RESOURCES[kind].fields))
    return st.dictionaries(fields | fields | st.text(max_size=6), VALUES, max_size=4)


def check(answer):
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        message = made.form_of(answer)["message"]
        assert len(message) < 600, message


@pytest.mark.parametrize("kind", KINDS)
def test_any_body_to_a_post(api, tree, kind):
    required = made.BODIES[kind]()

    @OFTEN
    @given(bodies(kind), st.booleans())
    def post(body, whole):
        found = made.BODIES[kind]() | body if whole and required else body
        try:
            content = json.dumps(found).encode("utf-8", "surrogatepass")
        except ValueError:
            return
        check(api.call("POST", tree.collection(kind), content=content))

    post()
    for one in api.show(tree.collection(kind) + "?page_limit=1000"):
        assert one["status"] in ("CREATING", "PENDING")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "attachment"])
def test_any_body_to_a_patch(api, tree, kind):
    path = f"{tree.collection(kind)}/{getattr(tree, kind)['id']}"
    parent = f"/instances/{tree.instance['id']}"
    path = path.replace(tree.at, parent) if kind != "instance" else path

    @OFTEN
    @given(bodies(kind))
    def patch(body):
        content = json.dumps(body).encode("utf-8", "surrogatepass")
        answer = api.call("PATCH", path, content=content)
        check(answer)
        if answer.status_code == 200:
            assert answer.json() == api.show(path)

    patch()


@pytest.mark.parametrize("kind", KINDS)
def test_any_query_to_a_list(api, tree, kind):
    names = st.sampled_from(
        [*RESOURCES[kind].fields, "q", "label", "page_limit", "page_marker", "sort_key"]
    )

    @settings(OFTEN, max_examples=60)
    @given(st.lists(st.tuples(names, SCALARS.map(str)), max_size=3))
    def get(params):
        check(api.get(tree.collection(kind), params=params))

    get()


def test_any_path(api, tree, db):
    parts = st.lists(
        st.sampled_from(
            ["instances", tree.instance["name"], "users", "anna", "buckets", "actions"]
        )
        | st.text(min_size=1, max_size=6).map(lambda text: text.replace("/", "")),
        max_size=6,
    )

    @OFTEN
    @given(parts, st.sampled_from(["GET", "DELETE", "POST", "PUT", "PATCH"]))
    def call(path, method):
        where = "/".join(quote(part, safe="") for part in path)
        check(api.call(method, f"/{where}", json={}))

    call()
    empty(db)
