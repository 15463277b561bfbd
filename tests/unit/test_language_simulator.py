"""What documents mean for a request: the decisions of the simulator."""

import pytest

from exordos_paas_storage.domain import capabilities, policy
from exordos_paas_storage.domain.language import document, simulator

BOB = simulator.Principal("bob")
KEY = simulator.resource("photos", "2024/a.jpg")
BUCKET = simulator.resource("photos")


def statement(effect="Allow", action="*", resource="*", **changes):
    elements = {"Effect": effect, "Action": action, "Resource": resource, **changes}
    return {name: value for name, value in elements.items() if value is not None}


def read(*statements):
    return document.parse({"Version": "2012-10-17", "Statement": list(statements)})


def named(**documents):
    return [simulator.Policy(name, found) for name, found in documents.items()]


def ask(action="s3:GetObject", resource=KEY, principal=BOB, **context):
    carried = {name.replace("_", ":"): (value,) for name, value in context.items()}
    return simulator.Request(principal, action, resource, carried)


def allows(*statements, request=None):
    found = simulator.decide(named(only=read(*statements)), request or ask())
    return found.allowed


def test_what_nobody_allows_is_denied():
    assert simulator.decide([], ask()) == simulator.Decision(
        False, None, None, "NotAllowedByPolicies"
    )


def test_an_allow_decides():
    policies = named(
        other=read(statement(action="s3:PutObject")),
        reads=read(statement("Deny", "s3:PutObject"), statement()),
    )

    assert simulator.decide(policies, ask()) == simulator.Decision(
        True, "reads", 1, "Allowed"
    )


@pytest.mark.parametrize("reverse", [False, True])
def test_a_deny_anywhere_wins(reverse):
    policies = named(
        every=read(statement()),
        careful=read(statement(), statement("Deny", resource=KEY)),
    )
    if reverse:
        policies.reverse()

    assert simulator.decide(policies, ask()) == simulator.Decision(
        False, "careful", 1, "ExplicitDeny"
    )


def test_a_scope_must_allow_too():
    everything, nothing = read(statement()), read(statement(action="s3:PutObject"))
    policies = named(every=everything)

    assert simulator.decide(policies, ask(), everything).policy == "every"
    assert simulator.decide(policies, ask(), nothing) == simulator.Decision(
        False, None, None, "NotAllowedByScope"
    )
    assert simulator.decide(named(small=nothing), ask(), everything).reason == (
        "NotAllowedByPolicies"
    )


def test_a_deny_in_a_scope_wins():
    scope = read(statement(), statement("Deny", "s3:Get*"))

    assert simulator.decide(named(every=read(statement())), ask(), scope) == (
        simulator.Decision(False, "scope", 1, "ExplicitDeny")
    )


@pytest.mark.parametrize(
    ("resource", "covered"),
    [
        ("*", {"account", "bucket", "key"}),
        ("arn:aws:s3:::*", {"account", "bucket", "key"}),
        ("arn:aws:s3:::**", {"account", "bucket", "key"}),
        ("arn:aws:s3:::*?", {"bucket", "key"}),
        ("arn:aws:s3:::?*", {"bucket", "key"}),
        ("arn:aws:s3:::photos", {"bucket"}),
        ("arn:aws:s3:::photos/*", {"key"}),
        ("arn:aws:s3:::photos*", {"bucket", "key"}),
        ("arn:aws:s3:::p*s", {"bucket"}),
        ("arn:aws:s3:::p*g", {"key"}),
        ("arn:aws:s3:::photos/2024/?.jpg", {"key"}),
        ("arn:aws:s3:::photos?2024?a.jpg", {"key"}),
        ("arn:aws:s3:::PHOTOS", set()),
        ("arn:aws:s3:::photos/", set()),
        ("arn:aws:s3:::*/${aws:userid}", set()),
    ],
)
def test_which_resources_a_pattern_covers(resource, covered):
    asked = {
        "account": ask("s3:ListAllMyBuckets", simulator.resource()),
        "bucket": ask("s3:ListBucket", BUCKET),
        "key": ask("s3:GetObject", KEY),
    }
    opposite = statement(Resource=None, NotResource=resource)

    assert {
        about
        for about, request in asked.items()
        if allows(statement(resource=resource), request=request)
    } == covered
    assert {
        about for about, request in asked.items() if allows(opposite, request=request)
    } == asked.keys() - covered


@pytest.mark.parametrize(
    ("element", "action", "allowed"),
    [
        ({"Action": "s3:getOBJECT"}, "s3:GetObject", True),
        ({"Action": "s3:Get*"}, "s3:GetObject", True),
        ({"Action": "s3:GetObject"}, "s3:GetObjectVersion", False),
        ({"Action": ["s3:Put*", "s3:Get*"]}, "s3:PutObject", True),
        ({"NotAction": "s3:Delete*"}, "s3:GetObject", True),
        ({"NotAction": "s3:Delete*"}, "s3:DeleteObject", False),
        ({"NotAction": ["s3:Get*", "s3:Put*"]}, "s3:PutObject", False),
        ({"NotAction": "*"}, "s3:GetObject", False),
    ],
)
def test_which_actions_a_statement_is_about(element, action, allowed):
    given = {**statement(action=None), **element}

    assert allows(given, request=ask(action)) is allowed


