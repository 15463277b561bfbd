"""What an engine keeps of compiled documents: read back, and after a restart."""

import dataclasses

import pytest

from exordos_paas_storage.domain import capabilities, policy, state
from exordos_paas_storage.domain.language import compiler
from exordos_paas_storage.engine.connect import connect
from tests import engines
from tests.contract.agreement import calls, corpus, phrases, world
from tests.contract.made import Real, key_id, made_user, unique

SEED, CASES = 7, 60


def _documents(name):
    """Compiled documents of the corpus, of every kind of condition."""
    able = capabilities.of(name, "")
    return [
        corpus.compiled(name, written, able.policy_bytes)
        for case in corpus.cases(name, CASES, 0, SEED)
        for written in case.policies
    ]


def test_a_compiled_document_is_read_back_as_it_was_written(real):
    able = real.engine.capabilities
    name = unique("policy")
    different = []

    for document in _documents(able.engine):
        real.engine.put_policy(state.Policy(name, document))
        if not policy.same(real.engine.policy(name).document, document):
            different.append(document)

    assert not different


def test_a_compiled_scope_is_read_back_as_it_was_written(real):
    user = made_user(real.engine, policy.from_template("read-only"))
    for document in _documents(real.engine.capabilities.engine)[:6]:
        key = state.AccessKey(key_id(), user, scope=document)
        real.engine.add_access_key(key, "k" * 40)

        held = real.engine.access_key(key.access_key)

        assert policy.same(held.scope, document)
        real.engine.drop_access_key(key.access_key)


def test_no_statement_is_taken_for_another(started):
    """MinIO drops a statement whose conditions it writes like those of another."""
    name, user = "minio", phrases.USERS[1]
    place = world.of(started(name))
    get = calls.Call(user, "get", phrases.FIRST, "in/a")
    base = {"Version": policy.VERSION}
    allow = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    denied = [
        {**allow, "Effect": "Deny", "Condition": {"StringEquals": {key: values}}}
        for key, values in (("aws:UserAgent", ["a b"]), ("aws:UserAgent", ["a", "b"]))
    ]
    written = [
        {**base, "Statement": [allow, denied[0]]},
        {**base, "Statement": [denied[1]]},
    ]

    place.hold(user, [corpus.compiled(name, one, 20_000) for one in written])

    for agent, allowed in (("a b", False), ("a", False), ("b", False), ("c", True)):
        asked = dataclasses.replace(get, context={"aws:UserAgent": (agent,)})
        assert place.allows(asked, place.user_key(user)) == allowed


def test_an_engine_takes_the_largest_policy_and_scope(real):
    able = real.engine.capabilities

    real.engine.put_policy(state.Policy(unique("policy"), _large(able.policy_bytes)))
    user = made_user(real.engine, policy.from_template("read-only"))
    key = state.AccessKey(key_id(), user, scope=_large(able.scope_bytes))
    real.engine.add_access_key(key, "k" * 40)

    assert real.engine.access_key(key.access_key).scope


def _large(limit_bytes):
    """A document of so many bytes, with what engines write in more than we do."""
    statement = {
        "Effect": "Allow",
        "Action": ["s3:ListBucket"],
        "Resource": ["arn:aws:s3:::b"],
        "Condition": {"NumericLessThan": {"s3:max-keys": "10"}},
    }
    document = {"Version": policy.VERSION, "Statement": [statement]}
    each = len(', "arn:aws:s3:::b00000"')
    count = (limit_bytes - compiler.size_bytes(document)) // each - 2
    statement["Resource"] += [f"arn:aws:s3:::b{one:05}" for one in range(count)]
    rest = limit_bytes - compiler.size_bytes(document)
    statement["Resource"][-1] += "x" * rest
    assert compiler.size_bytes(document) == limit_bytes
    return document


OPPOSITE = {
    "Version": policy.VERSION,
    "Statement": [
        {
            "Effect": "Allow",
            "NotAction": ["s3:Delete*"],
            "NotResource": [f"arn:aws:s3:::{phrases.FIRST}/out/*"],
            "Condition": {
                "StringLikeIfExists": {"s3:prefix": "in/*"},
                "DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"},
                "IpAddress": {"aws:SourceIp": phrases.ADDRESS},
            },
        }
    ],
}
user = phrases.USERS[0]


@pytest.mark.parametrize("name", engines.available())
def test_decisions_are_the_same_after_a_restart(name, tmp_path):
    keep = {
        "MINIO_KMS_SECRET_KEY": f"tests:{engines.key()}",
        "RUSTFS_SSE_S3_MASTER_KEY": engines.key(),
        "RUSTFS_IAM_MASTER_KEY": engines.key(),
    }
    root = state.Credentials("rootuser", "k" * 40)
    asked = [
        calls.Call(user, operation, phrases.FIRST, key)
        for operation, key in (
            ("get", "in/a"),
            ("get", "out/a"),
            ("put", "top"),
            ("delete", "in/a"),
            ("list", ""),
        )
    ]
    with engines.running(name, tmp_path, keep, root) as (url, _):
        place = world.World(Real(connect(name, "", url, root), url, root))
        place.hold(user, [corpus.compiled(name, OPPOSITE, 20_000)])
        keys = place.user_key(user)
        before = [place.allows(call, keys) for call in asked]
    with engines.running(name, tmp_path, keep, root) as (url, _):
        place.move(url)
        after = [place.allows(call, keys) for call in asked]

    assert before == [True, False, True, False, True]
    assert after == before
