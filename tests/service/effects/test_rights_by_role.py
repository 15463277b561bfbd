"""Who may give rights, and that nobody is shown a secret again."""

import logging

import pytest

from exordos_paas_storage.domain import errors
from tests.service import made
from tests.service.effects import asks
from tests.service.effects.asks import allow, document

LATER = "2030-01-01T00:00:00Z"


@pytest.fixture(params=["memory"])
def place(request):
    return request.param, None


@pytest.fixture
def roles(callers):
    return {role: callers["one", role] for role in ("operator", "viewer")}


@pytest.mark.parametrize("role", ["operator", "viewer"])
def test_rights_are_given_by_owners_alone(here, roles, role):
    caller, user = roles[role], here.user("read-only")
    key, name = here.key(user), here.policy(allow())
    before = here.api.show(key.path), here.api.show(f"{here.at}/policies/{name}")
    everything = document(allow())

    for answer in [
        caller.post(f"{user}/access-keys", {}),
        caller.post(f"{key.path}/actions/rotate/invoke", {"overlap_s": 0}),
        caller.post(f"{here.at}/policies", {"name": "own", "document": everything}),
        caller.patch(f"{here.at}/policies/{name}", {"document": everything}),
        caller.delete(f"{here.at}/policies/{name}"),
        caller.patch(key.path, {"scope": everything}),
        caller.patch(key.path, {"expires_at": LATER}),
        caller.patch(here.at, {"default_user_policies": ["bucket-owner"]}),
        caller.patch(here.at, {"max_key_ttl_s": 60}),
    ]:
        made.refused(answer, 403, "Forbidden")

    after = here.api.show(key.path), here.api.show(f"{here.at}/policies/{name}")
    assert after == before
    assert [one["access_key"] for one in here.api.show(f"{user}/access-keys")] == [
        key.pair.access_key
    ]


def test_an_operator_takes_away_and_gives_back_what_there_was(here, roles):
    operator, user = roles["operator"], here.user("read-write")
    key = here.key(user)

    for path in (user, key.path):
        operator.change(path, enabled=False)
        here.soon("by an operator", key, asks.get("x"), False)
        operator.change(path, enabled=True)
        here.soon("by an operator", key, asks.get("x"), True)
    for action, allowed in (("suspend", False), ("resume", True)):
        answer = operator.post(f"{here.at}/actions/{action}/invoke")
        assert answer.status_code == 200, answer.text
        here.soon("by an operator", key, asks.get("x"), allowed)
    operator.change(here.at, read_only=True)
    here.soon("by an operator", key, asks.put("y"), False)


def test_a_viewer_changes_nothing(here, roles):
    viewer, user = roles["viewer"], here.user("read-write")
    key = here.key(user)

    for answer in [
        viewer.patch(user, {"enabled": False}),
        viewer.patch(user, {"labels": {"a": "b"}}),
        viewer.patch(key.path, {"enabled": False}),
        viewer.delete(key.path),
        viewer.post(f"{user}/policies", {"policy": "backup"}),
        viewer.delete(f"{user}/policies/read-write"),
        viewer.post(f"{here.at}/actions/suspend/invoke"),
        viewer.post(f"{here.at}/actions/resume/invoke"),
        viewer.patch(here.at, {"read_only": True}),
    ]:
        made.refused(answer, 403, "Forbidden")

    assert here.may(key, asks.get("x")) and here.may(key, asks.put("y"))


def test_an_account_of_another_project_finds_nothing(here, stranger):
    user = here.user("read-write")
    key = here.key(user)

    for answer in [
        stranger.get(key.path),
        stranger.post(f"{key.path}/actions/rotate/invoke"),
        stranger.post(f"{here.at}/actions/suspend/invoke"),
        stranger.post(f"{here.at}/policies/lint", {"document": document(allow())}),
        stranger.patch(user, {"enabled": False}),
    ]:
        made.refused(answer, 404, "NotFound")

    assert here.may(key, asks.get("x"))


def test_a_secret_is_in_the_answers_to_create_and_rotate_alone(here, roles, caplog):
    caplog.set_level(logging.DEBUG)
    given = "Given+Secret/0123456789abcdef=~!"
    user = here.user("read-write")
    keys = [here.key(user), here.key(user, secret_key=given)]
    shown = here.api.post(f"{keys[0].path}/actions/rotate/invoke").json()
    keys.append(here.key_of(user, shown))
    here.api.wait(keys[-1].path)

    def refuse(*args):
        raise errors.EngineRefused("add access key", 400, "Broken")

    here.engine.on["add_access_key"] = refuse
    broken = here.api.make(f"{user}/access-keys")
    keys.append(here.key_of(user, broken))
    seen = [str(here.api.wait(keys[-1].path, "ERROR"))]
    taken = {"access_key": keys[1].pair.access_key, "secret_key": given}
    seen.append(here.api.post(f"{user}/access-keys", taken).text)
    for key in keys:
        seen.append(here.api.patch(key.path, {"description": "laptop"}).text)
        for caller in (here.api, *roles.values()):
            seen.append(caller.get(key.path).text)
    for caller in (here.api, *roles.values()):
        seen += [caller.get(path).text for path in (f"{user}/access-keys", here.at)]

    for key in keys:
        secret = key.pair.secret_key
        assert len(secret) >= 32
        assert not any(secret in text for text in seen)
        assert secret not in caplog.text
