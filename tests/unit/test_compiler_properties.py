"""The compiled form never allows what the document does not: drawn documents and calls.

Documents are judged by the simulator, compiled forms by a model of each engine that the
agreement tests compare with the engine itself.
"""

import json
import random

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from exordos_paas_storage.domain import capabilities, errors, policy
from exordos_paas_storage.domain.language import actions, compiler, document
from tests.contract.agreement import calls, corpus, deviations, drawn, model, phrases

USER = phrases.USERS[0]
BUCKETS = ("abc", "abd", "ab-c")
ARN = "arn:aws:s3:::"

# Documents.

NAMES = st.sampled_from(sorted(actions.NAMES))
PATTERNS = st.builds(
    lambda name, start, end: f"{name[: start + 4]}*{name[len(name) - end :]}",
    NAMES,
    st.integers(0, 8),
    st.integers(0, 4),
)
COMMON = st.sampled_from(
    (
        *("s3:*", "*", "s3:Get*", "s3:GetObject", "s3:GetObjectVersion"),
        *("s3:PutObject", "s3:DeleteObject*", "s3:DeleteObject", "s3:*Tagging"),
        *("s3:ListBucket", "s3:List*", "s3:DeleteObjectVersion"),
    )
)
ACTIONS = st.lists(COMMON | PATTERNS | NAMES, min_size=1, max_size=3, unique=True)
PIECES = st.sampled_from(("a", "b", "/", "*", "?", ".jpg", "${aws:username}", "c"))
TAILS = st.lists(PIECES, max_size=5).map("".join)
RESOURCES = st.lists(
    st.sampled_from(("*", f"{ARN}*", f"{ARN}abc/*", f"{ARN}ab?", f"{ARN}*/*"))
    | st.builds(lambda head, tail: f"{ARN}{head}{tail}", st.sampled_from("ab*"), TAILS)
    | st.builds(
        lambda one, tail: f"{ARN}{one}/{tail}", st.sampled_from(BUCKETS), TAILS
    ),
    min_size=1,
    max_size=3,
    unique=True,
)
TEXTS = st.lists(
    st.sampled_from(("a", "a*", "*", "b?", "x/1.0", USER, "${aws:username}", "in/*")),
    min_size=1,
    max_size=2,
    unique=True,
)
STRING = st.tuples(
    st.sampled_from(("", "ForAnyValue:", "ForAllValues:")),
    st.sampled_from(("StringEquals", "StringNotEquals", "StringLike", "StringNotLike")),
    st.sampled_from(("", "IfExists")),
).map("".join)
STRING_KEYS = st.sampled_from(
    (
        *("aws:username", "aws:userid", "aws:UserAgent", "aws:referer", "s3:prefix"),
        *("s3:delimiter", "s3:RequestObjectTagKeys", "s3:RequestObjectTag/team"),
        *("s3:x-amz-server-side-encryption", "s3:ExistingObjectTag/team"),
        *("aws:PrincipalType", "s3:versionid", "s3:max-keys"),
    )
)
NUMERIC = st.builds(
    "{}{}{}".format,
    st.just("Numeric"),
    st.sampled_from(
        ("Equals", "NotEquals", "LessThan", "GreaterThan", "GreaterThanEquals")
    ),
    st.sampled_from(("", "IfExists")),
)
NUMBERS = st.lists(
    st.sampled_from(("9", "10", "10.5", "11", "-1", "100")), min_size=1, max_size=2
)
CONDITIONS = st.dictionaries(
    STRING, st.dictionaries(STRING_KEYS, TEXTS, min_size=1, max_size=2), max_size=2
) | st.builds(
    lambda operator, values, others: {operator: {"s3:max-keys": values}, **others},
    NUMERIC,
    NUMBERS,
    st.sampled_from(
        (
            {},
            {"NumericLessThanEquals": {"s3:max-keys": 11}},
            {"Null": {"s3:prefix": "true"}},
            {"NotIpAddress": {"aws:SourceIp": ["10.0.0.0/8", "::1"]}},
            {"IpAddressIfExists": {"aws:SourceIp": "127.0.0.1"}},
            {"DateLessThan": {"aws:CurrentTime": "2020-01-01"}},
            {"Bool": {"aws:SecureTransport": "false"}},
        )
    ),
)


