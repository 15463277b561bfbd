"""Policy documents: templates, the guard, and comparing without losing a thing."""

import copy
import fnmatch
import random
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exordos_paas_storage.domain import capabilities, policy

ALL = "arn:aws:s3:::*"
# What a key may do at all, but for listing the names of buckets, which has no bucket.
ALLOWED = {
    action
    for engine in capabilities.ENGINES
    for action in capabilities.of(engine, "").guard_actions
} - {"s3:ListAllMyBuckets"}


def allows(document, action, resource, listed_prefix=None):
    """What the templates' part of the language says: a deny wins."""
    effects = {
        statement["Effect"]
        for statement in document["Statement"]
        if any(fnmatch.fnmatchcase(action, one) for one in statement["Action"])
        and any(fnmatch.fnmatchcase(resource, one) for one in statement["Resource"])
        and _condition_holds(statement.get("Condition"), listed_prefix)
    }
    return effects == {"Allow"}


def _condition_holds(condition, listed_prefix):
    if condition is None:
        return True
    patterns = condition["StringLike"]["s3:prefix"]
    return listed_prefix is not None and any(
        fnmatch.fnmatchcase(listed_prefix, one) for one in patterns
    )


OBJECT, BUCKET = "arn:aws:s3:::photos/2024/a.jpg", "arn:aws:s3:::photos"


@pytest.mark.parametrize(
    ("template", "reads", "writes", "deletes", "deletes_versions", "configures"),
    [
        ("read-only", True, False, False, False, False),
        ("read-write", True, True, True, True, False),
        ("write-only", False, True, False, False, False),
        ("backup", True, True, True, False, False),
        ("bucket-owner", True, True, True, True, True),
    ],
)
def test_what_each_template_allows(
    template, reads, writes, deletes, deletes_versions, configures
):
    document = policy.from_template(template)

    assert allows(document, "s3:GetObject", OBJECT) == reads
    assert allows(document, "s3:ListBucket", BUCKET) == reads
    assert allows(document, "s3:PutObject", OBJECT) == writes
    assert allows(document, "s3:DeleteObject", OBJECT) == deletes
    assert allows(document, "s3:DeleteObjectVersion", OBJECT) == deletes_versions
    assert allows(document, "s3:PutBucketPolicy", BUCKET) == configures


def test_the_templates_are_those_that_were_promised():
    assert set(policy.TEMPLATES) == {
        "read-only",
        "read-write",
        "write-only",
        "backup",
        "bucket-owner",
    }


@pytest.mark.parametrize("template", policy.TEMPLATES)
def test_a_template_is_aws_language_with_lists(template):
    document = policy.from_template(template, "photos", "2024/")

    assert document["Version"] == "2012-10-17"
    for statement in document["Statement"]:
        assert statement["Effect"] in ("Allow", "Deny")
        assert statement["Action"]
        assert isinstance(statement["Action"], list)
        assert isinstance(statement["Resource"], list)


@pytest.mark.parametrize("template", policy.TEMPLATES)
def test_a_template_of_one_bucket_reaches_no_other(template):
    document = policy.from_template(template, "photos")

    for action in ALLOWED:
        assert not allows(document, action, "arn:aws:s3:::other/a.jpg")
        assert not allows(document, action, "arn:aws:s3:::photos2/a.jpg")
        assert not allows(document, action, "arn:aws:s3:::other")


@pytest.mark.parametrize("template", policy.TEMPLATES)
def test_a_template_of_one_prefix_reaches_no_other_object(template):
    document = policy.from_template(template, "photos", "2024/")

    for action in ALLOWED:
        assert not allows(document, action, "arn:aws:s3:::photos/2023/a.jpg")


def test_a_template_of_one_prefix_lists_that_prefix_alone():
    document = policy.from_template("read-only", "photos", "2024/")

    assert allows(document, "s3:ListBucket", BUCKET, "2024/may")
    assert not allows(document, "s3:ListBucketMultipartUploads", BUCKET, "2024/may")
    assert not allows(document, "s3:ListBucket", BUCKET, "2023/")
    assert not allows(document, "s3:ListBucket", BUCKET)
    assert allows(document, "s3:GetBucketLocation", BUCKET)
    assert allows(document, "s3:GetObject", OBJECT)


def test_engine_names_and_ids_are_stable():
    instance = uuid.UUID(int=7)

    assert policy.template_id(instance, "read-only") == uuid.uuid5(
        instance, "read-only"
    )
    assert policy.engine_name(instance) == f"s3aas-{instance}"


@pytest.mark.parametrize("engine", capabilities.ENGINES)
def test_the_guard_denies_every_action_that_it_does_not_list(engine):
    allowed = capabilities.of(engine, "").guard_actions

    everything_else, admin = policy.guard(allowed)["Statement"]

    assert everything_else == {
        "Effect": "Deny",
        "NotAction": sorted(allowed),
        "Resource": [ALL],
    }
    assert admin == {"Effect": "Deny", "Action": ["admin:*"]}


def test_the_guard_denies_keys_that_an_engine_takes_for_paths():
    unsafe = capabilities.of(capabilities.MINIO, "").unsafe_keys

    *_, last = policy.guard(["s3:GetObject"], unsafe)["Statement"]

    assert (last["Effect"], last["Action"]) == ("Deny", ["s3:*"])
    for key in ("../a", "..", "./a", ".", "a/../b", "a/..", "a/./b", "a/.", "a/b/../c"):
        assert any(
            fnmatch.fnmatchcase(f"arn:aws:s3:::bucket/{key}", one)
            for one in last["Resource"]
        ), key
    for key in ("a", "a/b", "..a", "a..", "a../b", "a/..b", ".a", "a.", "a/.b", "a./b"):
        assert not any(
            fnmatch.fnmatchcase(f"arn:aws:s3:::bucket/{key}", one)
            for one in last["Resource"]
        ), key


