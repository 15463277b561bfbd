"""Keys that end by themselves: on the second, moved, cleared, under a ceiling."""

from tests.service import made
from tests.service.effects import asks
from tests.service.effects.moments import A_SECOND, ahead, now, read


def usable(here, key):
    """The condition `OnEngine` of a key; empty while a change is not seen yet."""
    shown = here.api.show(key.path)
    found = made.condition(shown, "OnEngine") if shown["status"] == "ACTIVE" else None
    return found or {}


def test_a_key_that_ends_in_the_middle_of_a_loop(here):
    key = here.key(here.user("read-write"))
    end, text = ahead(4)
    here.api.change(key.path, expires_at=text)

    here.lasts_until(key, asks.get("x"), end)

    made.until(lambda: usable(here, key).get("status") == "False")
    assert usable(here, key)["reason"] == "Expired"
    assert here.api.show(key.path)["expires_at"] == text
    assert here.engine.refuses_key(key.pair.access_key)


def test_an_end_is_moved_before_it_comes_and_after_and_cleared(here):
    user = here.user("read-write")
    moved, back, cleared = keys = [here.key(user) for _ in range(3)]
    (first, text), (_, later) = ahead(6), ahead(3600)
    for key in keys:
        here.api.change(key.path, expires_at=text)
    here.api.change(moved.path, expires_at=later)

    for key in (back, cleared):
        made.until(lambda key=key: not here.may(key, asks.get("x")))
    assert now() >= first
    assert here.may(moved, asks.get("x"))

    here.api.change(back.path, expires_at=later)
    here.soon("expired key brought back", back, asks.get("x"), True)
    here.api.change(cleared.path, expires_at=None)
    here.soon("expired key brought back", cleared, asks.get("x"), True)
    for key, end in ((moved, later), (back, later), (cleared, None)):
        shown = here.api.wait(key.path)
        assert shown["expires_at"] == end
        assert made.condition(shown, "OnEngine")["status"] == "True"
        assert here.may(key, asks.get("x"))


def test_an_end_far_ahead_is_kept_by_the_engine_too_and_cleared(here):
    _, text = ahead(3 * 24 * 3600)
    key = here.key(here.user("read-write"), expires_at=text)
    assert here.engine.access_key(key.pair.access_key).expires_at == read(text)

    here.api.change(key.path, expires_at=None)
    here.api.wait(key.path)

    assert here.engine.access_key(key.pair.access_key).expires_at is None
    assert here.may(key, asks.get("x"))


def test_a_disabled_key_that_ends_meanwhile_stays_refused_when_it_is_enabled(here):
    user = here.user("read-write")
    end, text = ahead(4)
    key = here.key(user, expires_at=text)
    here.api.change(key.path, enabled=False)
    here.soon("key disabled", key, asks.get("x"), False)
    made.until(lambda: usable(here, key).get("reason") == "Expired")

    here.api.change(key.path, enabled=True)
    here.api.wait(key.path)

    assert now() >= end and not here.may(key, asks.get("x"))
    assert usable(here, key)["reason"] == "Expired"


def test_days_in_the_past_are_refused(here):
    user = here.user("read-write")
    key = here.key(user)

    for text in ("2020-01-01T00:00:00Z", f"{now():%Y-%m-%dT%H:%M:%SZ}"):
        for answer in (
            here.api.post(f"{user}/access-keys", {"expires_at": text}),
            here.api.patch(key.path, {"expires_at": text}),
        ):
            made.refused(answer, 400, "InvalidValue", "expires_at")

    assert len(here.api.show(f"{user}/access-keys")) == 1
    assert here.api.show(key.path)["expires_at"] is None
    assert here.may(key, asks.get("x"))


def test_a_ceiling_bounds_new_keys_and_leaves_those_there_are(here):
    user = here.user("read-write")
    old, (_, beyond) = here.key(user), ahead(7200)
    path = f"{user}/access-keys"
    shown = here.api.change(here.at, max_key_ttl_s=3600)
    assert shown["status"] == "ACTIVE"

    new = here.api.make(path)
    assert read(new["expires_at"]) <= read(new["created_at"][:19] + "Z") + (
        3600 * A_SECOND
    )
    assert here.api.make(path, expires_at=ahead(60)[1])
    made.refused(here.api.post(path, {"expires_at": beyond}), 400, "", "expires_at")
    answer = here.api.patch(here.path_of(user, new), {"expires_at": beyond})
    made.refused(answer, 400, "InvalidValue", "expires_at")
    answer = here.api.patch(here.path_of(user, new), {"expires_at": None})
    made.refused(answer, 400, "InvalidValue", "expires_at")

    assert here.api.show(old.path)["expires_at"] is None
    assert here.may(old, asks.get("x"))
    here.api.change(here.at, max_key_ttl_s=None)
    assert here.api.make(path)["expires_at"] is None