def _statement(effect, named, negated, resources, opposite, conditions):
    found = {
        "Effect": effect,
        "NotAction" if negated else "Action": named,
        "NotResource" if opposite else "Resource": resources,
    }
    return {**found, "Condition": conditions} if conditions else found


RARELY = st.sampled_from((False, False, False, True))
STATEMENTS = st.builds(
    _statement,
    st.sampled_from(("Allow", "Allow", "Deny")),
    ACTIONS,
    RARELY,
    RESOURCES,
    RARELY,
    CONDITIONS,
)
DOCUMENTS = st.lists(STATEMENTS, min_size=1, max_size=3).map(
    lambda statements: {"Version": policy.VERSION, "Statement": statements}
)
BROAD = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}

# Calls: those of the corpus, about other buckets and keys.

KEYS = st.lists(
    st.sampled_from(("a", "b", "c", "/", ".jpg", USER)), min_size=1, max_size=5
).map("".join)


@st.composite
def made_calls(draw, keys=KEYS):
    found = drawn.call(draw(st.randoms(use_true_random=False)), USER)
    bucket, key = draw(st.sampled_from(BUCKETS)), draw(keys)
    # The engines refuse keys with two slashes, and take one at the beginning away.
    assume("//" not in key and not key.startswith("/"))
    return calls.Call(
        USER,
        found.operation,
        bucket,
        key if found.key else "",
        found.versioned,
        draw(keys) if found.source else "",
        found.context,
    )


def plain(call):
    return not (call.key.endswith("/") or call.source.endswith("/"))


def tells(call, documents, scope=None):
    """Whether the answer tells of the right; see `calls.shows`."""
    listed = call.operation == "list_buckets"
    return not (listed and calls.shows(call, documents, scope))


ENGINES = st.sampled_from(capabilities.ENGINES)
PATIENT = settings(
    max_examples=250,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)


def compiled(engine, written):
    """The compiled form; the drawn case is left out where the engine can't."""
    try:
        return corpus.compiled(engine, written, 10**7)
    except (errors.UnsupportedByEngine, errors.InvalidPolicy):
        assume(False)


@PATIENT
@given(ENGINES, st.lists(DOCUMENTS, min_size=1, max_size=2), made_calls())
def test_an_engine_allows_nothing_that_the_documents_do_not(engine, written, call):
    assume(plain(call))
    given_it = [compiled(engine, one) for one in written]
    documents = [document.parse(one) for one in written]
    assume(tells(call, documents))

    if model.allowed(engine, call, given_it):
        assert calls.allowed(call, documents) or deviations.found(
            engine, call, documents, laxer=True
        )


@PATIENT
@given(ENGINES, DOCUMENTS, DOCUMENTS, made_calls())
def test_a_scope_gives_nothing_that_it_does_not_say(engine, written, scope, call):
    assume(plain(call))
    given_it = [compiled(engine, one) for one in (written, scope)]
    documents = [document.parse(one) for one in (written, scope)]
    assume(tells(call, documents[:1], documents[1]))

    if model.allowed(engine, call, given_it[:1], given_it[1]):
        scoped = documents[1]
        assert calls.allowed(call, documents[:1], scoped) or deviations.found(
            engine, call, documents[:1], True, scoped
        )


# Alone, a condition or a resource decides more often than in whole documents.


def _all_but(statement):
    """A document that allows all; a Deny takes from it, and an Allow is all it has."""
    statements = [statement] if statement["Effect"] == "Allow" else [BROAD, statement]
    return {"Version": policy.VERSION, "Statement": statements}


@PATIENT
@given(ENGINES, st.sampled_from(("Allow", "Deny")), CONDITIONS, made_calls())
def test_conditions_give_nothing_more_and_take_nothing_less(
    engine, effect, conditions, call
):
    assume(plain(call) and conditions)
    written = _all_but({**BROAD, "Effect": effect, "Condition": conditions})
    documents = [document.parse(written)]
    assume(tells(call, documents))

    if model.allowed(engine, call, [compiled(engine, written)]):
        assert calls.allowed(call, documents) or deviations.found(
            engine, call, documents, laxer=True
        )


