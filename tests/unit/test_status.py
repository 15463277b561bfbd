"""Conditions: one of each type, and `since` tells when its status changed."""

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exordos_paas_storage.domain import status

NOON, LATER = "2026-01-01T12:00:00Z", "2026-01-01T13:00:00Z"
KINDS = (status.ENGINE_READY, status.SIZES_ENFORCED, status.DELETE_REFUSED)
VALUES = (status.TRUE, status.FALSE, status.UNKNOWN)
STEPS = st.lists(st.tuples(st.sampled_from(KINDS), st.sampled_from(VALUES)))


def ready(conditions, value, now, message=""):
    return status.with_condition(
        conditions, status.ENGINE_READY, value, "Reason", message, now
    )


def test_a_new_condition_begins_now():
    assert ready([], status.TRUE, NOON, "it answers") == [
        {
            "type": "EngineReady",
            "status": "True",
            "reason": "Reason",
            "message": "it answers",
            "since": NOON,
        }
    ]


def test_since_stays_while_the_status_stays():
    (found,) = ready(ready([], status.FALSE, NOON, "one"), status.FALSE, LATER, "two")

    assert found["since"] == NOON
    assert found["message"] == "two"


@pytest.mark.parametrize("after", [status.TRUE, status.UNKNOWN])
def test_since_moves_when_the_status_changes(after):
    (found,) = ready(ready([], status.FALSE, NOON), after, LATER)

    assert (found["status"], found["since"]) == (after, LATER)


@given(STEPS)
def test_since_is_the_time_of_the_last_change(steps):
    conditions, expected = [], {}
    for now, (kind, value) in enumerate(steps):
        conditions = status.with_condition(conditions, kind, value, "", "", str(now))
        if expected.get(kind, ("", ""))[0] != value:
            expected[kind] = (value, str(now))

    assert {
        one["type"]: (one["status"], one["since"]) for one in conditions
    } == expected
    assert len(conditions) == len(expected)


def test_setting_a_condition_changes_neither_the_list_nor_the_others():
    before = status.with_condition([], status.SIZES_ENFORCED, "False", "", "", NOON)
    copy = [dict(one) for one in before]

    after = ready(before, status.TRUE, LATER)

    assert before == copy
    assert before[0] in after


def test_a_condition_is_taken_away():
    both = ready(
        status.with_condition([], status.DELETE_REFUSED, "True", "", "", NOON),
        status.TRUE,
        NOON,
    )

    (left,) = status.without_condition(both, status.DELETE_REFUSED)

    assert left["type"] == status.ENGINE_READY
    assert status.without_condition([left], status.DELETE_REFUSED) == [left]


@given(STEPS)
def test_conditions_keep_their_schema(steps):
    schema = {"type": "array", "items": status.condition_schema()}
    conditions = []
    for kind, value in steps:
        conditions = status.with_condition(conditions, kind, value, "R", "m", NOON)

    jsonschema.Draft202012Validator(schema).validate(conditions)
