"""Several conditions on one key, for which a policy of an engine has one place."""

import pytest

from exordos_paas_storage.domain import errors
from exordos_paas_storage.domain.language import refusals
from tests.unit.compiled import BOTH, MINIO, RUSTFS, allow, conditions, deny, listing

KEYS = "s3:RequestObjectTagKeys"
NAME = "aws:username"


def of_uploads(engine, condition):
    """What a Deny of uploads becomes where the request has tags."""
    return conditions(engine, deny("s3:PutObject", condition=condition))


@pytest.mark.parametrize("engine", BOTH)
@pytest.mark.parametrize("other", ["StringEqualsIfExists", "ForAnyValue:StringEquals"])
def test_two_tags_of_a_request_may_be_in_two_lists(engine, other):
    """One is in the first list and one in the other, though none is in both."""
    written = {"StringEquals": {KEYS: "a"}, other: {KEYS: "b"}}

    assert {
        "StringEquals": {KEYS: ["a"]},
        "ForAnyValue:StringEquals": {KEYS: ["b"]},
    } in of_uploads(engine, written)


@pytest.mark.parametrize("engine", BOTH)
def test_three_lists_for_the_tags_of_a_request_are_refused(engine):
    written = {
        "StringEquals": {KEYS: "a"},
        "StringEqualsIfExists": {KEYS: "b"},
        "ForAnyValue:StringEquals": {KEYS: "c"},
    }

    with pytest.raises(errors.UnsupportedByEngine) as caught:
        of_uploads(engine, written)

    assert caught.value.rule.endswith(
        refusals.find(refusals.VALUE, refusals.REPEATED, engine).why
    )


@pytest.mark.parametrize("engine", BOTH)
@pytest.mark.parametrize(
    ("first", "second", "made"),
    [
        ("a", "b", {"Null": {KEYS: "true"}}),
        (["a", "b"], ["b", "c"], {"ForAllValues:StringEquals": {KEYS: ["b"]}}),
    ],
)
def test_all_tags_of_a_request_must_be_in_both_lists(engine, first, second, made):
    """Where nothing is in both, the request may still have none."""
    every = "ForAllValues:StringEquals"
    written = {every: {KEYS: first}, f"{every}IfExists": {KEYS: second}}

    assert made in of_uploads(engine, written)


@pytest.mark.parametrize("engine", BOTH)
def test_a_request_with_tags_can_not_have_all_in_lists_without_a_common_one(engine):
    every = "ForAllValues:StringEquals"
    written = {every: {KEYS: "a"}, f"{every}IfExists": {KEYS: "b"}}

    (inert,) = conditions(
        engine, deny("s3:PutObject", condition={**written, "Null": {KEYS: "false"}})
    )
    assert inert is None


@pytest.mark.parametrize("engine", BOTH)
def test_one_value_must_be_in_both_lists(engine):
    written = {
        "StringEquals": {NAME: ["ann", "bob"]},
        "StringEqualsIfExists": {NAME: ["bob", "eve"]},
    }

    (made,) = conditions(engine, allow("s3:AbortM*", condition=written))

    assert made["StringEquals"] == {NAME: ["bob"]}
    assert "ForAnyValue:StringEquals" not in made


REFERER = {
    "StringEquals": {"aws:Referer": ["x"]},
    "StringLike": {"aws:Referer": ["x*"]},
}


@pytest.mark.parametrize(
    ("engine", "made"),
    [
        (MINIO, {**REFERER, "StringNotEquals": {"aws:Referer": [""]}}),
        (RUSTFS, REFERER),
    ],
)
def test_a_value_that_is_there_and_meets_two_operators_is_met(engine, made):
    written = {**REFERER, "Null": {"aws:Referer": "false"}}

    assert conditions(engine, deny("s3:AbortM*", condition=written)) == [made]


@pytest.mark.parametrize("engine", BOTH)
def test_an_empty_prefix_may_meet_a_pattern_too(engine):
    written = {"StringEquals": {"s3:prefix": [""]}, "StringLike": {"s3:prefix": ["*"]}}

    assert conditions(engine, listing(written)) == [written]


@pytest.mark.parametrize("engine", BOTH)
def test_of_two_ranges_of_addresses_the_narrower_one_counts(engine):
    written = {
        "IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "192.0.2.1"]},
        "IpAddressIfExists": {"aws:SourceIp": ["10.1.0.0/16", "198.51.100.0/24"]},
    }

    (made,) = conditions(engine, allow("s3:AbortM*", condition=written))

    assert made["IpAddress"] == {"aws:SourceIp": ["10.1.0.0/16"]}


@pytest.mark.parametrize("engine", BOTH)
def test_an_address_of_ipv4_inside_ipv6_is_one_of_ipv4(engine):
    """MinIO reads it so, and shows it so when it is asked for the policy."""
    inside = ["::ffff:192.0.2.1", "::ffff:10.0.0.0/104", "::ffff:0:0/96", "::/64"]
    written = {"IpAddress": {"aws:SourceIp": inside}}

    (made,) = conditions(engine, allow("s3:AbortM*", condition=written))

    assert made["IpAddress"]["aws:SourceIp"] == [
        "0.0.0.0/0",
        "10.0.0.0/8",
        "192.0.2.1/32",
        "::/64",
    ]
