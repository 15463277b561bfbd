"""Bad bodies: a clear error that names field and rule, and nothing is stored."""

import json

import pytest

from exordos_paas_storage.domain import access
from tests.service import made

KINDS = ["instance", "bucket", "user", "policy", "attachment", "access_key"]
CHANGEABLE = [kind for kind in KINDS if kind != "attachment"]
RESOURCE = {one.name: one for one in access.RESOURCES}


def settable(kind, least):
    return [
        name
        for name, field in RESOURCE[kind].fields.items()
        if max(field.access) >= least and not field.later
    ]


def cases(least, kinds=KINDS):
    return [(kind, name) for kind in kinds for name in settable(kind, least)]


@pytest.fixture
def nothing_stored(db):
    def rows():
        tables = ("instances", "buckets", "users", "policies", "access_keys")
        return [
            db.execute(f"SELECT * FROM s3aas_{table} ORDER BY uuid").fetchall()
            for table in tables
        ]

    before = []
    yield lambda: before.extend(rows())
    assert before == rows()


def send(api, tree, kind, method, **request):
    path = tree.collection(kind) if method == "POST" else tree.path(kind)
    return api.call(method, path, **request)


SHAPES = {
    "array": "[]",
    "text": '"x"',
    "null": "null",
    "number": "1",
    "empty": "",
    "blank": "  ",
    "half": '{"name": ',
    "NaN": '{"cpu": NaN}',
    "not UTF-8": b'{"name": "\xff"}',
    "lone surrogate": '{"name": "\\ud800"}',
    "lone surrogate key": '{"\\udc00": 1}',
    "deep arrays": "[" * 100_000,
    "deep objects": '{"labels":' * 20_000 + "1" + "}" * 20_000,
    "trailing": "{} {}",
    "twice": '{"labels": {}, "labels": {"a": "b"}}',
    "twice, deep": '{"labels": {"a": "b", "a": "c"}}',
    "twice, one deep": '{"labels": '
    + '{"a":' * 900
    + "1"
    + "}" * 900
    + ', "labels": {}}',
    "comment": "{} // no",
    "BOM": b"\xef\xbb\xbf{}",
    "UTF-16": '{"name": "x"}'.encode("utf-16"),
}


METHODS = [
    (kind, method)
    for kind in KINDS
    for method in ("POST", "PATCH", "PUT")
    if kind != "attachment" or method == "POST"
]


@pytest.mark.parametrize(("kind", "method"), METHODS)
def test_a_body_that_is_no_json_object_is_refused(
    api, tree, kind, method, nothing_stored
):
    nothing_stored()
    for content in SHAPES.values():
        said = {"Content-Type": "application/json"}
        answer = send(api, tree, kind, method, content=content, headers=said)
        made.refused(answer, 400, "MalformedBody", "body")


TYPES = [
    "text/plain", "application/xml", "application/x-www-form-urlencoded",
    "multipart/form-data", "multipart/form-data; boundary=x", ";", "a/b/c", "json",
    "application/json,text/html",
]  # fmt: skip


@pytest.mark.parametrize(("kind", "method"), METHODS)
def test_another_content_type_is_415(api, tree, kind, method):
    for said in TYPES:
        for content in ("{}", "a=%ff", "--x\r\n\r\n", ""):
            answer = send(
                api, tree, kind, method, content=content, headers={"Content-Type": said}
            )
            made.refused(answer, 415, "UnsupportedMediaType", "Content-Type")


@pytest.mark.parametrize(
    "said", ["application/json", "application/json; charset=utf-8", "Application/JSON"]
)
def test_json_may_be_called_by_its_names(api, said):
    answer = api.call(
        "POST",
        "/instances",
        content='{"name": "typed"}',
        headers={"Content-Type": said},
    )

    assert answer.status_code == 201


@pytest.mark.parametrize("said", [{}, {"Content-Type": "application/json"}])
def test_a_large_body_is_taken_whole(api, tree, said):
    labels = {f"key{n}": "v" * 255 for n in range(50)}

    answer = api.call("PATCH", tree.at, json={"labels": labels})
    untyped = api.call(
        "PATCH", tree.at, content=json.dumps({"labels": labels}), headers=said
    )

    assert answer.status_code == 200 and answer.json()["labels"] == labels
    assert untyped.status_code == 200, untyped.text


