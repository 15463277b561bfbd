"""Rules of single fields: what they take, and that words, schema and check agree."""

import datetime
import uuid

import jsonschema
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from exordos_paas_storage.domain import access, errors, names, rules

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=70)
    | st.sampled_from(["none", "aes256", "read-write", "data", "a" * 64, "a\n"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=6,
)
RULES = {
    f"{resource.name}.{name}": field.rule
    for resource in access.RESOURCES
    for name, field in resource.fields.items()
    if max(field.access) > access.READ and not field.later
}


def is_valid(rule, value):
    return jsonschema.Draft202012Validator(rule.schema).is_valid(value)


@pytest.mark.parametrize("name", RULES)
def test_schemas_of_rules_are_valid(name):
    jsonschema.Draft202012Validator.check_schema(RULES[name].schema)


@given(value=JSON)
def test_what_a_rule_takes_its_schema_takes(value):
    for name, rule in RULES.items():
        assert not rule.holds(value) or is_valid(rule, value), name


EXACT = {
    "integer": rules.integer(1, 256),
    "boolean": rules.boolean(),
    "choice": rules.choice("none", "aes256"),
    "text": rules.text(5, 1),
    "labels": rules.LABELS,
    "nullable": rules.nullable(rules.integer(0, 9)),
    "list": rules.list_of(rules.choice("none", "aes256"), 3),
    "object": rules.any_object(),
    "secret": names.SECRET_KEY,
}


def storable(value):
    """Without what JSON schema can't tell: 1.0 for 1, NUL, what UTF-8 can't hold."""
    if isinstance(value, dict):
        return all(storable(key) and storable(inner) for key, inner in value.items())
    if isinstance(value, list):
        return all(map(storable, value))
    if isinstance(value, str):
        # Python's `$` also matches before a last line feed; ECMA's, which JSON
        # schema means, does not.
        return not value.endswith("\n") and rules.text(10**6).holds(value)
    return not isinstance(value, float)


@given(value=JSON)
@example(value=True)
@example(value=[True])
@example(value={"": ""})
@example(value={"a=b": ""})
@example(value=["none", "none"])
def test_a_rule_agrees_with_its_schema(value):
    for name, rule in EXACT.items():
        if storable(value):
            assert rule.holds(value) == is_valid(rule, value), name


@pytest.mark.parametrize("value", [True, False, 1.0, "1", None, [1], 0, 257, 2**64])
def test_an_integer_is_no_bool_float_or_text(value):
    assert not rules.integer(1, 256).holds(value)


@pytest.mark.parametrize("value", [1, 256])
def test_an_integer_may_be_either_bound(value):
    assert rules.integer(1, 256).holds(value)


@pytest.mark.parametrize("value", [0, 1, "true", None, 1.0])
def test_a_boolean_is_true_or_false_alone(value):
    assert not rules.boolean().holds(value)


@pytest.mark.parametrize("value", ["a\0b", "\0", "\ud800", "a\udfff", 5, None, ["a"]])
def test_text_holds_no_nul_and_no_lone_surrogate(value):
    assert not rules.text(255).holds(value)


@given(st.text(max_size=12))
def test_text_counts_characters_not_bytes(value):
    clean = "\0" not in value and not any("\ud800" <= c <= "\udfff" for c in value)

    assert rules.text(8, 2).holds(value) == (clean and 2 <= len(value) <= 8)


@pytest.mark.parametrize("value", ["aa\n", "\naa", "aaaaa", "ab", 3, None])
def test_a_pattern_must_match_whole_text(value):
    assert not rules.pattern("a{2,4}", "must be as", bool).holds(value)


@pytest.mark.parametrize("value", [["a", "a"], ["a", "b", "c"], ["d"], "a", {"a": 1}])
def test_a_list_refuses_repeats_excess_and_wrong_items(value):
    assert not rules.list_of(rules.choice("a", "b", "c"), 2).holds(value)


@pytest.mark.parametrize("value", [[["a"]], [{"a": 1}], [None]])
def test_items_that_have_no_hash_are_refused_not_a_fault(value):
    assert not rules.list_of(rules.choice("a"), 2).holds(value)


@pytest.mark.parametrize(
    "value",
    [
        {"": "v"},
        {"k" * 64: "v"},
        {"k": "v" * 256},
        {"a=b": "v"},
        {"a%": "v"},
        {"a\\": "v"},
        {"k": 1},
        {"k": None},
        {"k\0": "v"},
        {"k": "\ud800"},
        {f"k{number}": "" for number in range(51)},
        ["k"],
        None,
    ],
)
def test_labels_out_of_bounds_are_refused(value):
    assert not rules.LABELS.holds(value)


def test_labels_at_their_bounds_are_taken():
    most = {f"{number:063}": "v" * 255 for number in range(50)}

    assert rules.LABELS.holds(most)
    assert rules.LABELS.holds({})


def test_null_is_taken_only_where_it_is_said():
    assert rules.nullable(rules.text(5)).holds(None)
    assert not rules.text(5).holds(None)


def test_a_refusal_names_field_and_rule_and_never_the_value():
    with pytest.raises(errors.InvalidValue) as refused:
        names.SECRET_KEY.check("secret_key", "my secret")

    assert str(refused.value) == f"secret_key: {names.SECRET_KEY.words}"


@given(st.uuids())
def test_every_form_of_a_uuid_looks_like_one(value):
    for text in (str(value), value.hex, value.urn, f"{{{value}}}", str(value).upper()):
        assert rules.is_uuid(text)


@pytest.mark.parametrize("value", ["", "a", "g" * 32, str(uuid.UUID(int=1))[:-1], None])
def test_other_texts_do_not_look_like_a_uuid(value):
    assert not rules.is_uuid(value)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2030-01-31T12:00:00Z", "2030-01-31T12:00:00+00:00"),
        ("2030-01-31t12:00:00z", "2030-01-31T12:00:00+00:00"),
        ("2030-01-31T12:00:00.999999999Z", "2030-01-31T12:00:00+00:00"),
        ("2030-01-31T12:00:00+05:30", "2030-01-31T06:30:00+00:00"),
        ("2030-01-31T00:30:00-01:00", "2030-01-31T01:30:00+00:00"),
        ("9998-12-31T23:59:59Z", "9998-12-31T23:59:59+00:00"),
    ],
)
def test_a_time_is_read_in_utc_and_whole_seconds(text, found):
    rule = rules.time()

    assert rule.holds(text)
    assert rule.read(text) == datetime.datetime.fromisoformat(found)
    assert rule.holds(rule.read(text))


