"""What holds for every document and every request, tried on generated ones."""

import copy
import dataclasses
import fnmatch
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exordos_paas_storage.domain import errors
from exordos_paas_storage.domain.language import (
    actions,
    condition_keys,
    document,
    lint,
    operators,
    patterns,
    simulator,
)

NAMES = (
    *("Version", "Id", "Statement", "Sid", "Effect", "Action", "NotAction", "Resource"),
    *("NotResource", "Condition", "Principal", "StringLike", "Null", "NumericEquals"),
    *("ForAnyValue:StringEquals", "IpAddress", "s3:prefix", "aws:SourceIp", "foo"),
)
TEXTS = (
    *("2012-10-17", "Allow", "Deny", "*", "s3:*", "s3:GetObject", "arn:aws:s3:::b/*"),
    *("${aws:username}", "${", "true", "10", "10.0.0.0/8", "", "\ud800", "iam:*"),
)
LEAVES = st.one_of(
    *(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    st.sampled_from(TEXTS),
)
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.one_of(st.sampled_from(NAMES), st.text()), inner, max_size=4
        ),
    ),
    max_leaves=20,
)

BUCKETS, KEYS, USERS = ("a", "ab", "b"), ("", "x", "x/y", "ab"), ("bob", "eve", "*")
ACTIONS = ("s3:GetObject", "s3:PutObject", "s3:ListBucket", "s3:ListAllMyBuckets")
VALUES = {
    "String": ("", "a", "a*", "${aws:username}", "x?", "${aws:userid, 'a'}"),
    "Numeric": ("0", "10", "-1.5"),
    "Date": ("2030-01-01", "2030-01-01T12:00:00+02:00", "1893456000"),
    "Bool": ("true", "false"),
    "Null": ("true", "false"),
    "Binary": ("", "QUI="),
    "IpAddress": ("10.0.0.0/8", "10.0.0.1", "::/0"),
    "Arn": ("*", "arn:aws:s3:::a", "arn:*:*:*:*:${aws:username}"),
}
CONTEXTS = {
    "s3:prefix": ("", "a", "bob"),
    "s3:max-keys": ("0", "10"),
    "aws:SourceIp": ("10.0.0.1", "192.0.2.1"),
    "aws:CurrentTime": ("2030-01-01T00:00:00Z", "2031-01-01T00:00:00Z"),
    "aws:SecureTransport": ("true", "false"),
    "aws:PrincipalArn": ("arn:aws:s3:::a", "none"),
    "aws:referer": ("a", "QUI=", "10"),
}


@st.composite
def conditions(draw):
    operator = draw(st.sampled_from(sorted(operators.OPERATORS)))
    one = operators.OPERATORS[operator]
    fitting = [key for key in CONTEXTS if operators.fits(one, condition_keys.find(key))]
    plain = one.kind == operators.NULL
    return document.Condition(
        operator,
        draw(st.sampled_from(fitting)),
        tuple(draw(_some(VALUES[one.kind]))),
        False if plain else draw(st.booleans()),
        "" if plain else draw(st.sampled_from(["", "ForAnyValue", "ForAllValues"])),
    )


def _some(values):
    return st.lists(st.sampled_from(values), min_size=1, max_size=3)


ARNS = ("*", "arn:aws:s3:::*", "arn:aws:s3:::a*", "arn:aws:s3:::a/*", "arn:aws:s3:::b")
RESOURCES = (
    *ARNS,
    "arn:aws:s3:::ab",
    "arn:aws:s3:::?/${aws:username}",
    "arn:aws:s3:::b/x?y",
)
PATTERNS = ("*", "s3:*", "s3:Get*", "s3:List*", "s3:PutObject", "s3:?etObject")


def _unlike(condition):
    return condition.written_operator, condition.key


STATEMENTS = st.builds(
    document.Statement,
    st.sampled_from(["Allow", "Deny"]),
    _some(PATTERNS).map(tuple),
    st.booleans(),
    _some(RESOURCES).map(tuple),
    st.booleans(),
    st.lists(conditions(), max_size=2, unique_by=_unlike).map(tuple),
)
DOCUMENTS = st.lists(STATEMENTS, min_size=1, max_size=4).map(
    lambda statements: document.Document(tuple(statements))
)
REQUESTS = st.builds(
    simulator.Request,
    st.builds(simulator.Principal, st.sampled_from(USERS)),
    st.sampled_from(ACTIONS),
    st.builds(
        simulator.resource, st.sampled_from(("", *BUCKETS)), st.sampled_from(KEYS)
    ),
    st.fixed_dictionaries(
        {}, optional={key: _some(values).map(tuple) for key, values in CONTEXTS.items()}
    ),
)


def allowed(request, *documents, scope=None):
    policies = [simulator.Policy(str(n), one) for n, one in enumerate(documents)]
    return simulator.decide(policies, request, scope).allowed


def with_effect(found, effect):
    kept = (one for one in found.statements if one.effect == effect)
    return document.Document(tuple(kept))


@given(ANYTHING)
def test_b6_anything_is_a_document_or_refused(value):
    found = lint.problems(value)
    try:
        document.parse(value)
    except errors.InvalidPolicy as error:
        assert (error.field, error.rule) == found[0]
    else:
        assert found == []


