"""Names of the language: actions, condition keys, operators, variables, values."""

import pytest

from exordos_paas_storage.domain import capabilities
from exordos_paas_storage.domain.language import (
    actions,
    condition_keys,
    document,
    operators,
)


def test_every_action_of_s3_has_one_level():
    levels = [actions.level(name) for name in actions.NAMES]

    assert len(actions.NAMES) == 168
    assert [levels.count(one) for one in ("object", "bucket", "account")] == [
        34,
        60,
        74,
    ]


@pytest.mark.parametrize(
    ("action", "level"),
    [
        ("s3:GetObject", "object"),
        ("s3:AbortMultipartUpload", "object"),
        ("s3:ListMultipartUploadParts", "object"),
        ("s3:ListBucket", "bucket"),
        ("s3:ListBucketMultipartUploads", "bucket"),
        ("s3:GetBucketLocation", "bucket"),
        ("s3:CreateBucket", "bucket"),
        ("s3:ListAllMyBuckets", "account"),
    ],
)
def test_what_an_action_is_about(action, level):
    assert actions.level(action) == level


def test_an_unknown_action_has_no_level():
    with pytest.raises(KeyError):
        actions.level("s3:Nothing")


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (["s3:GetObject"], {"s3:GetObject"}),
        (["S3:getobject"], {"s3:GetObject"}),
        (["s3:DeleteObject?agging"], {"s3:DeleteObjectTagging"}),
        (
            ["s3:deleteobject*"],
            {
                "s3:DeleteObject",
                "s3:DeleteObjectTagging",
                "s3:DeleteObjectVersion",
                "s3:DeleteObjectVersionTagging",
            },
        ),
        (["s3:*MyBuckets", "s3:PutObject"], {"s3:ListAllMyBuckets", "s3:PutObject"}),
        (["s3:Nothing", "s3:No*"], set()),
        ([], set()),
    ],
)
def test_the_actions_that_patterns_mean(wanted, names):
    assert actions.matching(wanted) == names


@pytest.mark.parametrize("pattern", ["*", "s3:*", "S3:*", "s3:**", "s3:?*"])
def test_patterns_that_mean_every_action(pattern):
    assert actions.matching([pattern]) == actions.NAMES


def test_actions_outside_aws_can_be_met_too():
    assert actions.meets("admin:*", "admin:CreateUser")
    assert actions.meets("*", "admin:CreateUser")
    assert not actions.meets("s3:*", "admin:CreateUser")


# Names under which an engine knows what AWS names otherwise.
_ENGINES_OWN = {
    "s3:GetBucketCors",
    "s3:GetBucketEncryption",
    "s3:GetBucketLifecycle",
}


@pytest.mark.parametrize("engine", capabilities.ENGINES)
def test_what_a_key_may_do_has_a_name_in_aws(engine):
    able = set(capabilities.of(engine, "").guard_actions)

    assert able - actions.NAMES <= _ENGINES_OWN


@pytest.mark.parametrize(
    ("name", "spelled"),
    [
        ("AWS:SOURCEIP", "aws:SourceIp"),
        ("aws:Referer", "aws:referer"),
        ("aws:principaltype", "aws:PrincipalType"),
        ("s3:LocationConstraint", "s3:locationconstraint"),
        ("S3:existingobjecttag/Team/A", "s3:ExistingObjectTag/Team/A"),
        ("aws:principaltag/Team", "aws:PrincipalTag/Team"),
        ("ldap:user", "ldap:user"),
    ],
)
def test_a_condition_key_has_one_spelling(name, spelled):
    assert condition_keys.spelled(name) == spelled


@pytest.mark.parametrize(
    "name",
    [
        "s3:ExistingObjectTag",
        "s3:ExistingObjectTag/",
        "s3:ExistingObjectTag/" + "k" * 129,
        "s3:prefix/a",
        "aws:groups",
        "jwt:sub",
        "prefix",
        "",
    ],
)
def test_a_name_that_is_no_condition_key(name):
    assert condition_keys.find(name) is None
    assert condition_keys.problem(name)


def test_every_condition_key_is_found_and_names_actions_of_s3():
    for name, key in condition_keys.KEYS.items():
        full = f"{name}/tag" if key.tagged else name
        assert condition_keys.find(full.upper()) is key
        assert condition_keys.problem(full) == ""
        assert key.actions <= actions.NAMES


@pytest.mark.parametrize(
    ("name", "action", "carried"),
    [
        ("s3:prefix", "s3:ListBucket", True),
        ("s3:prefix", "s3:GetObject", False),
        ("s3:versionid", "s3:GetObjectVersion", True),
        ("s3:versionid", "s3:GetObject", False),
        ("s3:ExistingObjectTag/a", "s3:GetObject", True),
        ("s3:ExistingObjectTag/a", "s3:PutObject", False),
        ("s3:RequestObjectTag/a", "s3:PutObject", True),
        ("aws:SourceIp", "s3:ListAllMyBuckets", True),
        ("s3:nothing", "s3:GetObject", False),
    ],
)
def test_which_requests_carry_a_key(name, action, carried):
    assert condition_keys.carried(name, action) is carried


@pytest.mark.parametrize("name", operators.OPERATORS)
def test_every_operator_is_split_from_prefix_and_suffix(name):
    found = operators.OPERATORS[name]

    assert operators.split(name) == ("", found, False)
    decorated = operators.split(f"ForAllValues:{name}IfExists")
    assert decorated == (None if name == "Null" else ("ForAllValues", found, True))
    condition = document.Condition(name, "s3:prefix", (), True, "ForAnyValue")
    assert condition.written_operator == f"ForAnyValue:{name}IfExists"


def test_the_operators_of_aws():
    orders = ("Equals", "NotEquals", "LessThan", "LessThanEquals")
    orders += ("GreaterThan", "GreaterThanEquals")
    texts = ("Equals", "NotEquals", "EqualsIgnoreCase", "NotEqualsIgnoreCase")

    assert set(operators.OPERATORS) == {
        *(f"String{name}" for name in (*texts, "Like", "NotLike")),
        *(f"Arn{name}" for name in ("Equals", "NotEquals", "Like", "NotLike")),
        *(f"{kind}{name}" for kind in ("Numeric", "Date") for name in orders),
        *("Bool", "BinaryEquals", "IpAddress", "NotIpAddress", "Null"),
    }


@pytest.mark.parametrize(
    "name",
    [
        "StringEqual",
        "stringEquals",
        "StringEqualsifexists",
        "StringEqualsIfExistsIfExists",
        "ForAnyValue:",
        "ForAnyValue",
        "ForSomeValues:StringEquals",
        ":StringEquals",
        "ForAnyValue:ForAnyValue:StringEquals",
        "NullIfExists",
        "ForAnyValue:Null",
        "IfExists",
        "",
    ],
)
def test_a_name_that_is_no_operator(name):
    assert operators.split(name) is None
