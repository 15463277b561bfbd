"""Reading policy documents: what is taken, what is refused, and where."""

import json

import pytest

from exordos_paas_storage.domain import capabilities, policy
from exordos_paas_storage.domain.language import document, findings, grammar, lint
from tests.unit.documents import ALICE, refusal, with_condition, with_statement


def test_a_document_is_read_into_values():
    found = document.parse(
        {
            "Version": "2012-10-17",
            "Id": "own files",
            "Statement": {
                "Sid": "Own",
                "Effect": "Deny",
                "NotAction": ["S3:getobject", "s3:List*"],
                "NotResource": "arn:aws:s3:::home/${aws:username}/*",
            },
        }
    )

    own = document.Statement(
        effect="Deny",
        actions=("s3:GetObject", "s3:List*"),
        not_action=True,
        resources=("arn:aws:s3:::home/${aws:username}/*",),
        not_resource=True,
        sid="Own",
    )
    assert found == document.Document((own,), "own files")


def test_conditions_are_read_in_their_order_and_their_values_as_text():
    found = document.parse(
        with_condition(
            {
                "ForAnyValue:StringLikeIfExists": {"S3:Prefix": ["a*", "b"]},
                "NumericLessThan": {"s3:max-keys": [100, -2.5, 1e-3, "7"]},
                "Bool": {"aws:SecureTransport": False},
            }
        )
    )

    assert found.statements[0].conditions == (
        document.Condition("StringLike", "s3:prefix", ("a*", "b"), True, "ForAnyValue"),
        document.Condition(
            "NumericLessThan", "s3:max-keys", ("100", "-2.5", "0.001", "7")
        ),
        document.Condition("Bool", "aws:SecureTransport", ("false",)),
    )


def test_a_written_document_is_canonical_json():
    given = with_statement(
        Action="S3:GETOBJECT",
        Condition={"NumericEquals": {"S3:MAX-KEYS": 1.5}},
        Sid="One",
    )
    given["Id"] = "slow listings"

    assert document.written(document.parse(given)) == {
        "Version": "2012-10-17",
        "Id": "slow listings",
        "Statement": [
            {
                "Sid": "One",
                "Effect": "Allow",
                "Action": ["s3:GetObject"],
                "Resource": [ALICE],
                "Condition": {"NumericEquals": {"s3:max-keys": ["1.5"]}},
            }
        ],
    }


def test_b6_an_object_that_is_no_policy_is_refused():
    error = refusal({"foo": 1})

    assert (error.status, error.field) == (400, "document.foo")
    assert [problem.field for problem in lint.problems({"foo": 1})] == [
        "document.foo",
        "document.Version",
        "document.Statement",
    ]


def test_b1_a_condition_is_never_dropped():
    office = {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}
    limited, open_to_all = with_condition(office), with_statement()

    assert document.parse(limited) != document.parse(open_to_all)
    assert document.written(document.parse(limited))["Statement"][0]["Condition"] == {
        "IpAddress": {"aws:SourceIp": ["10.0.0.0/8"]}
    }


def test_b1_two_conditions_that_json_has_no_place_for_are_not_made_one():
    one = document.Condition("StringLike", "s3:prefix", ("a*",))
    other = document.Condition("StringLike", "s3:prefix", ("*b",))
    statement = document.Statement("Allow", ("*",), conditions=(one, other))

    with pytest.raises(ValueError, match="stands twice"):
        document.written(document.Document((statement,)))


def test_lint_lists_every_problem_in_order():
    value = with_statement(
        Effect="Maybe",
        Action=["s3:GetObject", "s3:Nothing", "iam:*"],
        Condition={"Like": {}, "Bool": {"aws:SecureTransport": "yes"}},
    )
    value["Statement"].append({})

    found = lint.problems(value, "scope")

    assert [problem.field.removeprefix("scope.Statement") for problem in found] == [
        "[0].Effect",
        "[0].Action[1]",
        "[0].Action[2]",
        "[0].Condition.Like",
        "[0].Condition.Bool.aws:SecureTransport[0]",
        "[1].Effect",
        "[1].Action",
        "[1].Resource",
    ]
    assert tuple(found[0]) == (refusal(value, "scope").field, found[0].rule)


def test_lint_finds_nothing_in_a_good_document():
    assert lint.problems(with_statement()) == []


@pytest.mark.parametrize("template", policy.TEMPLATES)
def test_every_template_is_of_the_language(template):
    assert lint.problems(policy.from_template(template, "photos", "2024/")) == []


@pytest.mark.parametrize("engine", capabilities.ENGINES)
def test_the_guard_is_taken_as_it_stands(engine):
    guard = policy.guard(capabilities.of(engine, "").guard_actions)

    found = document.assembled(guard)

    assert policy.same(document.written(found), guard)
    assert found.statements[1] == document.Statement("Deny", ("admin:*",))


@pytest.mark.parametrize(
    "broken",
    [
        {"Statement": [], "Extra": 1},
        {"Statement": [{"Effect": "Deny", "Action": "*", "Principal": "*"}]},
        {"Statement": [{"Effect": "Deny", "Action": "*", "Condition": {"Is": {}}}]},
    ],
)
def test_what_could_not_be_kept_is_not_assembled(broken):
    with pytest.raises(ValueError, match=r"element|operator"):
        document.assembled(broken)


def test_deep_nesting_is_no_trouble():
    deep = "bottom"
    for _ in range(50_000):
        deep = [deep]

    assert refusal({"Version": deep, "Statement": deep}).field == "document.Version"
    assert refusal(with_condition({"Bool": {"aws:SecureTransport": deep}}))


def test_too_many_entries_are_not_looked_at():
    many = with_statement(Resource=[ALICE] * (findings.MOST_ENTRIES + 1))

    error = refusal(many)

    assert (error.field, error.rule) == (
        "document",
        "must have at most 2000 entries in all its lists",
    )
    assert len(lint.problems(with_condition({f"Op{n}": {} for n in range(1900)}))) == (
        findings.MOST_PROBLEMS
    )


def test_the_largest_document_within_bounds_is_read():
    resources = [f"arn:aws:s3:::b{number}/*" for number in range(1900)]
    text = json.dumps(with_statement(Resource=resources))

    assert document.parse(json.loads(text)).statements[0].resources == tuple(resources)


def test_constants_of_the_grammar_are_those_of_the_templates():
    assert grammar.VERSION == policy.VERSION
    assert f"{grammar.ARN_PREFIX}*" == policy.EVERYTHING
