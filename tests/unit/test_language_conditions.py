"""When a condition holds, by AWS's rules."""

import pytest

from exordos_paas_storage.domain.language import conditions, document, operators


def holds(operator, values, given, key="s3:prefix", **context):
    """Whether a condition holds where the request carries `given`; None: no such key.

    Further keys of the request stand in `context`, with `_` for the colon.
    """
    quantifier, found, if_exists = operators.split(operator)
    listed = (values,) if isinstance(values, str) else tuple(values)
    carried = {name.replace("_", ":"): (value,) for name, value in context.items()}
    if given is not None:
        carried[key] = (given,) if isinstance(given, str) else tuple(given)
    condition = document.Condition(found.name, key, listed, if_exists, quantifier)
    return conditions.holds(condition, carried)


# Operator, values of the document, values that meet it, values that don't. A negated
# operator is met by exactly the others, which the test tries as well.
CASES = [
    ("StringEquals", ["a", "b*"], ["a", "b*"], ["A", "bc", "", "aa"]),
    ("StringEqualsIgnoreCase", ["Ab", "c?"], ["aB", "AB", "C?"], ["b", "cd"]),
    ("StringLike", ["a*", "?b"], ["a", "a/b", "xb"], ["b", "xxb", "A"]),
    ("StringLike", ["a${*}"], ["a*"], ["ab"]),
    ("NumericEquals", ["10", "2.5"], ["10", "10.0", "2.50"], ["1", "ten", ""]),
    ("DateEquals", ["2030-01-01T00:00:00Z"], ["2030-01-01", "1893456000"], ["2030"]),
    ("IpAddress", ["10.0.0.0/8", "2001:db8::/32"], ["10.1.2.3"], ["11.0.0.1", "x"]),
    ("IpAddress", ["2001:db8::/32"], ["2001:db8::1"], ["10.0.0.1", "2001:db9::1"]),
    ("IpAddress", ["10.0.0.0/8"], ["::ffff:10.0.0.1"], ["::ffff:11.0.0.1", "::1"]),
    ("IpAddress", ["0.0.0.0/0"], ["1.2.3.4"], ["::1"]),
    (
        "ArnLike",
        ["arn:aws:iam::1:user/*"],
        ["arn:aws:iam::1:user/a", "arn:aws:iam::1:user/a:b"],
        ["arn:aws:iam::2:user/a", "user/a", "arn:aws:iam::1", ""],
    ),
    (
        "ArnLike",
        ["arn:aws:*:user/a"],
        [],
        ["arn:aws:iam::1:user/a"],
    ),
    ("ArnEquals", ["arn:*:s?::*:b*"], ["arn:aws:s3::1:b2"], ["arn:aws:s3:x:1:b2"]),
    ("ArnEquals", ["*"], ["arn:aws:s3:::b", "anything"], []),
]
OPPOSITES = {
    "StringEquals": "StringNotEquals",
    "StringEqualsIgnoreCase": "StringNotEqualsIgnoreCase",
    "StringLike": "StringNotLike",
    "NumericEquals": "NumericNotEquals",
    "DateEquals": "DateNotEquals",
    "IpAddress": "NotIpAddress",
    "ArnLike": "ArnNotLike",
    "ArnEquals": "ArnNotEquals",
}


@pytest.mark.parametrize(("operator", "values", "meeting", "other"), CASES)
def test_values_that_meet_an_operator(operator, values, meeting, other):
    negated = OPPOSITES[operator]

    assert [holds(operator, values, one) for one in meeting] == [True] * len(meeting)
    assert [holds(operator, values, one) for one in other] == [False] * len(other)
    assert [holds(negated, values, one) for one in meeting] == [False] * len(meeting)
    assert [holds(negated, values, one) for one in other] == [True] * len(other)


@pytest.mark.parametrize("kind", ["Numeric", "Date"])
@pytest.mark.parametrize(
    ("order", "below", "same", "above"),
    [
        ("LessThan", True, False, False),
        ("LessThanEquals", True, True, False),
        ("GreaterThan", False, False, True),
        ("GreaterThanEquals", False, True, True),
    ],
)
def test_orders(kind, order, below, same, above):
    numbers, days = ("9.99", "10", "100"), ("2029-12-31", "2030-01-01", "2031-01-01")
    given = numbers if kind == "Numeric" else days

    results = tuple(holds(kind + order, given[1], one) for one in given)

    assert results == (below, same, above)
    assert not holds(kind + order, given[1], "neither number nor day")


def test_bool_binary_and_null():
    assert holds("Bool", "true", "true")
    assert not holds("Bool", "true", "false")
    assert not holds("Bool", "false", "no")
    assert holds("BinaryEquals", "QUI=", "QUI=")
    assert not holds("BinaryEquals", "QUI=", "QUM=")
    assert not holds("BinaryEquals", "QUI=", "not base64")
    assert holds("Null", "true", None)
    assert not holds("Null", "true", "")
    assert holds("Null", "false", "")
    assert not holds("Null", "false", None)
    assert holds("Null", ["true", "false"], None)
    assert holds("Null", "true", [])


