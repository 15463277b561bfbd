"""Two keys for as long as it takes: rotation, seen by a writer that never stops."""

import itertools
import threading

import pytest

from tests.service import made
from tests.service.effects import asks
from tests.service.effects.asks import ARN, allow, document
from tests.service.effects.moments import A_SECOND, ahead, now, read


def rotate(here, key, **body):
    return here.api.post(f"{key.path}/actions/rotate/invoke", body)


def successor(here, key, **body):
    """The key that follows, once it is there."""
    answer = rotate(here, key, **body)
    assert answer.status_code == 201, answer.text
    user = key.path.partition("/access-keys")[0]
    here.api.wait(made.location(answer))
    return here.key_of(user, answer.json())


def test_both_work_until_the_old_one_ends(here):
    user = here.user("read-write")
    scope = document(allow(["s3:GetObject", "s3:PutObject"], f"{ARN}{here.bucket}/*"))
    old = here.key(user, scope=scope, description="laptop", labels={"a": "b"})
    asked_at = now()

    answer = rotate(here, old, overlap_s=10)

    shown = answer.json()
    assert answer.status_code == 201 and shown["kind"] == "s3_access_key"
    assert made.location(answer) == made.BASE + here.path_of(user, shown)
    assert shown["secret_key"] and shown["access_key"] != old.pair.access_key
    assert shown["rotated_from"] == old.pair.access_key
    assert (shown["scope"], shown["expires_at"]) == (scope, None)
    assert (shown["description"], shown["labels"]) == ("laptop", {"a": "b"})
    before = here.api.show(old.path)
    assert before["rotated_to"] == shown["access_key"] and "secret_key" not in before
    end = read(before["expires_at"])
    assert asked_at + 10 * A_SECOND <= end <= now() + 11 * A_SECOND
    new = here.key_of(user, shown)
    here.soon("rotated", new, asks.get("x"), True)
    assert here.may(old, asks.get("x")) and not here.may(new, asks.listing())
    here.lasts_until(old, asks.put("y"), end)
    assert here.may(new, asks.put("y"))


@pytest.mark.parametrize("which", ["old", "new"])
def test_a_third_key_waits_for_the_end_of_the_first(here, which):
    old = here.key(here.user("read-write"))
    new = successor(here, old, overlap_s=3600)

    asked = old if which == "old" else new
    made.refused(rotate(here, asked), 409, "AlreadyRotated", "access_key")

    assert here.may(old, asks.get("x")) and here.may(new, asks.get("x"))
    here.api.change(old.path, expires_at=ahead(3)[1])
    made.until(lambda: not here.may(old, asks.get("x")))
    kind = {"old": "KeyInactive", "new": ""}[which]
    if kind:
        made.refused(rotate(here, old), 409, kind)
    third = successor(here, new, overlap_s=0)
    here.soon("rotated without overlap", new, asks.get("x"), False)
    assert here.may(third, asks.get("x"))


def test_no_overlap_ends_the_old_key_at_once(here):
    old = here.key(here.user("read-write"))

    answer = rotate(here, old, overlap_s=0)

    assert answer.status_code == 201
    here.soon("rotated without overlap", old, asks.get("x"), False)
    new = here.key_of(old.path.partition("/access-keys")[0], answer.json())
    made.until(lambda: here.may(new, asks.get("x")))


def test_a_key_that_does_not_sign_is_not_rotated(here):
    user = here.user("read-write")
    disabled, expired = here.key(user), here.key(user, expires_at=ahead(3)[1])
    here.api.change(disabled.path, enabled=False)

    made.refused(rotate(here, disabled), 409, "KeyInactive", "access_key")
    made.until(lambda: not here.may(expired, asks.get("x")))
    made.refused(rotate(here, expired), 409, "KeyInactive", "access_key")

    assert len(here.api.show(f"{user}/access-keys")) == 2


def test_bad_bodies_of_a_rotation(here):
    user = here.user("read-write")
    key = here.key(user)

    for body in (
        {"overlap_s": -1}, {"overlap_s": 1.5}, {"overlap_s": "3"}, {"overlap_s": True},
        {"overlap_s": 2_592_001},
    ):  # fmt: skip
        made.refused(rotate(here, key, **body), 400, "InvalidValue", "overlap_s")
    made.refused(rotate(here, key, overlap=3), 400, "UnknownField", "overlap")

    assert len(here.api.show(f"{user}/access-keys")) == 1
    assert here.api.show(key.path)["expires_at"] is None


def test_a_successor_lives_as_long_as_the_key_before_and_not_beyond_the_ceiling(here):
    user = here.user("read-write")
    end, text = ahead(600)
    old = here.key(user, expires_at=text)
    endless = here.key(user)
    life = end - read(here.api.show(old.path)["created_at"][:19] + "Z")

    new = rotate(here, old, overlap_s=1).json()

    lived = read(new["expires_at"]) - read(new["created_at"][:19] + "Z")
    assert abs(lived - life) <= A_SECOND
    here.api.change(here.at, max_key_ttl_s=60)
    asked_at, third, told_at = now(), rotate(here, endless).json(), now()
    end = read(third["expires_at"])
    assert asked_at + 59 * A_SECOND <= end <= told_at + 61 * A_SECOND
    end = read(here.api.show(endless.path)["expires_at"])
    assert asked_at + 3600 * A_SECOND <= end <= told_at + 3601 * A_SECOND


def test_a_writer_changes_keys_without_one_failed_request(here):
    old = here.key(here.user("read-write"))
    current, stopping = [old], threading.Event()
    done = {True: 0, False: 0}

    def write():
        for number in itertools.count():
            if stopping.is_set():
                return
            done[here.may(current[0], asks.put(f"y{number % 7}"))] += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        made.until(lambda: done[True] > 20)
        new = successor(here, old, overlap_s=3600)
        current[0], before = new, done[True]
        # The first of them may have been begun with the old key.
        made.until(lambda: done[True] > before + 1)
        here.api.change(old.path, expires_at=ahead(3)[1])
        made.until(lambda: not here.may(old, asks.get("x")))
        after = done[True]
        made.until(lambda: done[True] > after + 20)
    finally:
        stopping.set()
        writer.join()

    assert done[False] == 0
    assert 20 < before < after