# What is wanted of the tags of a request, however an engine gets to see them. Short
# lists of values, so that several operators of one key often want different ones.
TAG_TEXTS = st.lists(
    st.sampled_from(("team", "owner", "t*", "o*", "red", "b*", "*")),
    min_size=1,
    max_size=2,
    unique=True,
)
TAG_CONDITIONS = st.dictionaries(
    STRING,
    st.dictionaries(
        st.sampled_from(("s3:RequestObjectTagKeys", "s3:RequestObjectTag/team")),
        TAG_TEXTS,
        min_size=1,
    ),
    min_size=1,
    max_size=3,
)
TAGS = st.dictionaries(
    st.sampled_from(("team", "owner")), st.sampled_from(("red", "blue"))
)


@PATIENT
@given(
    ENGINES,
    st.sampled_from(("Allow", "Deny")),
    TAG_CONDITIONS,
    st.sampled_from(("put_tags", "put", "create_upload")),
    TAGS,
)
def test_tags_that_an_engine_does_not_see_give_nothing(
    engine, effect, conditions, operation, tags
):
    carried = {f"s3:RequestObjectTag/{tag}": (one,) for tag, one in tags.items()}
    if tags:
        carried["s3:RequestObjectTagKeys"] = tuple(tags)
    written = _all_but({**BROAD, "Effect": effect, "Condition": conditions})
    call = calls.Call(USER, operation, "abc", "a", context=carried)

    if model.allowed(engine, call, [compiled(engine, written)]):
        assert calls.allowed(call, [document.parse(written)])


# Several conditions of one key, which a policy has one place for.
REPEATED = st.dictionaries(
    STRING,
    st.lists(
        st.sampled_from(("x", "xy", "x*", "*", "*y", "b", "team", "owner", "t*")),
        min_size=1,
        max_size=2,
        unique=True,
    ),
    min_size=2,
    max_size=4,
)
REPEATED_KEYS = ("aws:referer", "aws:UserAgent", "s3:prefix", "s3:RequestObjectTagKeys")


@PATIENT
@given(
    ENGINES,
    st.sampled_from(("Allow", "Deny")),
    st.sampled_from(REPEATED_KEYS),
    REPEATED,
    st.sampled_from(("", "true", "false")),
    st.lists(st.sampled_from(("x", "xy", "b", "team", "owner")), max_size=2),
)
def test_several_conditions_of_one_key_are_all_compared(
    engine, effect, key, operators, null, values
):
    conditions = {operator: {key: texts} for operator, texts in operators.items()}
    if null:
        conditions["Null"] = {key: null}
    several = key == "s3:RequestObjectTagKeys"
    operation = {"s3:prefix": "list", "s3:RequestObjectTagKeys": "put"}.get(key, "get")
    carried = {key: tuple(values if several else values[:1])} if values else {}
    if several:
        tags = {f"s3:RequestObjectTag/{one}": ("1",) for one in values}
        carried = {**carried, **tags}
    call = calls.Call(USER, operation, "abc", "a", context=carried)
    written = _all_but({**BROAD, "Effect": effect, "Condition": conditions})

    if model.allowed(engine, call, [compiled(engine, written)]):
        assert calls.allowed(call, [document.parse(written)])


# Patterns of which one often holds another, so that statements become alike.
NESTED = st.lists(
    st.sampled_from(
        (f"{ARN}*", f"{ARN}abc*", f"{ARN}abc", f"{ARN}abc/*", f"{ARN}abc/a*")
    ),
    min_size=1,
    max_size=3,
    unique=True,
)
FEW = st.lists(
    st.sampled_from(
        ("s3:*", "s3:PutObject", "s3:GetObject", "s3:DeleteObject", "s3:ListBucket")
    ),
    min_size=1,
    max_size=2,
    unique=True,
)