@pytest.mark.parametrize(
    "value",
    [
        "", "tomorrow", "2030-01-31", "2030-01-31T12:00:00", "2030-01-31 12:00:00Z",
        "2030-02-30T12:00:00Z", "2030-01-31T24:00:01Z", "2030-01-31T12:00:00+25:00",
        "9999-12-31T23:59:59Z", "9998-12-31T23:59:59-23:00", "1969-12-31T23:59:59Z",
        "0001-01-01T00:00:00+01:00", 1893456000, True, None, [],
        "2030-01-31T12:00:00Z\n",
        "٢٠٣٠-01-31T12:00:00Z", datetime.datetime(2030, 1, 1),
    ],
)  # fmt: skip
def test_what_is_no_time(value):
    assert not rules.time().holds(value)


def test_a_json_object_is_bounded_in_depth_and_can_be_stored():
    rule = rules.json_object(3)

    assert rule.holds({"a": [{"b": 1}], "c": None})
    for value in ({"a": [{"b": []}]}, {"a": "\0"}, {"\0": 1}, {"a": ["\ud800"]}, []):
        assert not rule.holds(value), value


def test_null_is_read_as_null():
    rule = rules.nullable(rules.time())

    assert rule.read(None) is None
    assert rule.read("2030-01-31T12:00:00Z").year == 2030
