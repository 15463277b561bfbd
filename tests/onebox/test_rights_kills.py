"""kill -9 while rights change: what was withdrawn stays so, what was given comes."""

import contextlib
import os
import signal

import psutil
import pytest

from exordos_paas_storage.domain import capabilities
from tests import box, engines, tenants
from tests.onebox.test_kills import gone, kill
from tests.onebox.test_rights import OF_ALL, OF_ONE
from tests.tenants import A_SECOND, DONE, NO, SILENT

# From the death of a process to the effect, its next start included.
BACK_S = 60.0


@pytest.fixture(scope="module", params=engines.available())
def killed(request):
    """A service whose parts are killed; it is whole again after each test."""
    with box.made(request.param) as made:
        made.up()
        yield made


@pytest.fixture
def place(killed):
    return tenants.Place(killed.client(), "demo")


def deleted(path_of):
    return lambda tenant: tenant.client.delete(path_of(tenant))


def rotated(tenant):
    tenant.client.invoke(tenant.key.path, "rotate", {"overlap_s": 0})


# What ends a key or its user for good.
FOR_GOOD = {
    "key rotated away": rotated,
    "key deleted": deleted(lambda tenant: tenant.key.path),
    "user deleted": deleted(lambda tenant: tenant.user),
}


def named(keys, word):
    """The names of those keys whose attempt to write ends so."""
    return {name for name, key in keys.items() if key.puts() == word}


@contextlib.contextmanager
def death(killed, moment):
    """The reconciler is killed at the end of the block, which it may see until then."""
    seen = moment == "at any moment"
    with contextlib.nullcontext() if seen else killed.paused("reconcile"):
        yield
        kill(killed.pid("reconcile"))


@pytest.mark.parametrize("moment", ["before the first turn", "at any moment"])
def test_what_is_withdrawn_outlives_the_reconciler(killed, place, moment):
    """The engine serves on meanwhile, and whose rights stay notices nothing."""
    withdrawals = {what: change for what, (change, _) in OF_ONE.items()} | FOR_GOOD
    given_back = {what: change for what, (_, change) in OF_ONE.items()}
    people = {what: tenants.Tenant(place) for what in withdrawals}
    keys = {what: tenant.key for what, tenant in people.items()}
    with tenants.Writer(place.key(place.user())) as writer:
        with death(killed, moment):
            for what, change in withdrawals.items():
                change(people[what])
        box.wait_until(lambda: not named(keys, DONE), BACK_S)
        writer.goes_on()

        with death(killed, moment):
            for what, change in given_back.items():
                change(people[what])
        box.wait_until(lambda: named(keys, DONE) == set(given_back), BACK_S)

        for what in given_back:
            place.wait(people[what].key.path)
        assert named(keys, NO) == set(FOR_GOOD)
    assert writer.failed == []


def test_a_rotation_outlives_the_reconciler(killed, place):
    user = place.user()
    old = place.key(user)
    with death(killed, "before the first turn"):
        shown = place.client.invoke(old.path, "rotate", {"overlap_s": 2})

    new = place.known(user, shown)

    end = tenants.moment(place.client.get(old.path)["expires_at"])
    assert new.puts() == DONE
    place.says_expired(old)
    assert tenants.now() >= end and old.puts() == NO
    assert new.puts() == DONE


def ending(place, seconds):
    """A key that acts, and when it ends: so many seconds from now."""
    key = place.key(place.user())
    end, text = tenants.ahead(seconds)
    place.client.update(key.path, {"expires_at": text})
    place.wait(key.path)
    assert key.puts() == DONE
    return key, end


def near(killed):
    """Seconds to an end that the engine can't be told of, so that only we know it."""
    return min(8, capabilities.of(killed.engine, "").least_expiry_s - 2)


def test_a_key_whose_end_passes_without_a_reconciler_is_refused_by_the_next(
    killed, place
):
    key, end = ending(place, near(killed))
    with death(killed, "before its end"):
        box.wait_until(lambda: tenants.now() > end)
        # So near an end only the service itself knows.
        assert key.puts() == DONE

    box.wait_until(lambda: key.puts() == NO, BACK_S)

    place.says_expired(key)