@pytest.mark.parametrize("engine", capabilities.ENGINES)
def test_the_guard_lists_no_action_that_configures(engine):
    allowed = capabilities.of(engine, "").guard_actions
    object_writes = ("s3:PutObject", "s3:DeleteObject")

    assert not any("*" in action for action in allowed)
    for action in allowed:
        verb = action.removeprefix("s3:")
        assert verb.startswith(("Get", "List", "Abort", "Bypass")) or action.startswith(
            object_writes
        ), action


@pytest.mark.parametrize("engine", capabilities.ENGINES)
def test_the_guard_leaves_every_template_its_work(engine):
    allowed = set(capabilities.of(engine, "").guard_actions)

    for on_bucket, on_object in policy.TEMPLATES.values():
        assert {*on_bucket, *on_object} - {"s3:*"} <= allowed


# Comparing.

TEXT = st.text("abc*:/$", min_size=1, max_size=6)
TEXTS = st.lists(TEXT, min_size=1, max_size=3, unique=True)
STATEMENT = st.fixed_dictionaries(
    {"Effect": st.sampled_from(["Allow", "Deny"])},
    optional={
        "Sid": TEXT,
        "Action": TEXTS,
        "NotAction": TEXTS,
        "Resource": TEXTS,
        "NotResource": TEXTS,
        "Principal": st.just("*") | st.dictionaries(TEXT, TEXTS, min_size=1),
        "Condition": st.dictionaries(
            TEXT, st.dictionaries(TEXT, TEXTS, min_size=1), min_size=1, max_size=2
        ),
        "Unheard-Of": TEXTS,
    },
)
DOCUMENT = st.fixed_dictionaries(
    {
        "Version": st.sampled_from(["2012-10-17", "2008-10-17"]),
        "Statement": st.lists(STATEMENT, min_size=1, max_size=3),
    },
    optional={"Id": TEXT},
)


def leaves(value, path=()):
    """Paths of all texts of a document."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from leaves(inner, (*path, index))
    else:
        yield path


def holder(document, path):
    for key in path[:-1]:
        document = document[key]
    return document


@given(DOCUMENT, st.data())
def test_changing_any_leaf_makes_documents_differ(document, data):
    path = data.draw(st.sampled_from(list(leaves(document))))
    changed = copy.deepcopy(document)
    holder(changed, path)[path[-1]] = "changed, and nothing else is"

    assert not policy.same(document, changed)
    assert not policy.same(changed, document)


@given(DOCUMENT, st.data())
def test_leaving_out_any_element_makes_documents_differ(document, data):
    at = data.draw(st.integers(0, len(document["Statement"]) - 1))
    name = data.draw(st.sampled_from(list(document["Statement"][at])))
    changed = copy.deepcopy(document)
    del changed["Statement"][at][name]

    assert not policy.same(document, changed)


def rewritten(value, chance, key=""):
    """The same document in another order, with single texts out of their lists."""
    if isinstance(value, dict):
        names = chance.sample(list(value), len(value))
        return {name: rewritten(value[name], chance, name) for name in names}
    if isinstance(value, list):
        if len(value) == 1 and key != "Statement" and chance.random() < 0.5:
            return value[0]
        return [rewritten(one, chance) for one in chance.sample(value, len(value))]
    return value


@given(DOCUMENT, st.integers(0, 2**32))
def test_order_and_single_texts_make_no_difference(document, seed):
    other = rewritten(document, random.Random(seed))

    assert policy.same(document, other)
    assert policy.same(other, document)


@given(DOCUMENT)
def test_empty_elements_that_an_engine_adds_make_no_difference(document):
    added = copy.deepcopy(document)
    added["ID"] = ""
    for statement in added["Statement"]:
        for name, empty in (("Sid", ""), ("Condition", {}), ("NotAction", [])):
            statement.setdefault(name, empty)

    assert policy.same(document, added)


@given(DOCUMENT)
def test_comparing_changes_neither_document(document):
    before = copy.deepcopy(document)

    policy.same(document, {**document, "Id": "other"})

    assert document == before


def test_an_address_condition_is_not_lost():
    inside = {"IpAddress": {"aws:SourceIp": ["10.0.0.0/8"]}}
    open_one = policy.from_template("read-only")
    closed = copy.deepcopy(open_one)
    closed["Statement"][-1]["Condition"] = inside

    assert not policy.same(open_one, closed)


def test_a_condition_on_empty_text_is_not_lost():
    def listing(**equals):
        allow = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": ALL}
        return {"Statement": [{**allow, "Condition": {"StringEquals": equals}}]}

    root_only = listing(**{"s3:prefix": "", "s3:delimiter": "/"})

    assert not policy.same(root_only, listing(**{"s3:delimiter": "/"}))


@pytest.mark.parametrize(
    ("operator", "key", "ours", "theirs"),
    [
        ("NumericLessThan", "s3:max-keys", "10", [10]),
        ("Null", "s3:prefix", "true", [True]),
        ("Null", "s3:prefix", "false", "false"),
        ("NotIpAddress", "aws:SourceIp", ["::1/128"], "::1"),
    ],
)
def test_values_that_engines_write_in_their_own_form_make_no_difference(
    operator, key, ours, theirs
):
    def document(value):
        allow = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": ALL}
        return {"Statement": [{**allow, "Condition": {operator: {key: value}}}]}

    assert policy.same(document(ours), document(theirs))
    assert not policy.same(document(ours), document("11"))