def test_every_condition_must_hold():
    both = {
        "StringLike": {"s3:prefix": "a*", "s3:delimiter": "/"},
        "NumericLessThan": {"s3:max-keys": "10"},
    }
    listing = {"s3_prefix": "ab", "s3_delimiter": "/", "s3_max-keys": "5"}

    def listed(**changes):
        request = ask("s3:ListBucket", BUCKET, **{**listing, **changes})
        return allows(statement(Condition=both), request=request)

    assert listed()
    assert not listed(s3_prefix="b")
    assert not listed(s3_delimiter="x")
    assert not listed(**{"s3_max-keys": "10"})


@pytest.mark.parametrize("effect", ["Allow", "Deny"])
def test_b1_a_condition_counts_for_both_effects(effect):
    office = {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}
    policies = named(
        limited=read(statement(effect, Condition=office)),
        **({"every": read(statement())} if effect == "Deny" else {}),
    )

    inside = simulator.decide(policies, ask(**{"aws_SourceIp": "10.1.1.1"}))
    outside = simulator.decide(policies, ask(**{"aws_SourceIp": "11.1.1.1"}))

    assert (inside.allowed, outside.allowed) == (effect == "Allow", effect == "Deny")


def test_a_user_name_stands_in_resources():
    own = statement(resource="arn:aws:s3:::home/${aws:username}/*")
    request = ask(resource=simulator.resource("home", "bob/a"))
    eve = simulator.Request(
        simulator.Principal("eve"), "s3:GetObject", request.resource
    )
    star = simulator.Request(simulator.Principal("*"), "s3:GetObject", request.resource)
    nobody = simulator.Request(
        simulator.Principal(""), "s3:GetObject", request.resource
    )

    assert allows(own, request=request)
    assert not allows(own, request=eve)
    assert not allows(own, request=star)
    assert not allows(own, request=nobody)


def test_the_kind_of_principal_and_the_context_go_into_variables():
    by_kind = statement(resource="arn:aws:s3:::${aws:PrincipalType}/*")
    request = ask(resource=simulator.resource("User", "a"))

    assert allows(by_kind, request=request)
    given = ask(resource=request.resource, **{"aws_PrincipalType": "Other"})
    assert not allows(by_kind, request=given)


def test_a_resource_whose_variable_has_no_value_covers_nothing():
    unknown = "arn:aws:s3:::photos/${aws:PrincipalTag/team}*"
    default = "arn:aws:s3:::photos/${aws:PrincipalTag/team, '2024'}/*"

    assert not allows(statement(resource=unknown))
    assert allows(statement(resource=[unknown, KEY]))
    assert allows(statement(Resource=None, NotResource=unknown))
    assert allows(statement(resource=default))


@pytest.mark.parametrize("engine", capabilities.ENGINES)
def test_the_guard_denies_what_no_key_may_do(engine):
    guard = document.assembled(policy.guard(capabilities.of(engine, "").guard_actions))
    policies = named(every=read(statement()), guard=guard)

    def decided(action, resource):
        return simulator.decide(policies, ask(action, resource))

    assert decided("s3:GetObject", KEY).allowed
    assert decided("s3:ListAllMyBuckets", simulator.resource()).allowed
    refused = decided("s3:PutBucketPolicy", BUCKET)
    assert (refused.policy, refused.statement) == ("guard", 0)
    refused = decided("admin:CreateUser", simulator.resource())
    assert (refused.policy, refused.reason) == ("guard", "ExplicitDeny")


def test_the_guard_alone_allows_nothing():
    guard = document.assembled(policy.guard(["s3:GetObject"]))

    assert simulator.decide(named(guard=guard), ask()).reason == "NotAllowedByPolicies"


# Template, then what it lets a user do in bucket photos under 2024/.
TEMPLATES = [
    ("read-only", {"s3:GetObject"}),
    ("read-write", {"s3:GetObject", "s3:PutObject", "s3:DeleteObject"}),
    ("write-only", {"s3:PutObject"}),
    ("backup", {"s3:GetObject", "s3:PutObject", "s3:DeleteObject"}),
    ("bucket-owner", {"s3:GetObject", "s3:PutObject", "s3:DeleteObject"}),
]


@pytest.mark.parametrize(("template", "actions"), TEMPLATES)
def test_a_template_reaches_no_further_than_its_prefix(template, actions):
    policies = named(
        only=document.parse(policy.from_template(template, "photos", "2024/"))
    )
    inside, outside = KEY, simulator.resource("photos", "2023/a.jpg")
    asked = ("s3:GetObject", "s3:PutObject", "s3:DeleteObject")

    def allowed(resource):
        return {
            action
            for action in asked
            if simulator.decide(policies, ask(action, resource)).allowed
        }

    assert allowed(inside) == actions
    assert allowed(outside) == set()


def test_resources_by_bucket_and_key():
    assert simulator.resource() == "*"
    assert simulator.resource("b") == "arn:aws:s3:::b"
    assert simulator.resource("b", "a/b") == "arn:aws:s3:::b/a/b"
