"""When a key ends: asked for, moved, bounded by its instance, and in a rotation."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exordos_paas_storage.domain import errors, expiry

NOW = datetime.datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=datetime.timezone.utc)
WHOLE = NOW.replace(microsecond=0)


def ahead(seconds):
    return WHOLE + datetime.timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("asked", "most_s", "found"),
    [
        (None, None, None),
        (None, 60, ahead(60)),
        (ahead(10), None, ahead(10)),
        (ahead(10), 60, ahead(10)),
        (ahead(60), 60, ahead(60)),
    ],
)
def test_the_end_of_a_new_key(asked, most_s, found):
    assert expiry.of_new(asked, NOW, most_s) == found


@pytest.mark.parametrize(
    ("asked", "most_s", "words"),
    [
        (ahead(0), None, "must be in the future"),
        (ahead(-86_400), 60, "must be in the future"),
        (ahead(61), 60, "must be at most 60 s after the key's creation"),
    ],
)
def test_an_end_that_a_new_key_does_not_get(asked, most_s, words):
    with pytest.raises(errors.InvalidValue, match=words) as caught:
        expiry.of_new(asked, NOW, most_s)
    assert caught.value.field == "expires_at"


@pytest.mark.parametrize(
    ("asked", "before", "most_s"),
    [
        (None, ahead(5), None),
        (ahead(500), ahead(5), None),
        (ahead(40), ahead(5), 60),
        (ahead(5), ahead(40), 60),
        (ahead(100), ahead(200), 60),  # older than the ceiling, and shortened
        (ahead(100), None, 60),
    ],
)
def test_an_end_may_be_moved(asked, before, most_s):
    assert expiry.moved(asked, before, WHOLE, NOW, most_s) == asked


@pytest.mark.parametrize(
    ("asked", "before", "most_s"),
    [
        (ahead(0), ahead(5), None),
        (ahead(61), ahead(5), 60),
        (None, ahead(5), 60),
        (ahead(201), ahead(200), 60),
    ],
)
def test_an_end_may_not_be_moved(asked, before, most_s):
    with pytest.raises(errors.InvalidValue) as caught:
        expiry.moved(asked, before, WHOLE, NOW, most_s)
    assert caught.value.field == "expires_at"


def test_a_successor_lives_as_long_as_the_key_before():
    created = NOW - datetime.timedelta(seconds=50)

    assert expiry.of_successor(created, None, NOW, None) is None
    assert expiry.of_successor(created, None, NOW, 60) == ahead(60)
    assert expiry.of_successor(created, ahead(50), NOW, None) == ahead(100)
    assert expiry.of_successor(created, ahead(50), NOW, 70) == ahead(70)
    assert expiry.of_successor(NOW, ahead(0.3), NOW, None) > NOW


def test_a_predecessor_ends_with_the_overlap_and_never_later_than_it_was():
    assert expiry.of_predecessor(None, NOW, 0) == ahead(0) <= NOW
    assert expiry.of_predecessor(None, NOW, 10) == ahead(11)
    assert expiry.of_predecessor(ahead(5), NOW, 10) == ahead(5)
    assert expiry.of_predecessor(ahead(50), NOW, 10) == ahead(11)


@given(st.integers(1, 10**6), st.integers(0, 999_999), st.integers(1, 30))
def test_many_rotations_neither_shorten_nor_lengthen_a_life(life_s, fraction, count):
    created = WHOLE.replace(microsecond=fraction)
    end = expiry.of_new(
        created.replace(microsecond=0) + datetime.timedelta(seconds=life_s + 1),
        created,
        None,
    )
    first = end - created
    for turn in range(count):
        now = created + datetime.timedelta(seconds=0.37 * (turn + 1))
        end, created = expiry.of_successor(created, end, now, None), now
    assert abs((end - created) - first) < datetime.timedelta(seconds=1.5)