def test_a_key_whose_end_passes_while_nothing_of_ours_lives(killed, place):
    """RustFS ends it itself; MinIO takes no end of less than 15 minutes ahead."""
    able = capabilities.of(killed.engine, "")
    guarded = able.least_expiry_s < 60
    endless = place.key(place.user())
    parts = [psutil.Process(killed.pid(part)) for part in ("api", "reconcile")]
    key, end = ending(place, able.least_expiry_s + 6 if guarded else 10)
    kill(killed.pid("supervisor"))
    box.wait_until(lambda: all(map(gone, parts)))
    assert tenants.now() < end

    if guarded:
        key.lasts_until(end)
    else:
        box.wait_until(lambda: tenants.now() > end)
        assert key.puts() == DONE
    assert endless.puts() == DONE

    killed.up()
    box.wait_until(lambda: key.puts() == NO)
    place.says_expired(key)
    assert endless.puts() == DONE


@pytest.mark.parametrize("what", OF_ALL)
def test_an_instance_is_stopped_and_opened_by_the_next_reconciler(killed, place, what):
    tenant = tenants.Tenant(place)
    for change, word in zip(OF_ALL[what], (NO, DONE), strict=True):
        with death(killed, "before the first turn"):
            change(tenant)

        box.wait_until(lambda word=word: tenant.key.puts() == word, BACK_S)

        place.wait(place.at)
        assert tenant.key.puts() == word


def all_sorts(place):
    """Keys of every sort, by name."""
    user, disabled = place.user(), place.user()
    scope = {"preset": "read-write", "bucket": place.bucket, "prefix": "in/"}
    found = {
        "full": place.key(user),
        "scoped": place.key(user, scope=scope),
        "reading": place.key(place.user(policies=["read-only"])),
        "disabled": place.key(user),
        "of a disabled user": place.key(disabled),
        "expired": place.key(user, expires_at=tenants.ahead(3)[1]),
    }
    place.client.update(found["disabled"].path, {"enabled": False})
    place.client.update(disabled, {"enabled": False})
    for path in (found["disabled"].path, disabled):
        place.wait(path)
    place.says_expired(found["expired"])
    return found


def answers(keys):
    """How each request of each key ends."""
    return {
        (name, call, where): getattr(key, call)(where)
        for name, key in keys.items()
        for call in ("gets", "puts")
        for where in ("x", "in/x")
    }


@pytest.mark.parametrize("what", ["nothing", *OF_ALL])
def test_rights_outlive_the_engine(killed, place, what):
    """Not for a moment does it come back with more than it had."""
    keys, tenant = all_sorts(place), tenants.Tenant(place)
    assert sum(word == DONE for word in answers(keys).values()) == 4 + 2 + 2
    if what != "nothing":
        OF_ALL[what][0](tenant)
        box.wait_until(lambda: tenant.key.puts() == NO)
        place.wait(place.at)
    before = answers(keys)
    victim = killed.pid("engine", place.id)
    kill(victim)

    def as_before():
        found = answers(keys)
        forbidden = {
            asked: word
            for asked, word in found.items()
            if word == DONE != before[asked]
        }
        assert forbidden == {}
        return found == before

    box.wait_until(as_before)
    assert killed.pid("engine", place.id) != victim
    place.wait(place.at)
    assert answers(keys) == before
    if what != "nothing":
        OF_ALL[what][1](tenant)
        box.wait_until(lambda: tenant.key.puts() == DONE)


def test_a_key_whose_end_passes_while_the_engine_hangs(killed, place):
    key, end = ending(place, near(killed))
    pid = killed.pid("engine", place.id)
    os.kill(pid, signal.SIGSTOP)
    try:
        assert tenants.now() < end
        box.wait_until(lambda: tenants.now() > end + A_SECOND)
    finally:
        os.kill(pid, signal.SIGCONT)

    box.wait_until(lambda: key.puts() not in (DONE, SILENT))

    place.says_expired(key)
