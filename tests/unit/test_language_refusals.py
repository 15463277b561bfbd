"""What is refused of policy documents, and how the refusal leads to it."""

import pytest

from exordos_paas_storage.domain.language import document
from tests.unit.documents import ALICE, refusal, with_condition, with_statement


@pytest.mark.parametrize("value", [None, 1, "text", [], [{}], True])
def test_what_is_no_object_is_refused(value):
    assert refusal(value).field == "document"


@pytest.mark.parametrize(
    ("changes", "field", "rule"),
    [
        ({"Version": "2008-10-17"}, "Version", "must be 2012-10-17"),
        ({"Version": ["2012-10-17"]}, "Version", "must be 2012-10-17"),
        ({"Version": ...}, "Version", "is required and must be 2012-10-17"),
        ({"Id": 5}, "Id", "must be text"),
        ({"Id": "a\0b"}, "Id", "must have no control characters"),
        ({"Id": "\ud800"}, "Id", "must have no control characters"),
        ({"Principal": "*"}, "Principal", "must be left out: the principal is"),
        ({"statement": []}, "statement", "is no element here"),
        ({"Bad\nname": 1}, "(unprintable)", "is no element here"),
        ({"Statement": ...}, "Statement", "is required"),
        ({"Statement": []}, "Statement", "must not be empty"),
        ({"Statement": ["text"]}, "Statement[0]", "must be an object"),
        ({"Statement": None}, "Statement[0]", "must be an object"),
    ],
)
def test_a_wrong_element_of_a_document_is_named(changes, field, rule):
    value = {**with_statement(), **changes}
    value = {name: inner for name, inner in value.items() if inner is not ...}

    error = refusal(value)

    assert error.field == f"document.{field}"
    assert error.rule.startswith(rule)


STATEMENT = "document.Statement[0]"
NO_ACTION = "is not an action of S3"
ONLY_S3 = "must begin with s3: as only actions of S3 can be granted"
RESOURCE = "must be *, or arn:aws:s3::: and a bucket"


@pytest.mark.parametrize(
    ("changes", "field", "rule"),
    [
        ({"Effect": ...}, "Effect", "is required: Allow or Deny"),
        ({"Effect": "allow"}, "Effect", "must be Allow or Deny"),
        ({"Effect": ["Allow"]}, "Effect", "must be Allow or Deny"),
        ({"Sid": "with space"}, "Sid", "must be at most 128 letters and digits"),
        ({"Sid": "\u00e9"}, "Sid", "must be at most 128 letters and digits"),
        ({"Sid": "a" * 129}, "Sid", "must be at most 128 letters and digits"),
        ({"Sid": 5}, "Sid", "must be at most 128 letters and digits"),
        ({"Principal": {"AWS": "*"}}, "Principal", "must be left out"),
        ({"NotPrincipal": "*"}, "NotPrincipal", "must be left out"),
        ({"action": "s3:GetObject"}, "action", "is no element here"),
        ({"Action": ...}, "Action", "is required, or NotAction"),
        ({"Action": []}, "Action", "must not be empty"),
        ({"NotAction": "s3:*"}, "NotAction", "must not stand beside Action"),
        ({"Action": 5}, "Action[0]", "must be text"),
        ({"Action": ["s3:GetObject", None]}, "Action[1]", "must be text"),
        (
            {"Action": "s3:GetObjct"},
            "Action[0]",
            f"{NO_ACTION}; did you mean s3:GetObject?",
        ),
        ({"Action": ""}, "Action[0]", "must begin with s3:"),
        ({"Action": "GetObject"}, "Action[0]", "must begin with s3:"),
        ({"Action": "s3:"}, "Action[0]", NO_ACTION),
        ({"Action": "s3:GetObject "}, "Action[0]", NO_ACTION),
        ({"Action": "s3:" + "*" * 200}, "Action[0]", "matches no action of S3"),
        ({"Action": "s3:HeadBucket"}, "Action[0]", NO_ACTION),
        ({"Action": "s3:Grant*"}, "Action[0]", "matches no action of S3"),
        ({"Action": "s3:GetObjec?t"}, "Action[0]", "matches no action of S3"),
        ({"Action": "iam:*"}, "Action[0]", ONLY_S3),
        ({"Action": "admin:*"}, "Action[0]", ONLY_S3),
        ({"Action": "kms:Decrypt"}, "Action[0]", ONLY_S3),
        ({"Action": "sts:AssumeRole"}, "Action[0]", ONLY_S3),
        ({"Action": "*:*"}, "Action[0]", ONLY_S3),
        ({"Resource": ...}, "Resource", "is required, or NotResource"),
        ({"Resource": []}, "Resource", "must not be empty"),
        ({"NotResource": "*"}, "NotResource", "must not stand beside Resource"),
        ({"Resource": {}}, "Resource[0]", "must be text"),
        ({"Resource": ""}, "Resource[0]", RESOURCE),
        ({"Resource": "photos"}, "Resource[0]", RESOURCE),
        ({"Resource": "arn:aws:s3:::"}, "Resource[0]", RESOURCE),
        ({"Resource": "arn:aws:s3:::/key"}, "Resource[0]", RESOURCE),
        ({"Resource": "arn:aws-cn:s3:::b"}, "Resource[0]", RESOURCE),
        ({"Resource": "arn:aws:s3:eu:1:b"}, "Resource[0]", RESOURCE),
        ({"Resource": [ALICE, "arn:aws:sqs:::q"]}, "Resource[1]", RESOURCE),
        ({"Resource": ALICE + "x" * 2048}, "Resource[0]", "must have at most 2048"),
        ({"Resource": ALICE + "${aws:username"}, "Resource[0]", "has a policy vari"),
        ({"Condition": []}, "Condition", "must be an object"),
        ({"Condition": None}, "Condition", "must be an object"),
        ({"Condition": {}}, "Condition", "must not be empty"),
    ],
)
def test_a_wrong_element_of_a_statement_is_named(changes, field, rule):
    error = refusal(with_statement(**changes))

    assert error.field == f"{STATEMENT}.{field}"
    assert error.rule.startswith(rule)


