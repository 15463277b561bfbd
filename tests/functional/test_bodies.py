"""What is no good request: a reason, never a fault, and nothing is stored."""

import json

import pytest

from tests.service import made

JSON = "application/json"
BODIES = [
    (b"name=form", "application/x-www-form-urlencoded", {415}),
    (b"name=form", JSON, {400}),
    (b"[]", JSON, {400}),
    (b'[{"name": "a"}]', JSON, {400}),
    (b'"text"', JSON, {400}),
    (b"17", JSON, {400}),
    (b"null", JSON, {400}),
    (b"", JSON, {400}),
    (b"{", JSON, {400}),
    (b'{"name": "a\\u0000b"}', JSON, {400}),
    (b"\xff\xfe", JSON, {400}),
    (b'{"name": {"a": 1}}', JSON, {400}),
    (b'{"name": null}', JSON, {400}),
    (b'{"name": 5}', JSON, {400}),
    (b"<name>a</name>", "text/xml", {415}),
    (b"{" + b" " * (2 << 20) + b"}", JSON, {413}),
]
COLLECTIONS = ["/instances", "{at}/buckets", "{at}/users", "{at}/policies"]


@pytest.mark.parametrize("where", COLLECTIONS)
@pytest.mark.parametrize("case", range(len(BODIES)))
def test_a_body_that_is_none_is_told_why(api, example, where, case):
    body, kind, statuses = BODIES[case]
    path = where.format(at=example.at)

    answer = api.call("POST", path, content=body, headers={"Content-Type": kind})

    assert answer.status_code in statuses, answer.text


@pytest.mark.parametrize("where", COLLECTIONS)
def test_an_unknown_field_is_named(api, example, where):
    body = {"name": made.unique("never"), "colour": "red"}

    answer = api.post(where.format(at=example.at), body)

    made.refused(answer, 400, "UnknownField", "colour")


@pytest.mark.parametrize(
    "where",
    [
        "buckets",
        "users",
        "policies",
        "users/{user}/access-keys",
        "users/{user}/policies",
    ],
)
@pytest.mark.parametrize("of", ["another project", "another instance", "itself"])
def test_a_body_that_names_an_instance_is_refused(
    api, stranger, example, place, where, of
):
    """A child lies where its path says, whatever its body claims."""
    user = place.user().rpartition("/")[2]
    named = {
        "another project": "00000000-0000-0000-0000-00000000aaaa",
        "another instance": "/v1/types/s3/instances/other",
        "itself": example.shown["id"],
    }[of]
    body = {"name": made.unique("never"), "instance": named}
    if "{user}" in where:
        body = {"instance": named} | (
            {"policy": "backup"} if where.endswith("policies") else {}
        )

    answer = api.post(f"{example.at}/{where.format(user=user)}", body)

    assert answer.status_code == 400, answer.text
    kind = answer.json()["type"]
    assert kind in ("UnknownField", "ReadOnlyField")
    assert "instance" in answer.json()["message"]


@pytest.mark.parametrize(
    "query",
    ["colour=red", "page_limit=0", "sort_key=colour", "fields=colour", "q=name ="],
)
def test_an_unknown_query_is_a_400(api, query):
    made.refused(api.get(f"/instances?{query}"), 400, "InvalidQuery")


@pytest.mark.parametrize(
    "path",
    [
        "/instances/none", "/nothing", "/instances/none/buckets", "/instances//buckets",
        "/instances/%00", "/instances/..%2f..",
    ],
)  # fmt: skip
def test_an_unknown_path_is_told_and_no_fault(api, path):
    """Bytes that are no UTF-8, `%ff`, are MetaPaaS's own 500 before any plugin's."""
    answer = api.get(path)

    assert answer.status_code in (400, 404), answer.text


def test_secrets_are_in_no_refusal(api, place):
    secret = made.unique("very-secret-text")
    body = {"secret_key": secret, "access_key": "!", "colour": secret}

    answer = api.post(f"{place.user()}/access-keys", body)

    assert answer.status_code == 400
    assert secret not in json.dumps(answer.json())
