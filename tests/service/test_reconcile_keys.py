"""Access keys on the engine: what ends them, what brings them back, whose they are."""

import datetime

import pytest

from exordos_paas_storage.domain import errors, state
from tests.service import made


def ahead(seconds):
    now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    return (now + datetime.timedelta(seconds=seconds)).isoformat()


def why(api, path):
    return made.condition(api.show(path), "OnEngine")["reason"]


@pytest.fixture
def keys(api, active):
    api.make(f"{active}/users", name="anna")
    api.wait(f"{active}/users/anna")
    return f"{active}/users/anna/access-keys"


def key_of(api, keys, **body):
    """A key once it is settled, and its path."""
    shown = api.make(keys, **body)
    path = f"{keys}/{shown['access_key']}"
    api.wait(path)
    return shown, path


def refusing(error):
    def refuse(*args):
        raise error

    return refuse


def test_a_disabled_key_is_not_on_the_engine_and_comes_back_with_its_secret(
    api, keys, world
):
    secrets = []
    world.only.on["add_access_key"] = lambda key, secret: secrets.append(secret)
    shown, path = key_of(api, keys)

    api.change(path, enabled=False)
    api.wait(path)
    assert world.only.access_key(shown["access_key"]) is None
    assert why(api, path) == "Disabled"
    api.change(path, enabled=True)
    api.wait(path)

    assert world.only.access_key(shown["access_key"]) is not None
    assert why(api, path) == "Held"
    assert secrets == [shown["secret_key"]] * 2


def test_a_key_that_may_not_sign_from_the_start_is_never_made(api, keys, world):
    shown, path = key_of(api, keys, enabled=False)

    assert why(api, path) == "Disabled"
    assert world.only.access_key(shown["access_key"]) is None
    assert not any(call[0] == "add_access_key" for call in world.only.calls)


def test_a_disabled_key_says_at_its_end_that_it_has_expired(api, keys):
    _, path = key_of(api, keys, enabled=False, expires_at=ahead(4))

    made.until(lambda: why(api, path) == "Expired")


def test_a_key_whose_turns_fail_ends_at_its_second_all_the_same(api, keys, world):
    """Its next try may lie minutes ahead, and the removal would have worked."""
    shown, path = key_of(api, keys, expires_at=ahead(8))
    refused = errors.EngineRefused("add-service-account", 500, "InternalError")
    world.only.on["add_access_key"] = refusing(refused)
    api.change(path, scope={"preset": "read-only"})
    assert api.wait(path, "ERROR")["expires_at"]

    made.until(lambda: world.only.access_key(shown["access_key"]) is None)

    made.until(lambda: why(api, path) == "Expired")


def test_a_withdrawal_is_not_done_before_the_engine_refuses_the_key(api, keys, world):
    """B3: a key that is gone here and still works must not happen."""
    refuses = []
    _, path = key_of(api, keys)
    world.only.on["refuses_key"] = lambda key: bool(refuses)

    api.change(path, enabled=False)

    made.until(lambda: api.show(path)["status_message"].startswith("the engine still"))
    assert api.show(path)["status"] == "PENDING"
    refuses.append(True)
    api.wait(path)


def test_somebody_elses_key_of_the_same_id_is_left_alone(api, active, keys, world):
    shown, path = key_of(api, keys)
    name = shown["access_key"]
    world.only.drop_access_key(name)
    world.only.add_user("stranger", "s" * 40)
    world.only.add_access_key(state.AccessKey(name, "stranger"), "s" * 40)

    api.change(path, enabled=False)
    assert "left alone" in api.wait(path, "ERROR")["status_message"]
    api.remove(path)
    api.wait_gone(path)

    assert world.only.access_key(name).user == "stranger"


@pytest.mark.parametrize("kind", ["users", "access-keys"])
def test_what_was_never_made_goes_without_asking_the_engine(
    api, active, keys, world, kind
):
    """A name that is somebody else's may be an error to the engine, at every try."""
    refused = errors.EngineRefused("user-info", 500, "InternalError")
    world.only.on["user"] = world.only.on["access_key"] = refusing(refused)
    if kind == "users":
        api.make(f"{active}/users", name="clash")
        path = f"{active}/users/clash"
    else:
        path = f"{keys}/{api.make(keys)['access_key']}"
    api.wait(path, "ERROR")

    api.remove(path)

    api.wait_gone(path)


def test_a_turn_that_lost_its_row_makes_nothing(api, keys, world, db):
    """It was long asleep: its row has been deleted, and is gone, meanwhile."""
    shown = []

    def meanwhile(key):
        if not shown:
            shown.append(key)
            db.execute("DELETE FROM s3aas_access_keys")

    world.only.on["access_key"] = meanwhile
    api.make(keys)

    made.until(lambda: shown)
    made.until(lambda: world.only.running == 0)
    assert world.only.access_keys() == frozenset()


ROTATE = "actions/rotate/invoke"


def rotated(api, path, **body):
    answer = api.post(f"{path}/{ROTATE}", body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_a_rotation_has_two_keys_however_the_first_is_kept(api, keys):
    _, first = key_of(api, keys)
    second = f"{keys}/{rotated(api, first)['access_key']}"

    for change in ({"expires_at": None}, {"enabled": False}):
        api.change(first, **change)
        made.refused(api.post(f"{second}/{ROTATE}", {}), 409, "AlreadyRotated")
        made.refused(
            api.post(f"{first}/{ROTATE}", {}),
            409,
            "KeyInactive" if "enabled" in change else "AlreadyRotated",
        )
    api.remove(first)
    rotated(api, second)


def test_a_successor_that_is_deleted_may_be_made_again(api, keys):
    """The end of the overlap is not how long the key was meant to live."""
    _, first = key_of(api, keys)
    successor = rotated(api, first, overlap_s=60)
    assert successor["expires_at"] is None
    api.remove(f"{keys}/{successor['access_key']}")

    again = rotated(api, first, overlap_s=60)

    assert again["expires_at"] is None
    assert again["access_key"] != successor["access_key"]


def test_another_users_key_of_a_successors_id_stops_no_rotation(api, active, keys):
    _, first = key_of(api, keys)
    successor = rotated(api, first)["access_key"]
    api.remove(f"{keys}/{successor}")
    api.wait_gone(f"{keys}/{successor}")
    api.make(f"{active}/users", name="bob")
    api.make(f"{active}/users/bob/access-keys", access_key=successor)

    rotated(api, first)


def test_a_key_of_the_last_year_is_rotated(api, keys, db):
    _, path = key_of(api, keys, expires_at="9998-12-31T23:59:59Z")
    db.execute(
        "UPDATE s3aas_access_keys SET created_at = created_at - interval '400 days', "
        "life_s = life_s + 400 * 86400"
    )

    assert rotated(api, path)["expires_at"] == "9998-12-31T23:59:59Z"