@pytest.mark.parametrize("said", [{}, {"Content-Type": "application/json"}])
@pytest.mark.parametrize(("kind", "method"), METHODS)
def test_an_oversized_body_is_413(api, tree, kind, method, said):
    body = json.dumps({"name": "x" * (1 << 20)})
    answer = send(api, tree, kind, method, content=body, headers=said)

    made.refused(answer, 413, "BodyTooLarge", "body")


UNKNOWN = ["nonsense", "Name", "", "name ", "__class__", "source", "x" * 5000, "ключ"]


@pytest.mark.parametrize(("kind", "method"), METHODS)
def test_an_unknown_field_is_named(api, tree, kind, method, nothing_stored):
    nothing_stored()
    for name in UNKNOWN:
        body = made.BODIES[kind]() if method == "POST" else {}
        answer = send(api, tree, kind, method, json=body | {name: None})
        shown = name if name and len(name) <= 64 else ""
        message = made.refused(answer, 400, "UnknownField", shown)
        assert len(message) < 200


@pytest.mark.parametrize("kind", KINDS)
def test_a_read_only_field_on_create_is_refused(api, tree, kind):
    before = api.show(tree.path(kind))
    read_only = [
        name
        for name, field in RESOURCE[kind].fields.items()
        if max(field.access) == access.READ
    ]
    assert {"id", "status", "created_at", "kind"} <= set(read_only)
    for name in read_only:
        answer = send(
            api, tree, kind, "POST", json=made.BODIES[kind]() | {name: before[name]}
        )
        made.refused(answer, 400, "ReadOnlyField", name)


@pytest.mark.parametrize("kind", CHANGEABLE)
def test_a_fixed_field_takes_its_own_value_and_no_other(api, tree, kind):
    before = api.show(tree.path(kind))
    for name, field in RESOURCE[kind].fields.items():
        if max(field.access) >= access.WRITE or field.later or field.once:
            continue
        same = api.patch(tree.path(kind), {name: before[name]})
        assert same.status_code == 200, name
        for other in ("another", 7, None, [1], {"a": 1}, True):
            if other == before[name] and type(other) is type(before[name]):
                continue
            answer = api.patch(tree.path(kind), {name: other})
            made.refused(answer, 400, "ReadOnlyField", name)
    assert api.show(tree.path(kind)) == before


WRONG = {
    "true": True,
    "integer": 12345678,
    "negative": -1,
    "zero": 0,
    "one": 1,
    "float": 1.0,
    "huge": 10**40,
    "text": "no such thing\t",
    "empty": "",
    "NUL": "a\0b",
    "long": "x" * 5000,
    "list": [[]],
    "mixed": ["ok-name", 1],
    "twice": ["read-only", "read-only"],
    "object": {"a": {}},
    "NUL in an object": {"a\0": "b"},
}
# What is right for some field, by the field's name.
FITTING = {
    "cpu": {"one"},
    "disk_size": {"one"},
    "nodes_number": {"one"},
    "description": {"text", "empty"},
    "versioning": {"true"},
    "deletion_protection": {"true"},
    "read_only": {"true"},
    "enabled": {"true"},
    "max_key_ttl_s": {"one", "integer"},
}


def wrong_for(name):
    return [case for case in WRONG if case not in FITTING.get(name, ())]


@pytest.mark.parametrize(("kind", "name"), cases(access.SET_ONCE))
def test_a_value_of_the_wrong_type_is_refused_on_create(
    api, tree, kind, name, nothing_stored
):
    nothing_stored()
    for case in wrong_for(name):
        if (name, case) == ("mfa_delete", "true"):
            continue
        body = made.BODIES[kind]() | {name: WRONG[case]}

        answer = send(api, tree, kind, "POST", json=body)

        message = made.refused(answer, 400, "InvalidValue")
        assert message.startswith((f"{name}:", f"{name}.")), (case, message)


