"""Texts of the language: values of conditions, policy variables, wildcards."""

from decimal import Decimal

import pytest

from exordos_paas_storage.domain.language import (
    operators,
    patterns,
    values,
    variables,
)


@pytest.mark.parametrize(
    ("operator", "good", "bad"),
    [
        ("NumericEquals", ["0", "-5", "10.25", "9" * 18], ["", "1e3", "+1", "9" * 19]),
        ("NumericEquals", ["1.5"], ["NaN", "Infinity", "\u0661", "1.", "10 "]),
        (
            "DateEquals",
            ["2030-01-31", "2030-01-31T23:59Z", "2030-01-31T23:59:59.5+02:00", "0"],
            ["2030-02-30", "2030-1-1", "2030-01-31T23:59:59", "tomorrow", "-1", ""],
        ),
        (
            "DateEquals",
            ["1893456000"],
            ["2030-01-31T24:00:00Z", "0000-01-01", "2030-01-31T00:00:00+24:00"],
        ),
        ("Bool", ["true", "false"], ["True", "1", "", "yes"]),
        ("Null", ["true", "false"], ["null", ""]),
        ("BinaryEquals", ["", "QUJD", "QQ=="], ["QQ", "Q!==", "\u00e9"]),
        (
            "IpAddress",
            ["10.0.0.1", "10.0.0.0/8", "2001:db8::/32", "::1", "10.1.2.3/8"],
            ["10.0.0.0/33", "10.0.0.0/255.0.0.0", "10.0.0", "fe80::1%eth0", "", "*"],
        ),
        (
            "ArnLike",
            ["*", "arn:aws:iam::1:user/a", "arn:*:*:*:*:${aws:username}"],
            ["arn:aws:iam::1", "user", "", "arn:${aws:username}:a:b:c"],
        ),
        (
            "StringEquals",
            ["", "any text", "$", "{}", "${*}", "a${aws:username}b"],
            ["${", "${}", "${aws:nothing}", "${aws:username", "${${aws:username}}"],
        ),
    ],
)
def test_values_are_checked_by_the_kind_of_their_operator(operator, good, bad):
    found = operators.OPERATORS[operator]

    assert [operators.problem(found, text) for text in good] == [""] * len(good)
    assert all(operators.problem(found, text) for text in bad)


def test_values_that_mean_the_same_are_the_same():
    day = 1_893_456_000 * 10**9
    assert values.number("1.50") == values.number("1.5") == Decimal("1.5")
    assert values.instant_ns("2030-01-01") == values.instant_ns("1893456000") == day
    assert values.instant_ns("2030-01-01T02:00:00+02:00") == day
    assert values.instant_ns("2029-12-31T22:30:00-01:30") == day
    assert values.instant_ns("2030-01-01T00:00:00.000000001Z") == day + 1
    assert values.instant_ns("1969-12-31T23:59:59Z") == -(10**9)
    assert values.address("::ffff:10.0.0.1") == values.address("10.0.0.1")
    assert values.address("10.0.0.0/8") is None
    assert values.binary("QUJD") == b"ABC"


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("plain", ("plain",)),
        ("", ()),
        ("a*b?", ("a", patterns.Wildcard.RUN, "b", patterns.Wildcard.ONE)),
        ("a${*}b${?}${$}", ("a*b?$",)),
        ("${aws:UserName}/x", (variables.Variable("aws:username", None), "/x")),
        ("${aws:userid, 'no*'}", (variables.Variable("aws:userid", "no*"),)),
        ("${aws:userid,''}", (variables.Variable("aws:userid", ""),)),
        ("${aws:userid, open", ("${aws:userid, open",)),
    ],
)
def test_a_text_is_read_into_texts_wildcards_and_variables(text, pieces):
    assert variables.read(text) == pieces


@pytest.mark.parametrize(
    "text",
    [
        "${aws:username, default}",
        "${aws:username, 'open}",
        "${aws:username 'x'}",
        "${, 'x'}",
        "${ }",
        "${aws:PrincipalTag}",
        "${aws:TagKeys}",
        "${s3:RequestObjectTagKeys}",
        "${aws:groups}",
        "x${aws:username",
    ],
)
def test_a_variable_that_is_refused(text):
    assert "policy variable" in variables.problem(text)


def test_names_of_variables():
    text = "${aws:username}/${S3:Prefix, 'x'}/${*}"
    assert variables.names(text) == ("aws:username", "s3:prefix")
    assert variables.problem(text) == ""


@pytest.mark.parametrize(
    ("pattern", "matching", "other"),
    [
        ("", [""], ["a"]),
        ("*", ["", "a", "a/b\nc"], []),
        ("a*", ["a", "a/b/c"], ["b", "A"]),
        ("*a", ["a", "ba", "aa"], ["ab"]),
        ("a*b*c", ["abc", "a1b2c", "abcbc"], ["acb", "abcd"]),
        ("a**b", ["ab", "axb"], ["a"]),
        ("?", ["a", "/", "\n"], ["", "ab"]),
        ("*?", ["a", "ab"], [""]),
        ("a?*?b", ["axyb", "axxxyb"], ["ab", "axb"]),
        ("a.[b]", ["a.[b]"], ["axb", "a.b"]),
    ],
)
def test_wildcards(pattern, matching, other):
    read = patterns.read(pattern)

    assert all(patterns.matches(read, text) for text in matching)
    assert not any(patterns.matches(read, text) for text in other)


def test_many_wildcards_cost_no_more_than_a_few():
    # Tried one way after another this would take longer than the universe has.
    assert not patterns.matches(patterns.read("*a?" * 600 + "b"), "a" * 5000)
    assert patterns.matches(patterns.read("*a?" * 600 + "b"), "a" * 5000 + "b")
