"""POSTs that are sent again while the API is killed: each is done once."""

import threading
import uuid

import pytest

from exordos_paas_storage.client import http
from tests import box, engines
from tests.onebox.test_kills import kill

KILLS = 4
KEYS = "/instances/demo/users/repeats/access-keys"


@pytest.fixture(scope="module")
def killed():
    """A service whose API is killed; what it stores is the same with every engine."""
    with box.made(engines.available()[0]) as made:
        made.up()
        yield made


class Caller(threading.Thread):
    """Makes keys one after another and sends each call again until it is answered."""

    def __init__(self, client):
        super().__init__(daemon=True)
        self.client, self.answers, self.failed = client, {}, 0
        self.ends = threading.Event()

    def run(self):
        while not self.ends.is_set():
            key = str(uuid.uuid4())
            self.answers[key] = box.wait_until(lambda key=key: self._asked(key))

    def _asked(self, key):
        try:
            return self.client.create(KEYS, {"description": key}, key=key)
        except http.ApiUnreachable:
            self.failed += 1
        except http.ApiRefused as error:
            assert error.code == 503, error
        return None


def test_what_is_sent_again_after_a_kill_is_done_once(killed):
    client = killed.client()
    client.create("/instances/demo/users", {"name": "repeats"})
    callers = [Caller(killed.client()) for _ in range(3)]
    for caller in callers:
        caller.start()
    for number in range(KILLS):
        told = sum(len(caller.answers) for caller in callers)
        box.wait_until(
            lambda told=told: sum(len(one.answers) for one in callers) > told + 10
        )
        kill(killed.pid("api"))
        box.wait_until(lambda number=number: any_failed(callers) > number)
    for caller in callers:
        caller.ends.set()
        caller.join(box.ACTIVE_S)
        assert not caller.is_alive()

    answers = {key: told for one in callers for key, told in one.answers.items()}
    there = box.wait_until(lambda: client.get(f"{KEYS}?page_limit=1000"))
    assert len(answers) > 10 * KILLS
    assert sorted(one["description"] for one in there) == sorted(answers)
    for one in there:
        told = answers[one["description"]]
        assert (told["id"], told["access_key"]) == (one["id"], one["access_key"])
        assert len(told["secret_key"]) == 40


def any_failed(callers):
    """How often a call of any of them got no answer."""
    return sum(caller.failed for caller in callers)


def test_an_answer_is_told_again_by_the_next_process(killed):
    client = killed.client()
    key = str(uuid.uuid4())
    first = client.create("/instances/demo/users", {"name": "told-twice"}, key=key)
    kill(killed.pid("api"))

    again = box.wait_until(lambda: sent_again(client, key))

    assert again == first
    with pytest.raises(http.ApiRefused) as refused:
        client.update("/instances/demo/users/told-twice", {"labels": {}}, only_at=999)
    assert (refused.value.code, refused.value.kind) == (412, "PreconditionFailed")


def sent_again(client, key):
    """The answer to the same call, or nothing while nobody answers."""
    try:
        return client.create("/instances/demo/users", {"name": "told-twice"}, key=key)
    except http.ApiUnreachable:
        return None