POSITIVE = sorted(name for name, one in operators.OPERATORS.items() if not one.negated)
NEGATED = sorted(name for name, one in operators.OPERATORS.items() if one.negated)
# A value that every reader of that kind of operator takes.
VALUES = {"Bool": "true", "BinaryEquals": "QUI=", "Null": "false"}


def _value(name):
    if "IpAddress" in name:
        return "10.0.0.0/8"
    return VALUES.get(name, "*" if name.startswith("Arn") else "10")


@pytest.mark.parametrize("name", POSITIVE)
def test_a_missing_key_fails_a_positive_operator(name):
    assert not holds(name, _value(name), None)
    assert not holds(name, _value(name), [])


@pytest.mark.parametrize("name", NEGATED)
def test_a_missing_key_meets_a_negated_operator(name):
    assert holds(name, _value(name), None)
    assert holds(name + "IfExists", _value(name), None)


@pytest.mark.parametrize("name", sorted(set(POSITIVE) - {"Null"}))
def test_a_missing_key_meets_if_exists(name):
    assert holds(name + "IfExists", _value(name), None)


def test_a_key_that_is_there_is_compared_in_spite_of_if_exists():
    assert not holds("StringEqualsIfExists", "a", "b")
    assert holds("StringEqualsIfExists", "a", "a")
    assert not holds("StringNotEqualsIfExists", "a", "a")


@pytest.mark.parametrize("suffix", ["", "IfExists"])
@pytest.mark.parametrize(
    ("operator", "given", "result"),
    [
        ("ForAnyValue:StringEquals", None, False),
        ("ForAnyValue:StringEquals", ["c"], False),
        ("ForAnyValue:StringEquals", ["c", "a"], True),
        ("ForAnyValue:StringNotEquals", None, False),
        ("ForAnyValue:StringNotEquals", ["a", "b"], False),
        ("ForAnyValue:StringNotEquals", ["a", "c"], True),
        ("ForAllValues:StringEquals", None, True),
        ("ForAllValues:StringEquals", ["a", "b"], True),
        ("ForAllValues:StringEquals", ["a", "c"], False),
        ("ForAllValues:StringNotEquals", None, True),
        ("ForAllValues:StringNotEquals", ["c", "d"], True),
        ("ForAllValues:StringNotEquals", ["c", "a"], False),
    ],
)
def test_quantifiers(operator, given, result, suffix):
    key = "s3:RequestObjectTagKeys"

    assert holds(operator + suffix, ["a", "b"], given, key) is result


def test_several_values_without_a_quantifier():
    assert holds("StringEquals", "a", ["b", "a"])
    assert not holds("StringEquals", "a", ["b", "c"])
    assert not holds("StringNotEquals", "a", ["b", "a"])
    assert holds("StringNotEquals", "a", ["b", "c"])


def test_variables_in_values_are_of_the_request():
    value = "home/${aws:username}/*"

    assert holds("StringLike", value, "home/bob/x", aws_username="bob")
    assert not holds("StringLike", value, "home/eve/x", aws_username="bob")
    assert not holds("StringEquals", value, "home/bob/x", aws_username="bob")
    assert holds("StringEquals", value, "home/bob/*", aws_username="bob")
    arn = "arn:aws:s3:::${aws:username}"
    assert holds("ArnLike", arn, "arn:aws:s3:::bob", aws_username="bob")
    assert not holds("ArnLike", arn, "arn:aws:s3:::b", aws_username="bob")


def test_what_a_variable_brings_is_no_wildcard():
    assert not holds("StringLike", "${aws:username}", "anything", aws_username="*")
    assert holds("StringLike", "${aws:username}", "*", aws_username="*")
    assert not holds("StringLike", "a${aws:username}", "ab", aws_username="?")
    assert not holds("StringLike", "${aws:userid, '*'}", "anything")
    assert not holds("StringLike", "${aws:userid}", "x", aws_userid="${aws:username}")


def test_a_variable_without_a_value_is_neither_equal_nor_like():
    assert not holds("StringLike", "*${aws:userid}", "x")
    assert holds("StringNotLike", "*${aws:userid}", "x")
    assert holds("StringLike", ["*${aws:userid}", "x"], "x")
    assert holds("StringLike", "${aws:userid, 'x'}", "x")
    assert not holds("ArnLike", "arn:aws:s3:::${aws:userid}", "arn:aws:s3:::")
    several = {"aws:userid": ("a", "b"), "s3:prefix": ("a",)}
    condition = document.Condition("StringEquals", "s3:prefix", ("${aws:userid}",))
    assert not conditions.holds(condition, several)


def test_a_condition_that_can_not_be_compared_is_an_error():
    with pytest.raises(KeyError):
        conditions.holds(document.Condition("Like", "s3:prefix", ("a",)), {})
    broken = document.Condition("NumericEquals", "s3:max-keys", ("ten",))
    with pytest.raises(ValueError, match="not of its kind"):
        conditions.holds(broken, {"s3:max-keys": ("10",)})
