"""The file of `up --config`: what it says is heeded or refused, and never quoted."""

import pytest

from exordos_paas_storage.domain import errors
from exordos_paas_storage.onebox import config_file

SECRET = "hushhush"


@pytest.fixture
def file(tmp_path):
    return tmp_path / "storage.conf"


def refusal(file):
    with pytest.raises(errors.SetupError) as caught:
        config_file.read(file)
    assert SECRET not in str(caught.value) and "\n" not in str(caught.value)
    assert str(file) in str(caught.value)
    return str(caught.value)


def test_what_it_says(file, monkeypatch):
    monkeypatch.setenv("OS_DB__CONNECTION_URL", "postgresql://another")
    file.write_text(
        "# ours\n[db]\nconnection_url = postgresql://u:a$$b%40@h/d?x=1\n"
        "[s3aas]\nsealing_keys_file=keys\n"
    )

    found = config_file.read(file)

    assert found.connection_url == "postgresql://u:a$b%40@h/d?x=1"
    assert found.sealing_keys_file == file.parent / "keys"
    assert "a$b" not in repr(found)


def test_what_it_does_not_say(file, monkeypatch):
    monkeypatch.setenv("OS_DB__CONNECTION_URL", "postgresql://another")
    file.write_text("[s3aas]\nsealing_keys_file = /etc/keys\n")
    assert config_file.read(file).connection_url is None
    assert str(config_file.read(file).sealing_keys_file) == "/etc/keys"

    file.write_text("")
    assert config_file.read(file) == config_file.Config()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"[storage]\nx = {SECRET}\n", "section [storage]"),
        (f"[DEFAULT]\nx = {SECRET}\n", "section [DEFAULT]"),
        (f"[db]\nconection_url = {SECRET}\n", "name conection_url in [db]"),
        (f"[s3aas]\nconnection_url = {SECRET}\n", "name connection_url in [s3aas]"),
        (f"[db]\n{SECRET}\n", "line 2"),
        (f"[db]\n{SECRET}@h:5432/d\n", "a line in [db] that is not name = value"),
        (f"[db\nconnection_url = {SECRET}\n", "line 1"),
        (f"connection_url = {SECRET}\n", "line 1"),
        ("[db]\nconnection_url =\n", "no value for connection_url in [db]"),
        (f"[db]\nconnection_url = $x{SECRET}\n", "$ in connection_url of [db]"),
        (f"[db]\nconnection_url = a\nconnection_url = {SECRET}\n", "twice"),
    ],
)
def test_what_nobody_would_heed_is_refused_by_its_name(file, text, told):
    file.write_text(text)

    assert told in refusal(file)


def test_a_file_that_can_not_be_read(file):
    assert "No such file" in refusal(file)
    file.mkdir()
    assert "Is a directory" in refusal(file)
    file.rmdir()
    file.write_bytes(b"[db]\n\xff\xfe")
    assert "no text" in refusal(file)
