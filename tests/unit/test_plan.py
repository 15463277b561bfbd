"""Plans: steps lead from what is seen to what is wanted, and touch only ours."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exordos_paas_storage.domain import plan, policy, state

BUCKETS = st.builds(
    state.Bucket,
    name=st.just("data"),
    versioning=st.booleans(),
    encryption=st.sampled_from(state.ENCRYPTIONS),
)
# `enabled` of users and keys comes later; the plan does not know it yet.
USERS = st.builds(
    state.User,
    name=st.just("alice"),
    policies=st.frozensets(st.sampled_from(["guard", "one", "two"])),
    enabled=st.just(True),
)
KEYS = st.builds(
    state.AccessKey,
    access_key=st.just("KEY"),
    user=st.just("alice"),
    description=st.sampled_from(["", "laptop"]),
    enabled=st.booleans(),
)
POLICIES = st.builds(
    state.Policy,
    name=st.just("s3aas-1"),
    document=st.sampled_from(
        [policy.from_template(name) for name in policy.TEMPLATES]
        + [policy.from_template("read-only", "data", "in/")]
    ),
)


def planned_policy(desired, observed, ours):
    return plan.identity_policy("s3aas-1", desired, observed)


KINDS = {
    "bucket": (plan.bucket, BUCKETS),
    "user": (plan.user, USERS),
    "access key": (plan.access_key, KEYS),
    "policy": (planned_policy, POLICIES),
}
NAMED_BY_US = ("bucket", "user", "access key")


def after(step, seen):
    """A tiny engine that holds one object: what it holds after a step."""
    match step:
        case plan.CreateBucket(name):
            found = state.Bucket(name)
        case plan.AddUser(name):
            found = state.User(name)
        case plan.SetVersioning(_, enabled):
            found = dataclasses.replace(seen, versioning=enabled)
        case plan.SetEncryption(_, encryption):
            found = dataclasses.replace(seen, encryption=encryption)
        case plan.MapPolicies(_, policies):
            found = dataclasses.replace(seen, policies=policies)
        case plan.PutPolicy(value) | plan.AddAccessKey(value):
            found = value
        case _:
            assert type(step).__name__.startswith("Drop")
            found = None
    is_new = isinstance(step, plan.CreateBucket | plan.AddUser)
    assert is_new == (seen is None) or isinstance(
        step, plan.PutPolicy | plan.AddAccessKey
    )
    return found


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_a_plan_that_was_taken_leaves_nothing_to_do(kind, data):
    steps_for, values = KINDS[kind]
    desired = data.draw(st.none() | values)
    seen = data.draw(st.none() | values)

    for step in steps_for(desired, seen, True):
        seen = after(step, seen)

    assert seen == desired
    assert steps_for(desired, seen, True) == []


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_a_pass_cut_short_is_taken_up_again(kind, data):
    steps_for, values = KINDS[kind]
    desired, seen = data.draw(values), data.draw(st.none() | values)
    steps = steps_for(desired, seen, True)
    for step in steps[: data.draw(st.integers(0, len(steps)))]:
        seen = after(step, seen)

    for step in steps_for(desired, seen, True):
        seen = after(step, seen)

    assert seen == desired


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_what_is_as_it_should_be_is_left_alone(kind, data):
    steps_for, values = KINDS[kind]
    value = data.draw(st.none() | values)

    assert steps_for(value, value, True) == []


@pytest.mark.parametrize("kind", NAMED_BY_US)
@given(data=st.data())
def test_a_foreign_object_is_never_removed(kind, data):
    steps_for, values = KINDS[kind]

    assert steps_for(None, data.draw(values), False) == []


@pytest.mark.parametrize("kind", NAMED_BY_US)
@given(data=st.data())
def test_a_foreign_object_is_never_changed(kind, data):
    steps_for, values = KINDS[kind]

    with pytest.raises(plan.ForeignObject):
        steps_for(data.draw(values), data.draw(values), False)


@pytest.mark.parametrize("ours", [True, False])
def test_a_key_of_another_user_is_foreign(ours):
    wanted = state.AccessKey("KEY", "alice")

    with pytest.raises(plan.ForeignObject) as refused:
        plan.access_key(wanted, state.AccessKey("KEY", "bob"), ours)

    assert refused.value.reason == "ForeignAccessKeyExists"


@pytest.mark.parametrize(
    ("what", "reason"),
    [("bucket", "ForeignBucketExists"), ("user", "ForeignUserExists")],
)
def test_a_foreign_object_has_a_stable_reason(what, reason):
    assert plan.ForeignObject(what).reason == reason


def test_a_policy_taken_from_a_user_is_withdrawn_in_one_write():
    seen = state.User("alice", frozenset(("guard", "one", "two")))
    wanted = state.User("alice", frozenset(("guard",)))

    assert plan.user(wanted, seen, True) == [
        plan.MapPolicies("alice", frozenset(("guard",)))
    ]


def test_a_user_is_mapped_even_to_nothing_when_it_is_made():
    assert plan.user(state.User("alice"), None, True) == [
        plan.AddUser("alice"),
        plan.MapPolicies("alice", frozenset()),
    ]


@pytest.mark.parametrize(
    ("steps", "drop"),
    [
        (plan.user(None, state.User("a"), True), plan.DropUser("a")),
        (
            plan.access_key(None, state.AccessKey("K", "a"), True),
            plan.DropAccessKey("K"),
        ),
        (plan.bucket(None, state.Bucket("data"), True), plan.DropBucket("data")),
        (
            plan.identity_policy("s3aas-1", None, state.Policy("s3aas-1", {})),
            plan.DropPolicy("s3aas-1"),
        ),
    ],
)
def test_what_is_no_longer_wanted_is_dropped(steps, drop):
    assert steps == [drop]


def test_a_new_bucket_is_encrypted_before_it_is_versioned():
    wanted = state.Bucket("data", versioning=True, encryption="aes256")

    assert plan.bucket(wanted, None, True) == [
        plan.CreateBucket("data"),
        plan.SetEncryption("data", "aes256"),
        plan.SetVersioning("data", True),
    ]


def test_a_policy_that_differs_by_its_condition_alone_is_put():
    closed = policy.from_template("read-only")
    closed["Statement"][0]["Condition"] = {"Bool": {"aws:SecureTransport": "true"}}
    wanted = state.Policy("s3aas-1", closed)
    seen = state.Policy("s3aas-1", policy.from_template("read-only"))

    assert plan.identity_policy("s3aas-1", wanted, seen) == [plan.PutPolicy(wanted)]


def test_a_policy_that_the_engine_wrote_otherwise_is_left_alone():
    document = {
        "Statement": {"Effect": "Allow", "Action": ["s3:GetObject"], "Sid": ""},
        "Version": policy.VERSION,
    }
    wanted = {"Version": policy.VERSION, "Statement": {"Effect": "Allow"}}
    wanted["Statement"]["Action"] = "s3:GetObject"

    assert (
        plan.identity_policy(
            "s3aas-1",
            state.Policy("s3aas-1", wanted),
            state.Policy("s3aas-1", document),
        )
        == []
    )