@pytest.mark.parametrize(
    ("condition", "field", "rule"),
    [
        ({"Like": {"s3:prefix": "a"}}, "Like", "is not a condition operator"),
        ({"stringlike": {"s3:prefix": "a"}}, "stringlike", "is not a condition op"),
        ({"StringLike": "a"}, "StringLike", "must be an object"),
        ({"StringLike": {}}, "StringLike", "must not be empty"),
        ({"StringLike": {"s3:path": "a"}}, "StringLike.s3:path", "is not a condition"),
        ({"StringLike": {"a\tb": "a"}}, "StringLike.(unprintable)", "is not a condi"),
        ({"StringLike": {"s3:prefix": []}}, "StringLike.s3:prefix", "must not be emp"),
        ({"StringLike": {"s3:prefix": [[]]}}, "StringLike.s3:prefix[0]", "must be tex"),
        ({"StringLike": {"s3:prefix": None}}, "StringLike.s3:prefix[0]", "must be tex"),
        (
            {"StringEquals": {"aws:SourceIp": "a", "AWS:sourceip": "b"}},
            "StringEquals.AWS:sourceip",
            "must not stand twice",
        ),
        (
            {"StringEquals": {"s3:prefix": [float("inf")]}},
            "StringEquals.s3:prefix[0]",
            "must be a number of at most 18 digits",
        ),
        (
            {"NumericEquals": {"s3:max-keys": 10**5000}},
            "NumericEquals.s3:max-keys[0]",
            "must be a number of at most 18 digits",
        ),
        (
            {"NumericEquals": {"aws:SourceIp": "1"}},
            "NumericEquals.aws:SourceIp",
            "can't be compared by NumericEquals: it is IpAddress",
        ),
        (
            {"StringEquals": {"s3:ExistingObjectTag": "a"}},
            "StringEquals.s3:ExistingObjectTag",
            "needs a slash and a tag's key",
        ),
    ],
)
def test_a_wrong_condition_is_named(condition, field, rule):
    error = refusal(with_condition(condition))

    assert error.field == f"{STATEMENT}.Condition.{field}"
    assert error.rule.startswith(rule)


def test_the_statement_and_the_place_in_it_are_counted():
    value = with_statement()
    value["Statement"].append({**value["Statement"][0], "Action": ["*", "s3:Nothing"]})

    assert refusal(value).field == "document.Statement[1].Action[1]"
    assert refusal(value, "scope").field == "scope.Statement[1].Action[1]"


def test_a_sid_stands_once():
    value = with_statement(Sid="Same")
    value["Statement"] *= 2

    assert refusal(value).field == "document.Statement[1].Sid"


def test_statements_without_a_sid_are_many():
    value = with_statement(Sid="")
    value["Statement"] *= 2

    assert len(document.parse(value).statements) == 2


def test_no_value_of_a_document_is_shown():
    secret = "hunter2"
    broken = [
        with_statement(Effect=secret),
        with_statement(Action=secret),
        with_statement(Action=f"s3:{secret}"),
        with_statement(Resource=secret),
        with_statement(Resource=ALICE + "${" + secret + "}"),
        with_statement(Sid=secret + "!"),
        with_condition({"NumericEquals": {"s3:max-keys": secret}}),
        with_condition({"IpAddress": {"aws:SourceIp": secret}}),
        with_condition({"StringLike": {"s3:prefix": "${" + secret + "}"}}),
    ]

    assert all(secret not in str(refusal(value)) for value in broken)
