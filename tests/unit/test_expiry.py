"""When a key ends: asked for, moved, bounded by its instance, and in a rotation."""

import datetime

import pytest

from exordos_paas_storage.domain import errors, expiry

UTC = datetime.timezone.utc
NOW = datetime.datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
WHOLE = NOW.replace(microsecond=0)
LATEST = datetime.datetime(9998, 12, 31, 23, 59, 59, tzinfo=UTC)


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


@pytest.mark.parametrize(
    ("lives_s", "most_s", "found"),
    [
        (None, None, None),
        (None, 60, ahead(60)),
        (100, None, ahead(100)),
        (100, 70, ahead(70)),
        (100, 200, ahead(100)),
        (10**12, None, LATEST),
        (8000 * 366 * 86_400, None, LATEST),
    ],
)  # fmt: skip
def test_a_successor_lives_as_long_as_the_key_before(lives_s, most_s, found):
    assert expiry.of_successor(lives_s, NOW, most_s) == found


def test_how_long_a_key_is_meant_to_live():
    assert expiry.life_s(None, NOW) is None
    assert expiry.life_s(ahead(100), NOW) == 100
    assert expiry.life_s(ahead(0.3), NOW) == 1


def test_a_predecessor_ends_with_the_overlap_and_never_later_than_it_was():
    assert expiry.of_predecessor(None, NOW, 0) == ahead(0) <= NOW
    assert expiry.of_predecessor(None, NOW, 10) == ahead(11)
    assert expiry.of_predecessor(ahead(5), NOW, 10) == ahead(5)
    assert expiry.of_predecessor(ahead(50), NOW, 10) == ahead(11)