@pytest.mark.parametrize(("kind", "name"), cases(access.WRITE, CHANGEABLE))
def test_a_value_of_the_wrong_type_is_refused_on_update(
    api, tree, kind, name, nothing_stored
):
    nothing_stored()
    for case in wrong_for(name):
        if (name, case) == ("mfa_delete", "true"):
            continue
        for method in ("PATCH", "PUT"):
            answer = send(api, tree, kind, method, json={name: WRONG[case]})
            message = made.refused(answer, 400, "InvalidValue")
            assert message.startswith((f"{name}:", f"{name}.")), (case, message)


@pytest.mark.parametrize("value", [0, 1, 0.0, 1.0])
def test_a_number_is_no_boolean(api, tree, value):
    for kind, name in [("user", "enabled"), ("access_key", "enabled")]:
        answer = api.post(tree.collection(kind), made.BODIES[kind]() | {name: value})
        assert answer.status_code in (400, 422), (kind, name, answer.text)
    for kind, name in [("instance", "read_only"), ("bucket", "public")]:
        answer = api.post(tree.collection(kind), made.BODIES[kind]() | {name: value})
        assert answer.status_code in (400, 422), (kind, name, answer.text)


NAMES = {
    "instance": ["", "-a", "a b", "a/b", "a" * 64, "ä", "buckets", "versions", ".."],
    "bucket": ["ab", "A" * 3, "a..b", "health", "xn--abc", "1.2.3.4", "users", "a_b"],
    "user": ["ab", "-abc", "a b c", "a" * 65, "policies", "site-replicator-0", "a/b"],
    "policy": ["ab", ".abc", "p" * 64, "actions", "a:b", "share", "a%b"],
    "access_key": ["ab", "a" * 21, "a-b-c", "actions", "ÄBC", "a b"],
}
UUIDS = ["0" * 32, "{00000000-0000-0000-0000-000000000000}", "F" * 8 + "-" + "f" * 24]


@pytest.mark.parametrize("kind", NAMES)
def test_a_name_that_breaks_a_rule_is_refused(api, tree, kind):
    field = "access_key" if kind == "access_key" else "name"
    for name in [*NAMES[kind], *UUIDS, "a\0b", "abc\n"]:
        answer = api.post(tree.collection(kind), made.BODIES[kind]() | {field: name})
        made.refused(answer, 400, "InvalidValue", field)


@pytest.mark.parametrize("name", ["NAME", "health", "Rustfs-1"])
def test_an_instance_may_be_called_so(api, name):
    assert api.post("/instances", {"name": name}).status_code == 201


def test_a_user_may_be_called_like_an_attribute_of_the_route(api, tree):
    refused = api.post(f"{tree.at}/users", {"name": "access_keys"})
    made.refused(refused, 400, "InvalidValue", "name")
    for name in ("get_route", "is_route", "mro"):
        api.make(f"{tree.at}/users", name=name)
        assert api.show(f"{tree.at}/users/{name}")["name"] == name
        assert api.show(f"{tree.at}/users/{name}/access-keys") == []


@pytest.mark.parametrize("kind", ["bucket", "user", "policy", "instance"])
def test_a_missing_name_is_named(api, tree, kind):
    for body in ({}, {"name": None}):
        answer = send(api, tree, kind, "POST", json=body)
        made.refused(answer, 400, "MissingField", "name")


def test_a_missing_policy_is_named(api, tree):
    answer = api.post(tree.collection("attachment"), {})
    made.refused(answer, 400, "MissingField", "policy")
    answer = api.post(tree.collection("policy"), {"name": "bare"})
    made.refused(answer, 400, "MissingField", "document")


@pytest.mark.parametrize("kind", ["bucket", "user", "policy", "instance"])
def test_a_duplicate_is_409(api, tree, kind):
    body = made.BODIES[kind]() | {"name": tree.name(kind)}
    answer = send(api, tree, kind, "POST", json=body)

    made.refused(answer, 409, "NameTaken", "name")


def test_other_duplicates_are_409(api, tree):
    key = {"access_key": tree.name("access_key")}
    answer = send(api, tree, "access_key", "POST", json=key)
    made.refused(answer, 409, "AccessKeyTaken", "access_key")
    answer = send(api, tree, "attachment", "POST", json={"policy": "reading"})
    made.refused(answer, 409, "AlreadyAttached", "policy")
    answer = send(
        api, tree, "policy", "POST", json={"name": "backup", "template": "backup"}
    )
    made.refused(answer, 409, "NameTaken", "name")
    api.make("/instances", name="second")
    answer = api.patch("/instances/second", {"name": tree.instance["name"]})
    made.refused(answer, 409, "NameTaken", "name")


