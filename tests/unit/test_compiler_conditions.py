"""What conditions become for each engine."""

import pytest

from tests.unit.compiled import (
    BOTH,
    MINIO,
    RUSTFS,
    allow,
    conditions,
    deny,
    found,
    listing,
    statements,
)

# A list of objects carries all that these compare.


@pytest.mark.parametrize("engine", BOTH)
@pytest.mark.parametrize(
    ("written", "made"),
    [
        (
            {"StringEqualsIfExists": {"s3:prefix": ["b", "a"]}},
            [
                {"StringEquals": {"s3:prefix": ["a", "b"]}},
                {"Null": {"s3:prefix": "true"}},
            ],
        ),
        (
            {"StringNotLikeIfExists": {"s3:prefix": "a*"}},
            [{"StringNotLike": {"s3:prefix": ["a*"]}}],
        ),
        (
            {"ForAllValues:StringLike": {"s3:prefix": "a*"}},
            [
                {"StringLike": {"s3:prefix": ["a*"]}},
                {"Null": {"s3:prefix": "true"}},
            ],
        ),
        (
            {"ForAnyValue:StringNotEquals": {"s3:prefix": "a"}},
            [
                {
                    "Null": {"s3:prefix": "false"},
                    "StringNotEquals": {"s3:prefix": ["a"]},
                }
            ],
        ),
        ({"Null": {"s3:prefix": [True, "false"]}}, [None]),
        (
            {"StringEquals": {"s3:prefix": "a"}, "Null": {"s3:prefix": "false"}},
            [{"StringEquals": {"s3:prefix": ["a"]}}],
        ),
        (
            {
                "StringEquals": {"s3:prefix": ["a", "b"]},
                "StringEqualsIfExists": {"s3:prefix": ["b", "c"]},
            },
            [{"StringEquals": {"s3:prefix": ["b"]}}],
        ),
        (
            {
                "StringLike": {"s3:prefix": "a*"},
                "StringLikeIfExists": {"s3:prefix": "*b"},
            },
            [
                {
                    "ForAnyValue:StringLike": {"s3:prefix": ["*b"]},
                    "StringLike": {"s3:prefix": ["a*"]},
                }
            ],
        ),
        (
            {"NumericLessThan": {"s3:max-keys": ["10", "20.5"]}},
            [{"NumericLessThan": {"s3:max-keys": "21"}}],
        ),
        (
            {"NumericEquals": {"s3:max-keys": [5, 7]}},
            [
                {"NumericEquals": {"s3:max-keys": "5"}},
                {"NumericEquals": {"s3:max-keys": "7"}},
            ],
        ),
        (
            {"NumericNotEquals": {"s3:max-keys": 10}},
            [
                {"Null": {"s3:max-keys": "true"}},
                {"NumericLessThan": {"s3:max-keys": "10"}},
                {"NumericGreaterThanEquals": {"s3:max-keys": "11"}},
            ],
        ),
        (
            {
                "NumericGreaterThan": {"s3:max-keys": 1},
                "NumericLessThanEquals": {"s3:max-keys": 9},
                "NumericNotEquals": {"s3:max-keys": [5, 20]},
            },
            [
                {
                    "NumericGreaterThanEquals": {"s3:max-keys": "2"},
                    "NumericLessThan": {"s3:max-keys": "5"},
                },
                {
                    "NumericGreaterThanEquals": {"s3:max-keys": "6"},
                    "NumericLessThan": {"s3:max-keys": "10"},
                },
            ],
        ),
        ({"Bool": {"aws:SecureTransport": "false"}}, [None]),
        ({"StringEquals": {"aws:PrincipalType": ["User", "Account"]}}, [None]),
        ({"BoolIfExists": {"aws:ViaAWSService": False}}, [None]),
    ],
)
def test_a_condition_becomes_what_both_engines_compare(engine, written, made):
    assert conditions(engine, listing(written)) == made


@pytest.mark.parametrize("engine", BOTH)
@pytest.mark.parametrize(
    "never",
    [
        {"Bool": {"aws:SecureTransport": "true"}},
        {"StringEquals": {"s3:x-amz-storage-class": "STANDARD"}},
        {"StringEquals": {"s3:prefix": "a"}, "Null": {"s3:prefix": "true"}},
        {"StringEquals": {"s3:prefix": "a"}, "ForAnyValue:StringEquals": {
            "s3:prefix": "b"}, "StringEqualsIfExists": {"s3:prefix": "c"}},
        {"NumericLessThan": {"s3:max-keys": 1}, "NumericGreaterThan": {
            "s3:max-keys": 5}},
    ],
)  # fmt: skip
def test_what_can_never_hold_gives_nothing_and_says_so(engine, never):
    made = found(engine, listing(never))

    assert [one["Effect"] for one in made.document["Statement"]] == ["Deny"]
    (path,) = (one.path for one in made.warnings if not one.laxer)
    assert path == "document.Statement[0].Condition"


