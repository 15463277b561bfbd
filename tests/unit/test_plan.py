"""Plans: steps lead from what is seen to what is wanted, and touch only ours."""

import dataclasses
import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exordos_paas_storage.domain import capabilities, plan, policy, state

BUCKETS = st.builds(
    state.Bucket,
    name=st.just("data"),
    versioning=st.booleans(),
    encryption=st.sampled_from(state.ENCRYPTIONS),
)
USERS = st.builds(
    state.User,
    name=st.just("alice"),
    policies=st.frozensets(st.sampled_from(["guard", "one", "two"])),
    enabled=st.booleans(),
)
END = datetime.datetime(2030, 1, 1, tzinfo=datetime.timezone.utc)
SCOPES = [policy.from_template("read-only"), policy.from_template("read-only", "data")]
KEYS = st.builds(
    state.AccessKey,
    access_key=st.just("KEY"),
    user=st.just("alice"),
    description=st.sampled_from(["", "laptop"]),
    enabled=st.booleans(),
    scope=st.none() | st.sampled_from(SCOPES),
    expires_at=st.sampled_from([None, END]),
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
        case plan.SetUserStatus(_, enabled):
            found = dataclasses.replace(seen, enabled=enabled)
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


def test_a_new_user_that_is_to_be_disabled_is_so_before_it_has_rights():
    rights = frozenset(("guard",))

    assert plan.user(state.User("alice", rights, enabled=False), None, True) == [
        plan.AddUser("alice"),
        plan.SetUserStatus("alice", False),
        plan.MapPolicies("alice", rights),
    ]


def test_a_user_is_disabled_before_its_rights_change():
    seen = state.User("alice", frozenset(("one",)))
    wanted = state.User("alice", frozenset(("two",)), enabled=False)

    assert plan.user(wanted, seen, True) == [
        plan.SetUserStatus("alice", False),
        plan.MapPolicies("alice", frozenset(("two",))),
    ]


def test_a_user_is_enabled_once_its_rights_are_as_they_should_be():
    seen = state.User("alice", frozenset(("one",)), enabled=False)
    wanted = state.User("alice", frozenset(("two",)))

    assert plan.user(wanted, seen, True) == [
        plan.MapPolicies("alice", frozenset(("two",))),
        plan.SetUserStatus("alice", True),
    ]


def test_a_scope_that_the_engine_wrote_otherwise_is_left_alone():
    one = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": policy.EVERYTHING}
    other = {**one, "Action": ["s3:GetObject"], "Resource": [policy.EVERYTHING]}
    wanted = state.AccessKey("KEY", "alice", scope={"Statement": [one]})
    seen = state.AccessKey("KEY", "alice", scope={"Statement": other, "ID": ""})

    assert plan.access_key(wanted, seen, True) == []


@pytest.mark.parametrize(
    ("wanted", "seen"),
    [
        (SCOPES[0], None),
        (None, SCOPES[0]),
        (SCOPES[0], SCOPES[1]),
        (SCOPES[0], {**SCOPES[0], "Statement": SCOPES[0]["Statement"][:1]}),
    ],
)
def test_a_key_whose_scope_differs_is_written_whole(wanted, seen):
    key = state.AccessKey("KEY", "alice", scope=wanted, expires_at=END)
    observed = dataclasses.replace(key, scope=seen)

    assert plan.access_key(key, observed, True) == [plan.AddAccessKey(key)]


NOW = END - datetime.timedelta(days=30)
ABLE = {name: capabilities.of(name, "") for name in capabilities.ENGINES}


def ahead(**span):
    return NOW + datetime.timedelta(**span)


@pytest.mark.parametrize(
    ("wanted", "observed", "rustfs", "minio"),
    [
        (None, None, None, None),
        (None, ahead(days=1), None, None),
        (ahead(days=1), None, ahead(days=1), ahead(days=1)),
        (ahead(days=1), ahead(days=2), ahead(days=1), ahead(days=1)),
        (ahead(days=2), ahead(days=1), ahead(days=2), ahead(days=2)),
        # Too near for MinIO: what it has stays if it is no earlier.
        (ahead(minutes=5), None, ahead(minutes=5), None),
        (ahead(minutes=5), ahead(minutes=5), ahead(minutes=5), ahead(minutes=5)),
        (ahead(minutes=5), ahead(hours=1), ahead(minutes=5), ahead(hours=1)),
        (ahead(minutes=5), ahead(minutes=4), ahead(minutes=5), None),
        # Too far for MinIO.
        (ahead(days=366), None, ahead(days=366), None),
        (ahead(days=366), ahead(days=364), ahead(days=366), None),
        # Too near, or long past, for both.
        (ahead(seconds=1), None, None, None),
        (ahead(seconds=1), ahead(seconds=1), ahead(seconds=1), ahead(seconds=1)),
        (ahead(days=-1), None, None, None),
        (datetime.datetime.max.replace(tzinfo=datetime.timezone.utc),) + (None,) * 3,
    ],
)
def test_an_engines_expiry_is_no_earlier_than_the_keys(wanted, observed, rustfs, minio):
    found = {
        name: plan.engine_expiry(wanted, observed, NOW, ABLE[name]) for name in ABLE
    }

    assert found == {"rustfs": rustfs, "minio": minio}


@given(data=st.data())
def test_an_engines_expiry_stays_once_it_is_there(data):
    moments = st.datetimes(
        min_value=datetime.datetime(2020, 1, 1),
        max_value=datetime.datetime(2040, 1, 1),
        timezones=st.sampled_from(
            [
                datetime.timezone.utc,
                datetime.timezone(datetime.timedelta(hours=5, minutes=30)),
            ]
        ),
    )
    able = ABLE[data.draw(st.sampled_from(sorted(ABLE)))]
    wanted, now = data.draw(moments), data.draw(moments)
    observed = data.draw(
        st.none() | moments.map(lambda when: when.replace(microsecond=0))
    )

    first = plan.engine_expiry(wanted, observed, now, able)

    assert first is None or first >= wanted
    assert first is None or first.microsecond == 0
    later = now + datetime.timedelta(seconds=data.draw(st.integers(0, 10**7)))
    if first is not None:
        again = plan.engine_expiry(wanted, first, later, able)
        assert again is not None
        assert wanted <= again <= first


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