def test_unknown_policies_are_named(api, tree):
    at = tree.at
    for answer, field in [
        (api.post(f"{at}/users", {"name": "carl", "policies": ["nope"]}), "polic"),
        (api.patch(f"{at}/users/anna", {"policies": ["nope"]}), "polic"),
        (api.patch(at, {"default_user_policies": ["nope"]}), "default_user_policies"),
        (api.post(f"{at}/users/anna/policies", {"policy": "nope"}), "policy"),
        (api.post("/instances", {"name": "x", "version": "9.9"}), "version"),
    ]:
        assert made.refused(answer, 400, "InvalidValue").startswith(field)
    made.refused(api.get(f"{at}/users/carl"), 404)


PARAMETERS = [
    {"bucket": "UPPER"},
    {"bucket": None},
    {"bucket": ["photos"]},
    {"prefix": "a/"},
    {"bucket": "photos", "prefix": 1},
    {"bucket": "photos", "prefix": "a*"},
    {"bucket": "photos", "prefix": "${aws:username}"},
    {"bucket": "photos", "prefix": "a\0"},
    {"bucket": "photos", "prefix": "x" * 513},
    {"bucket": "photos", "other": "x"},
    {"template": "read-only"},
]


def test_a_templates_parameters_are_checked(api, tree):
    for parameters in PARAMETERS:
        body = {"name": "limited", "template": "read-only", "parameters": parameters}
        message = made.refused(api.post(tree.collection("policy"), body), 400)
        assert message.startswith("parameters"), parameters
        answer = api.patch(tree.path("policy"), {"parameters": parameters})
        assert made.refused(answer, 400).startswith("parameters"), parameters


LABELS = [
    {"": "x"}, {"a=b": "x"}, {"a%b": "x"}, {"a\\b": "x"}, {"k" * 64: "x"},
    {"k": "v" * 256}, {"k": None}, {"k": 1}, {"k": ["v"]}, {"k": {"a": "b"}},
    {f"k{n}": "v" for n in range(51)}, {"k": "a\0"}, {"a\0": "v"}, [], "x",
]  # fmt: skip


@pytest.mark.parametrize("kind", CHANGEABLE)
def test_labels_are_checked(api, tree, kind):
    for labels in LABELS:
        body = made.BODIES[kind]() | {"labels": labels}
        answer = api.post(tree.collection(kind), body)
        made.refused(answer, 400, "InvalidValue", "labels")
        answer = api.patch(tree.path(kind), {"labels": labels})
        made.refused(answer, 400, "InvalidValue", "labels")


def test_a_condition_named_twice_is_not_lost(api, tree, nothing_stored):
    """A reader that keeps the last of two would drop the first without a word."""
    nothing_stored()
    body = """{"name": "office", "document": {"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::a/*",
        "Condition": {"StringEquals": {"aws:username": "anna"},
                      "StringEquals": {"aws:UserAgent": "b"}}}]}}"""

    answer = api.call("POST", tree.collection("policy"), content=body)

    message = made.refused(answer, 400, "MalformedBody", "body")
    assert message == "body: names StringEquals twice in one object"


SCOPES = [
    {},
    {"preset": "read-only", "prefx": "a"},
    {"preset": "read-only", "prefix": "a"},
    {"preset": "read-only", "Statement": []},
    {"preset": "read-only", "bucket": 1},
]


@pytest.mark.parametrize("scope", SCOPES)
def test_a_scope_that_is_neither_document_nor_preset(api, tree, scope):
    answer = api.post(tree.collection("access_key"), {"scope": scope})

    message = made.refused(answer, 400, "InvalidValue", "scope")
    assert "a policy document, or hold preset" in message


def test_a_preset_that_is_misspelt(api, tree):
    answer = api.post(tree.collection("access_key"), {"scope": {"preset": "readonly"}})

    message = made.refused(answer, 400, "InvalidValue", "scope.preset")
    assert "read-only" in message
