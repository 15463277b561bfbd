"""Idempotency-Key: refusals, crashes, and calls with one key at the same time."""

import threading
from concurrent import futures

import pytest

from exordos_paas_storage.models import bucket, idempotency
from tests.service import made
from tests.service.repeats import aged, body_of, counted, is_replay, keyed, place, told


@pytest.fixture
def records(db):
    """Reads what is stored of keyed calls."""
    return lambda: db.execute("SELECT * FROM s3aas_idempotency").fetchall()


def test_a_refusal_is_not_kept(api, tree, records):
    path = f"{tree.at}/buckets"
    for body, code in [
        ({"name": "photos"}, 409),
        ({"name": "NOT-A-BUCKET"}, 400),
        ({"name": "new-one", "quota_bytes": 5}, 422),
        ({}, 400),
    ]:
        assert keyed(api, path, body).status_code == code
        assert records() == []

    mended = keyed(api, path, {"name": "new-one"})
    assert mended.status_code == 201 and not is_replay(mended)
    assert is_replay(keyed(api, path, {"name": "new-one"}))


@pytest.mark.parametrize("post", ["suspend", "rotate", "bucket"])
def test_a_refused_repeat_keeps_the_first_answer(api, callers, tree, post):
    path, body = place(tree, post), body_of(post)
    first = keyed(api, path, body)

    refused = [
        api.call("POST", path, content=b"{", headers={"Idempotency-Key": "k-1"}),
        keyed(api, path, body | {"x": 1}),
        keyed(api, path, body, ""),
    ]

    assert [one.status_code for one in refused] == [400, 409, 400]
    assert told(keyed(api, path, body)) == told(first)


CRASHES = {
    "before": (bucket.Bucket, "_before_insert"),
    "between": (bucket.Bucket, "_after_insert"),
    "after": (idempotency, "keep"),
}


@pytest.mark.parametrize("when", CRASHES)
def test_a_crash_leaves_nothing(api, tree, http, records, monkeypatch, when):
    def crash(*_):
        raise ZeroDivisionError

    path, body = f"{tree.at}/buckets", {"name": "crashed"}
    headers = {"Authorization": f"Bearer {api.token}", "Idempotency-Key": "k-1"}
    with monkeypatch.context() as patched:
        patched.setattr(*CRASHES[when], crash)
        for _ in range(3):
            answer = http.post(made.BASE + path, json=body, headers=headers)
            assert answer.status_code == 500
    assert records() == []
    made.refused(api.get(f"{path}/crashed"), 404)

    again = keyed(api, path, body)

    assert again.status_code == 201 and not is_replay(again)
    assert api.show(f"{path}/crashed") == again.json()


def test_a_clash_of_names_leaves_its_thread_a_good_session(api, tree, records):
    """The database ends the transaction at the clash; the next call is a new one."""
    path = tree.collection("access_key")
    body = {"access_key": "TAKENONCE"}
    api.make(path, **body)

    for number in range(3):
        answer = keyed(api, path, body, f"clash-{number}")
        made.refused(answer, 409, "AccessKeyTaken")
        assert keyed(api, path, {}, f"good-{number}").status_code == 201
    assert len(records()) == 3


# At once.


def test_of_many_at_once_one_does_it_and_all_tell_the_same(api, tree, db):
    path = tree.collection("access_key")

    with futures.ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(keyed, api, path, {}) for _ in range(16)]
        found = [one.result() for one in asked]

    assert sorted(map(is_replay, found)) == [False] + [True] * 15
    assert len({told(one)[1] for one in found}) == 1
    assert counted(db)["access_keys"] == 2


@pytest.mark.parametrize("outcome", ["done", "failed"])
def test_the_second_waits_for_the_first(api, tree, http, db, monkeypatch, outcome):
    inside, go = threading.Event(), threading.Event()
    calls = []

    def slow(self, session):
        calls.append(self.name)
        if len(calls) == 1:
            inside.set()
            assert go.wait(made.HELD_S)
            if outcome == "failed":
                raise ZeroDivisionError

    monkeypatch.setattr(bucket.Bucket, "_after_insert", slow)
    url = f"{made.BASE}{tree.at}/buckets"
    headers = {"Authorization": f"Bearer {api.token}", "Idempotency-Key": "k-1"}

    def post():
        return http.post(url, json={"name": "slow"}, headers=headers)

    with futures.ThreadPoolExecutor(2) as pool:
        first = pool.submit(post)
        assert inside.wait(made.PATIENCE_S)
        second = pool.submit(post)
        made.until(lambda: made.waits_for_lock(db), why="the second waits")
        assert not second.done()
        go.set()
        first, second = first.result(), second.result()

    assert second.status_code == 201
    if outcome == "done":
        assert is_replay(second) and told(second) == told(first)
        assert calls == ["slow"]
    else:
        assert first.status_code == 500 and not is_replay(second)
        assert calls == ["slow", "slow"]


def test_other_keys_do_not_wait(api, tree, monkeypatch):
    inside, go = threading.Event(), threading.Event()

    def slow(self, session):
        if self.name == "slow":
            inside.set()
            assert go.wait(made.HELD_S)

    monkeypatch.setattr(bucket.Bucket, "_after_insert", slow)
    path = f"{tree.at}/buckets"
    with futures.ThreadPoolExecutor(1) as pool:
        first = pool.submit(keyed, api, path, {"name": "slow"}, "slow")
        assert inside.wait(made.PATIENCE_S)
        assert keyed(api, path, {"name": "quick"}, "quick").status_code == 201
        assert not first.done()
        go.set()
        assert first.result().status_code == 201


def test_an_expired_key_that_many_take_is_taken_once(api, tree, db):
    path = tree.collection("access_key")
    keyed(api, path, {})
    aged(db, hours=25)

    with futures.ThreadPoolExecutor(6) as pool:
        asked = [pool.submit(keyed, api, path, {}) for _ in range(12)]
        found = [one.result() for one in asked]

    assert sorted(map(is_replay, found)) == [False] + [True] * 11
    assert len({one.json()["id"] for one in found}) == 1
    assert counted(db)["access_keys"] == 3