@PATIENT
@given(
    ENGINES,
    st.lists(
        st.tuples(st.sampled_from(("Allow", "Deny")), FEW, NESTED),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from(("get", "put", "delete", "list", "abort_upload")),
    st.sampled_from(("a", "b")),
)
def test_no_statement_is_lost_in_another(engine, given_it, operation, key):
    statements = [
        {"Effect": effect, "Action": actions, "Resource": resources}
        for effect, actions, resources in given_it
    ]
    written = {"Version": policy.VERSION, "Statement": [BROAD, *statements]}
    about = "" if operation == "list" else key
    call = calls.Call(USER, operation, "abc", about, context={})

    does = model.allowed(engine, call, [compiled(engine, written)])

    assert does == calls.allowed(call, [document.parse(written)])


ENDINGS = ("", "/", "/*", "*/", "?", "/**", "?*", "*?", "/?*", "??*", "*", "/a", "x/")


@PATIENT
@given(
    st.sampled_from((("Deny", "Resource"), ("Allow", "NotResource"))),
    st.sampled_from(("a", "ab", "a/b")),
    st.lists(st.tuples(st.sampled_from(("", "a", "a/b")), st.sampled_from(ENDINGS))),
    st.sampled_from(("", "*", "a*")),
)
def test_no_folder_escapes_what_is_denied(form, folder, tails, wild):
    """RustFS does not see the slash at the end of a key."""
    effect, named = form
    arns = [f"{ARN}abc/{head}{end}" for head, end in tails] + [f"{ARN}abc/{wild}x"]
    written = _all_but({"Effect": effect, "Action": "s3:*", named: arns})
    call = calls.Call(USER, "put", "abc", f"{folder}/", context={})
    given_it = compiled(capabilities.RUSTFS, written)

    if model.allowed(capabilities.RUSTFS, call, [given_it]):
        assert calls.allowed(call, [document.parse(written)])


@PATIENT
@given(ENGINES, DOCUMENTS)
def test_only_actions_of_the_guard_are_named_and_none_by_a_wildcard(engine, written):
    known = set(capabilities.of(engine, "").guard_actions)

    for statement in compiled(engine, written)["Statement"]:
        assert "NotAction" not in statement
        assert statement["Action"]
        assert set(statement["Action"]) <= known
        assert list(statement["Action"]) == sorted(statement["Action"])


@PATIENT
@given(ENGINES, DOCUMENTS)
def test_compiling_is_repeatable_and_leaves_the_document_as_it_is(engine, written):
    before = json.dumps(written)
    first = compiled(engine, written)

    assert corpus.compiled(engine, written, 10**7) == first
    assert json.dumps(written) == before


@pytest.mark.parametrize("engine", capabilities.ENGINES)
def test_the_corpus_agrees_with_the_model_outside_the_deviations(engine):
    """The test on a real engine, with more pairs and without one."""
    wrong = []
    for case in corpus.cases(engine, 150, 10, seed=11):
        documents = [document.parse(one) for one in case.policies]
        scope = document.parse(case.scope) if case.scope else None
        given_it = [corpus.compiled(engine, one, 10**6) for one in case.policies]
        narrowed = case.scope and corpus.compiled(engine, case.scope, 10**6)
        for call in case.calls:
            says = calls.allowed(call, documents, scope)
            does = model.allowed(engine, call, given_it, narrowed)
            why = deviations.found(engine, call, documents, does, scope)
            if says != does and not why:
                wrong.append((case, call))

    assert not wrong


@pytest.mark.parametrize("engine", capabilities.ENGINES)
@pytest.mark.parametrize("template", policy.TEMPLATES)
@pytest.mark.parametrize("where", [(), ("agree-one",), ("agree-one", "in/")])
def test_a_template_gives_on_an_engine_what_it_says(engine, template, where):
    written = policy.from_template(template, *where)
    target = compiler.Target(engine, "", False, 4096)
    found = compiler.compile(document.parse(written), target)

    assert not [one for one in found.warnings if not one.laxer]
    for call in _grid():
        if not tells(call, [document.parse(written)]):
            continue
        says = calls.allowed(call, [document.parse(written)])
        does = model.allowed(engine, call, [found.document])
        assert says == does or deviations.found(
            engine, call, [document.parse(written)], laxer=does
        ), call


def _grid():
    """Every operation on some keys, with a version and without, tagged and not."""
    chance = random.Random(3)
    for _ in range(800):
        yield drawn.call(chance, USER)