@pytest.mark.parametrize("engine", BOTH)
def test_transport_is_that_of_the_endpoint(engine):
    plain = deny("s3:AbortMultipartUpload", condition={
        "Bool": {"aws:SecureTransport": "false"}
    })  # fmt: skip

    (everywhere,) = statements(engine, plain, secure=False)
    (nowhere,) = statements(engine, plain, secure=True)

    assert "Condition" not in everywhere
    assert everywhere["Action"] == ["s3:AbortMultipartUpload"]
    assert nowhere["Resource"] == ["arn:aws:s3:::-/-"]


@pytest.mark.parametrize("engine", BOTH)
def test_a_key_counts_for_the_actions_that_carry_it(engine):
    inside = {"StringLike": {"s3:prefix": "in/*"}}

    made = statements(
        engine, allow(["s3:ListBucket", "s3:AbortMultipartUpload"], "*", inside)
    )

    assert [(one["Action"], one["Condition"]) for one in made] == [
        (["s3:ListBucket"], {"StringLike": {"s3:prefix": ["in/*"]}})
    ]
    others = {"StringNotLike": {"s3:prefix": "in/*"}}
    made = statements(
        engine, deny(["s3:ListBucket", "s3:AbortMultipartUpload"], "*", others)
    )
    assert ["s3:AbortMultipartUpload"] in [
        one["Action"] for one in made if "Condition" not in one
    ]


@pytest.mark.parametrize("engine", BOTH)
def test_dates_are_whole_seconds_of_universal_time(engine):
    before = {"DateLessThanEquals": {"aws:CurrentTime": "2030-01-31T02:00:00+02:00"}}
    day = {"DateEquals": {"aws:EpochTime": "1970-01-02"}}
    part = {"DateGreaterThan": {"aws:CurrentTime": "2030-01-31T00:00:00.5Z"}}

    def only(condition):
        return {
            (operator, key): value
            for operator, keys in conditions(engine, listing(condition))[0].items()
            for key, value in keys.items()
            if not operator.startswith("ForAll")
        }

    assert only(before) == {("DateLessThan", "aws:CurrentTime"): "2030-01-31T00:00:01Z"}
    assert only(day) == {("NumericEquals", "aws:EpochTime"): "86400"}
    assert only(part) == {
        ("DateGreaterThanEquals", "aws:CurrentTime"): "2030-01-31T00:00:01Z"
    }


@pytest.mark.parametrize("engine", BOTH)
@pytest.mark.parametrize(
    ("operator", "date", "made"),
    [
        ("DateGreaterThan", "0001-01-01T00:00:00+14:00", {}),
        ("DateLessThan", "9999-12-31T23:59:59-14:00", {}),
        ("DateNotEquals", "0001-01-01T00:00:00+14:00", {}),
        ("DateLessThan", "0002-01-01", {"DateLessThan": "0002-01-01T00:00:00Z"}),
        ("DateLessThan", "0001-01-01T00:00:00+14:00", None),
        ("DateGreaterThan", "9999-12-31T23:59:59-14:00", None),
    ],
)
def test_years_that_no_engine_can_write_are_left_out(engine, operator, date, made):
    written = {operator: {"aws:CurrentTime": date}}
    (one,) = statements(engine, allow("s3:AbortM*", condition=written))

    compared = {
        name: keys["aws:CurrentTime"]
        for name, keys in one.get("Condition", {}).items()
        if not name.startswith("ForAll")
    }
    assert (compared if one["Effect"] == "Allow" else None) == made


@pytest.mark.parametrize("engine", BOTH)
def test_addresses_have_their_length(engine):
    """Both engines read an address of IPv6 without a length as a /32."""
    written = {"IpAddress": {"aws:SourceIp": ["::1", "10.1.2.3/8", "192.0.2.7"]}}

    (made,) = conditions(engine, allow("s3:AbortMultipartUpload", condition=written))

    assert made["IpAddress"] == {
        "aws:SourceIp": ["10.0.0.0/8", "192.0.2.7/32", "::1/128"]
    }


TRUTH = {"ForAllValues:StringEquals": {"aws:SourceIp": ["${aws:SourceIp}"]}}
LIE = {"ForAllValues:StringNotEquals": {"aws:SourceIp": ["${aws:SourceIp}"]}}


