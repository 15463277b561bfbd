"""Engines that say that they are ready and do not answer calls."""

import pytest

from exordos_paas_storage.domain import errors, policy
from exordos_paas_storage.nodes import port
from exordos_paas_storage.reconcile import outcomes, queue
from tests.service import made

ADMIN = ("policy", "put_policy", "users", "access_keys", "user", "access_key")
S3 = ("buckets", "bucket", "create_bucket")


def silence(engine, methods):
    """Have no call of these methods answered; gives those that were made."""
    asked = []

    def unavailable(*args):
        asked.append(args)
        raise errors.EngineUnavailable("list buckets: no answer (ReadTimeout)")

    engine.on.update(dict.fromkeys(methods, unavailable))
    return asked


def engine_ready(shown):
    found = made.condition(shown, "EngineReady")
    return found["status"], found["reason"]


@pytest.fixture
def key(api, active):
    """The path of an ACTIVE key."""
    user = f"{active}/users/anna"
    api.make(f"{active}/users", name="anna")
    path = f"{user}/access-keys/{api.make(f'{user}/access-keys')['access_key']}"
    api.wait(path)
    return path


@pytest.mark.parametrize("methods", [ADMIN + S3, ADMIN, S3])
def test_an_engine_that_answers_no_calls_is_an_error_and_comes_back(
    api, active, key, world, methods
):
    before = api.show(f"{active}/users")
    silence(world.only, methods)

    api.change(active, read_only=True)
    api.make(f"{active}/buckets", name="more")
    shown = api.wait(active, "ERROR")

    assert engine_ready(shown) == ("False", port.NOT_ANSWERING)
    assert made.condition(shown, "NodesReady")["status"] == "True"
    assert "does not answer calls: list buckets" in shown["status_message"]
    assert api.show(f"{active}/users") == before
    assert api.show(f"{active}/buckets/more")["status"] in ("PENDING", "ACTIVE")
    world.only.on.clear()
    assert engine_ready(api.wait(active)) == ("True", port.READY)
    api.wait(f"{active}/buckets/more")


def test_one_that_is_asked_for_nothing_is_found_by_its_next_audit(
    api, active, world, db
):
    made.until(lambda: db.execute("SELECT wake_at FROM s3aas_instances").fetchone())
    silence(world.only, S3)
    db.execute(
        "UPDATE s3aas_instances SET wake_at = NULL, revision = revision + 1, "
        "next_try_at = now()"
    )

    assert engine_ready(api.wait(active, "ERROR"))[0] == "False"
    world.only.on.clear()
    api.wait(active)


def test_calls_that_fail_for_a_moment_are_no_error(api, db, reconcile, world):
    reconcile(silence_s=2 * made.HELD_S)
    api.make("/instances", name="calm")
    api.wait("/instances/calm")
    asked = silence(world.only, ADMIN)

    api.change("/instances/calm", read_only=True)
    made.until(lambda: asked.count((policy.GUARD_NAME,)) > 2)

    shown = api.show("/instances/calm")
    assert (shown["status"], shown["status_message"]) == ("PENDING", "")
    assert engine_ready(shown) == ("True", port.READY)
    world.only.on.clear()
    api.wait("/instances/calm")


def test_failures_that_lie_apart_are_no_silence(api, active, world, db, monkeypatch):
    """Each is the first: calls were answered in between."""
    failing, recorded, record = [], [], queue.record
    monkeypatch.setattr(
        queue, "record", lambda *given: recorded.append(given[1]) or record(*given)
    )

    def fail():
        if failing:
            raise errors.EngineUnavailable(f"list buckets: {failing.pop()}")

    world.only.on["buckets"] = fail
    seen = "SELECT 1 FROM s3aas_instances WHERE revision = seen_revision"
    for _ in range(3):
        failing.append("503 SlowDown")
        db.execute(
            "UPDATE s3aas_instances SET revision = revision + 1, next_try_at = now()"
        )
        made.until(lambda: not failing and db.execute(seen).fetchone())

    waited = [one for one in recorded if isinstance(one, outcomes.Waiting)]
    assert len(waited) >= 3
    assert not any(isinstance(one, outcomes.Failed) for one in recorded)


def test_objects_wait_while_the_guard_can_not_be_seen(api, active, world, db):
    silence(world.only, ADMIN)
    api.change(active, read_only=True)
    api.wait(active, "ERROR")
    made.until(
        lambda: (
            not db.execute("SELECT engine_ready FROM s3aas_instances").fetchone()[
                "engine_ready"
            ]
        )
    )

    api.make(f"{active}/buckets", name="waits")
    asked = world.only.calls
    looked = len(asked)
    made.until(lambda: "policy" in [call[0] for call in asked[looked:]])

    assert ("bucket", "waits") not in asked
    world.only.on.clear()
    api.wait(f"{active}/buckets/waits")


def test_access_is_taken_away_while_only_other_calls_fail(api, active, key, world):
    silence(world.only, S3)
    api.change(active, read_only=True)
    api.wait(active, "ERROR")

    api.remove(key)

    api.wait_gone(key)
    assert api.show(active)["status"] == "ERROR"
