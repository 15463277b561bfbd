"""The sealing keys on the platform: made once, proved everywhere, never guessed."""

import os
import pwd
import stat
import uuid

import pytest
from restalchemy.storage.sql import engines

from exordos_paas_storage.domain import errors
from exordos_paas_storage.models import migrate, secrets
from exordos_paas_storage.plugin import keys, place
from exordos_paas_storage.sealing import box
from tests.service import made

PLACE = ("s3aas_nodes", uuid.UUID(int=1), "root_secret")


@pytest.fixture
def host(monkeypatch, tmp_path):
    """The folder in which a node of the platform has our settings."""
    monkeypatch.setattr(place, "CONFIG_FILE", tmp_path / "s3aas.conf")
    monkeypatch.setattr(place, "SEALING_KEYS_FILE", tmp_path / "keys")
    return tmp_path


@pytest.fixture(autouse=True)
def process(monkeypatch):
    """A process that has read no keys yet; gives a function that makes it another."""

    def again():
        monkeypatch.setattr(keys._Read, "keys", None)
        monkeypatch.setattr(secrets._Holder, "box", None)
        monkeypatch.setattr(secrets._Holder, "provide", None)

    again()
    return again


@pytest.fixture
def fresh(server, uri):
    """A database in which nothing was sealed."""
    name = made.unique("fresh").replace("-", "_")
    server.create_database(name)
    kept = engines.engine_factory.get_engine()
    migrate.connect(server.uri(name), 4)
    migrate.migrate(server.uri(name))
    yield name
    engines.engine_factory.get_engine()._pool.close()
    engines.engine_factory._engines["default"] = kept


def choose(host, path):
    (host / "s3aas.conf").write_text(f"[s3aas]\nsealing_keys_file = {path}\n")


def test_the_first_start_makes_keys_that_the_api_can_read(fresh, host, process):
    keys.make_if_first()

    sealed = secrets.seal(*PLACE, "hidden")
    process()
    keys.load()
    assert secrets.opened(*PLACE, sealed) == "hidden"


def test_the_keys_never_appear_without_the_apis_right_to_read_them(
    fresh, host, monkeypatch
):
    """A process that is killed there would leave them so for ever."""
    appeared = []
    link = os.link

    def spied(draft, path):
        found = os.stat(draft)
        appeared.append((stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid))
        link(draft, path)

    monkeypatch.setattr(os, "link", spied)

    keys.make_if_first()

    alone = (0o600, os.geteuid(), os.getegid())
    to_the_api = (0o640, 0, pwd.getpwnam(keys.API_USER).pw_gid)
    assert appeared == [to_the_api if os.geteuid() == 0 else alone]
    found = (host / "keys").stat()
    assert (stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid) == appeared[0]


def test_a_later_start_keeps_the_keys(fresh, host, process):
    keys.make_if_first()
    before = (host / "keys").read_bytes()
    process()

    keys.make_if_first()

    assert (host / "keys").read_bytes() == before


def test_lost_keys_are_not_made_again(fresh, host, process):
    keys.make_if_first()
    (host / "keys").unlink()
    process()

    with pytest.raises(errors.SetupError, match="restore it from your backup"):
        keys.make_if_first()
    assert not (host / "keys").exists()


def test_a_chosen_file_is_never_made(fresh, host):
    choose(host, host / "mine")

    with pytest.raises(errors.SetupError, match="mine"):
        keys.make_if_first()
    assert not (host / "mine").exists() and not (host / "keys").exists()


def test_a_chosen_file_is_used(fresh, host):
    box.write_new_keys(host / "mine")
    choose(host, host / "mine")

    keys.make_if_first()
    keys.ensure()

    assert not (host / "keys").exists()


def test_another_nodes_keys_are_refused(fresh, host, process):
    keys.make_if_first()
    (host / "keys").write_text(box.new_key())
    process()
    keys.load()

    with pytest.raises(errors.SetupError, match="does not hold the sealing keys"):
        secrets.seal(*PLACE, "hidden")


def test_nothing_is_sealed_before_the_reconciler_said_with_what(fresh, host):
    box.write_new_keys(host / "keys")
    keys.load()

    with pytest.raises(errors.SetupError, match="not sealed yet"):
        secrets.seal(*PLACE, "hidden")


def test_the_next_version_of_the_code_keeps_what_was_read(fresh, host, process):
    keys.make_if_first()
    held = keys.held()
    process()
    (host / "keys").unlink()  # rights were dropped: the file can't be read any more

    keys.load()
    keys.take_over(*held)

    assert secrets.seal(*PLACE, "hidden")


def test_settings_that_are_no_settings_say_which_file(host):
    (host / "s3aas.conf").write_text("sealing_keys_file\n= [")

    keys.load()  # whoever loads the plugin goes on

    with pytest.raises(errors.SetupError, match=r"s3aas\.conf"):
        secrets.seal(*PLACE, "hidden")


def test_the_api_says_that_it_is_not_set_up(api, host, caplog):
    keys.load()

    answer = api.post("/instances", {"name": made.unique("instance")})

    made.refused(answer, 503, "Unavailable", "service")
    assert str(host / "keys") in caplog.text