@given(DOCUMENTS, ANYTHING, st.data())
def test_a_damaged_document_is_a_document_or_refused(good, damage, data):
    value = copy.deepcopy(document.written(good))
    place, name = value, "Statement"
    while isinstance(place[name], dict | list) and place[name]:
        inner = place[name]
        names = list(inner) if isinstance(inner, dict) else range(len(inner))
        place, name = inner, data.draw(st.sampled_from(names))
        if data.draw(st.booleans()):
            break
    place[name] = damage

    for problem in lint.problems(value):
        assert problem.field.startswith("document.Statement")
        assert problem.rule


@given(DOCUMENTS)
def test_a_document_written_and_read_is_the_same(good):
    through_json = json.loads(json.dumps(document.written(good)))

    read = document.parse(through_json)

    assert document.written(read) == through_json
    assert document.assembled(through_json) == read
    assert _in_order(read) == _in_order(good)


def _in_order(found):
    """A document with the conditions of each statement in one order."""
    return tuple(
        dataclasses.replace(one, conditions=tuple(sorted(one.conditions, key=repr)))
        for one in found.statements
    )


@given(DOCUMENTS)
def test_b1_no_condition_is_lost_on_the_way(good):
    read = document.parse(document.written(good))

    assert [set(one.conditions) for one in read.statements] == [
        set(one.conditions) for one in good.statements
    ]


@given(DOCUMENTS, REQUESTS)
def test_b1_a_condition_less_allows_no_less(found, request):
    allows = with_effect(found, "Allow")
    without = document.Document(
        tuple(dataclasses.replace(one, conditions=()) for one in allows.statements)
    )

    assert allowed(request, allows) <= allowed(request, without)


@given(DOCUMENTS, DOCUMENTS, REQUESTS)
def test_a_deny_wins_over_every_allow(one, other, request):
    denies = with_effect(other, "Deny")
    context = {**request.context, "aws:username": (request.principal.username,)}
    denied = any(
        simulator.applies(statement, request, context)
        for statement in denies.statements
    )

    assert allowed(request, one, denies) == (allowed(request, one) and not denied)


@given(DOCUMENTS, REQUESTS, st.randoms(use_true_random=False))
def test_the_order_of_statements_and_policies_does_not_matter(found, request, random):
    mixed = list(found.statements)
    random.shuffle(mixed)
    split = [document.Document((statement,)) for statement in mixed]

    assert allowed(request, found) == allowed(request, document.Document(tuple(mixed)))
    assert allowed(request, found) == allowed(request, *split)


@given(DOCUMENTS, DOCUMENTS, REQUESTS)
def test_a_scope_is_what_both_allow(found, scope, request):
    both = allowed(request, found) and allowed(request, scope)

    assert allowed(request, found, scope=scope) == both


@given(DOCUMENTS, REQUESTS)
def test_a_decision_names_the_statement_that_made_it(found, request):
    decision = simulator.decide([simulator.Policy("it", found)], request)

    assert (decision.policy is None) == (decision.reason == "NotAllowedByPolicies")
    if decision.policy is not None:
        statement = found.statements[decision.statement]
        assert (statement.effect == "Allow") == decision.allowed
        assert allowed(request, document.Document((statement,))) == decision.allowed


@given(STATEMENTS, REQUESTS)
def test_an_element_and_its_opposite_are_complements(statement, request):
    context = {**request.context, "aws:username": (request.principal.username,)}
    plain = dataclasses.replace(statement, conditions=())
    every = dataclasses.replace(plain, resources=("*",), not_resource=False)
    turned = dataclasses.replace(every, not_action=not every.not_action)
    covers = dataclasses.replace(plain, actions=("*",), not_action=False)
    elsewhere = dataclasses.replace(covers, not_resource=not covers.not_resource)

    def applies(one):
        return simulator.applies(one, request, context)

    assert applies(every) != applies(turned)
    assert applies(covers) != applies(elsewhere)
    assert applies(plain) == (applies(every) and applies(covers))


WILD = st.text(alphabet="ab*?/[.\n", max_size=12)


@given(WILD, st.text(alphabet="ab/[.\n", max_size=12))
def test_wildcards_are_those_of_the_shell_without_brackets(pattern, text):
    as_shell = pattern.replace("[", "[[]")

    assert patterns.matches(patterns.read(pattern), text) == fnmatch.fnmatchcase(
        text, as_shell
    )


@given(st.lists(st.sampled_from(PATTERNS), max_size=3))
def test_the_actions_of_patterns_are_those_they_meet(wanted):
    assert actions.matching(wanted) == {
        name
        for name in actions.NAMES
        if any(actions.meets(pattern, name) for pattern in wanted)
    }


@pytest.mark.parametrize("user", ["bob", "eve", "*", "a/b"])
def test_users_of_one_document_are_told_apart(user):
    own = document.Statement(
        "Allow", ("s3:*",), resources=("arn:aws:s3:::home-${aws:username}",)
    )
    principal = simulator.Principal(user)
    mine = simulator.Request(principal, "s3:ListBucket", f"arn:aws:s3:::home-{user}")
    others = simulator.Request(principal, "s3:ListBucket", "arn:aws:s3:::home-ann")

    assert allowed(mine, document.Document((own,)))
    assert not allowed(others, document.Document((own,)))
