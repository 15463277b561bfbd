"""Secrets at rest: bound to their place, readable after a rotation, never in clear."""

import stat

import pytest
from cryptography import fernet
from hypothesis import given
from hypothesis import strategies as st

from exordos_paas_storage.domain import errors
from exordos_paas_storage.sealing import box, passwords

PLACE = "s3aas_nodes/0b8e8c3e/root_secret"
OTHER = "s3aas_nodes/0b8e8c3f/root_secret"
BOX = box.Box([fernet.Fernet.generate_key()])
TEXT = st.text(st.characters(blacklist_categories=["Cs"]))


def keys(count):
    return [box.new_key().encode() for _ in range(count)]


@given(TEXT, TEXT)
def test_a_sealed_value_opens_at_its_place(place, secret):
    assert BOX.open(place, BOX.seal(place, secret)) == secret


def test_a_sealed_value_shows_nothing_and_is_never_the_same_twice():
    sealed = BOX.seal(PLACE, "the secret")

    assert "secret" not in sealed
    assert sealed != BOX.seal(PLACE, "the secret")


def test_a_value_that_was_moved_is_refused():
    with pytest.raises(box.SealBroken, match="sealed for another place") as refused:
        BOX.open(OTHER, BOX.seal(PLACE, "the secret"))

    assert "the secret" not in str(refused.value)


@pytest.mark.parametrize("place", ["", PLACE + "x", PLACE[:-1], PLACE.upper()])
def test_a_place_that_only_resembles_is_another_one(place):
    with pytest.raises(box.SealBroken):
        BOX.open(place, BOX.seal(PLACE, "the secret"))


def test_a_wrong_key_opens_nothing():
    sealed = box.Box(keys(1)).seal(PLACE, "the secret")

    with pytest.raises(box.SealBroken, match="no sealing key"):
        box.Box(keys(2)).open(PLACE, sealed)


@pytest.mark.parametrize("damage", ["", "x", "gAAAA", "\0", "ü"])
def test_what_was_never_sealed_is_refused(damage):
    with pytest.raises(box.SealBroken):
        BOX.open(PLACE, damage)


def test_a_changed_value_is_refused():
    sealed = BOX.seal(PLACE, "the secret")
    middle = len(sealed) // 2
    changed = "A" if sealed[middle] != "A" else "B"

    with pytest.raises(box.SealBroken):
        BOX.open(PLACE, sealed[:middle] + changed + sealed[middle + 1 :])


def test_after_a_rotation_old_values_open_and_new_ones_take_the_new_key():
    old, new = keys(2)
    before = box.Box([old]).seal(PLACE, "the secret")
    rotated = box.Box([new, old])

    assert rotated.open(PLACE, before) == "the secret"
    assert box.Box([new]).open(PLACE, rotated.seal(PLACE, "another")) == "another"
    with pytest.raises(box.SealBroken):
        box.Box([new]).open(PLACE, before)


def test_a_new_key_file_is_its_owners_alone(tmp_path):
    path = tmp_path / "sealing.key"

    box.write_new_keys(path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["sealing.key"]
    box.Box(box.read_keys(path)).seal(PLACE, "the secret")


def test_a_key_file_that_is_there_is_kept(tmp_path):
    path = tmp_path / "sealing.key"
    box.write_new_keys(path)
    before = path.read_bytes()

    box.write_new_keys(path)

    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["sealing.key"]


def test_two_files_have_two_keys(tmp_path):
    box.write_new_keys(tmp_path / "one")
    box.write_new_keys(tmp_path / "two")

    assert (tmp_path / "one").read_bytes() != (tmp_path / "two").read_bytes()


def test_a_key_file_is_read_newest_first(tmp_path):
    wanted = keys(2)
    path = tmp_path / "sealing.key"
    path.write_bytes(b"\n".join(wanted) + b"\n\n")

    assert box.read_keys(path) == wanted


@pytest.mark.parametrize("content", [b"", b"\n", b"short", b"x" * 44, b"\xff\xfe"])
def test_a_file_without_a_valid_key_is_refused_without_showing_it(tmp_path, content):
    path = tmp_path / "sealing.key"
    path.write_bytes(content)

    with pytest.raises(errors.SetupError, match="needs one Fernet key a line"):
        box.read_keys(path)


def test_a_missing_key_file_says_what_to_do(tmp_path):
    with pytest.raises(errors.SetupError, match="restore it from your backup"):
        box.read_keys(tmp_path / "sealing.key")


def test_a_password_matches_its_hash_alone():
    stored = passwords.hashed("correct horse")

    assert stored.startswith("$argon2id$")
    assert "correct" not in stored
    assert passwords.matches("correct horse", stored)
    assert not passwords.matches("wrong horse", stored)
    assert not passwords.matches("", stored)


def test_the_same_password_has_two_hashes():
    assert passwords.hashed("correct horse") != passwords.hashed("correct horse")


@pytest.mark.parametrize("password", ["", "x", "nobody has this password"])
def test_nobody_has_any_password(password):
    assert not passwords.matches(password, None)