def test_minio_is_told_to_doubt_addresses_of_the_client():
    office = {"aws:SourceIp": "10.0.0.0/8"}
    inside, outside = {"IpAddress": office}, {"NotIpAddress": office}

    (made,) = conditions(MINIO, allow("s3:AbortMultipartUpload", condition=inside))
    assert made == {"IpAddress": {"aws:SourceIp": ["10.0.0.0/8"]}, **TRUTH}

    made = conditions(MINIO, deny("s3:AbortMultipartUpload", condition=outside))
    assert made == [{"NotIpAddress": {"aws:SourceIp": ["10.0.0.0/8"]}}, LIE]

    (made,) = conditions(RUSTFS, allow("s3:AbortMultipartUpload", condition=inside))
    assert made == {"IpAddress": {"aws:SourceIp": ["10.0.0.0/8"]}}


@pytest.mark.parametrize(
    ("written", "minio"),
    [
        (
            {"Null": {"aws:referer": "true"}},
            [{"StringEquals": {"aws:Referer": [""]}}],
        ),
        (
            {"Null": {"aws:referer": "false"}},
            [{"StringNotEquals": {"aws:Referer": [""]}}],
        ),
        (
            {"StringLike": {"aws:referer": "*"}},
            [{"StringLike": {"aws:Referer": ["?*"]}}],
        ),
        (
            {"StringLikeIfExists": {"aws:referer": "http*"}},
            [
                {"StringLike": {"aws:Referer": ["http*"]}},
                {"StringEquals": {"aws:Referer": [""]}},
            ],
        ),
    ],
)
def test_a_header_that_is_not_there_is_empty_on_minio(written, minio):
    asked = allow("s3:AbortMultipartUpload", condition=written)

    assert conditions(MINIO, asked) == minio


@pytest.mark.parametrize("engine", BOTH)
def test_several_tags_are_compared_as_each_engine_has_it(engine):
    key = "s3:RequestObjectTagKeys"
    upload = ["s3:PutObject", "s3:PutObjectTagging"]

    def made(operator):
        written = {operator: {key: ["team"]}}
        return [
            one["Condition"]
            for one in statements(engine, allow(upload, condition=written))
            if one["Action"] == ["s3:PutObject"]
        ]

    quantifier = "ForAllValues" if engine == MINIO else "ForAnyValue"
    assert {f"{quantifier}:StringNotEquals": {key: ["team"]}} in [
        {name: value for name, value in one.items() if name != "Null"}
        for one in made("ForAnyValue:StringNotEquals")
    ]
    assert {"StringNotEquals": {key: ["team"]}} in [
        {name: value for name, value in one.items() if name != "Null"}
        for one in made("ForAllValues:StringNotEquals")
    ]


def test_minio_gets_encryptions_that_it_does_not_know_by_an_operator_that_takes_them():
    key = "s3:x-amz-server-side-encryption"

    def made(engine, value):
        (one,) = conditions(
            engine, allow("s3:PutObject", condition={"StringEquals": {key: value}})
        )
        return {name: given for name, given in one.items() if name != "Null"}

    assert made(MINIO, "AES256") == {"StringEquals": {key: ["AES256"]}}
    assert made(MINIO, "none") == {"StringLike": {key: ["none"]}}
    assert made(RUSTFS, "none") == {"StringEquals": {key: ["none"]}}


@pytest.mark.parametrize("engine", BOTH)
def test_a_copy_source_counts_with_and_without_a_slash(engine):
    source = {"StringLike": {"s3:x-amz-copy-source": ["data/a/*", "data/b"]}}

    (made,) = conditions(engine, allow("s3:PutObject", condition=source))

    assert made["StringLike"]["s3:x-amz-copy-source"] == [
        "/data/a/*",
        "/data/b",
        "data/a/*",
        "data/b",
    ]


def test_minio_is_shown_that_two_values_are_not_one_with_a_space():
    """It would drop the second statement as equal to the first."""
    one, two = (
        deny("s3:AbortMultipartUpload", condition={"StringEquals": {key: values}})
        for key, values in (("aws:UserAgent", "a b"), ("aws:UserAgent", ["a", "b"]))
    )

    first, second = conditions(MINIO, one, two)

    assert first["ForAllValues:StringLike"] == {"aws:username": ["*", "13,3"]}
    assert second == {"StringEquals": {"aws:UserAgent": ["a", "b"]}}
    assert conditions(RUSTFS, one) == [{"StringEquals": {"aws:UserAgent": ["a b"]}}]
