"""Installing the element: which commands are given, and what is waited for."""

import json

import pytest
from s3aas_element import install

from exordos_paas_storage.domain import errors

SERVED = "http://10.20.0.1:8081/"
ADDRESS = "http://10.20.0.1:8081/exordos-elements/"


class Platform:
    """The platform's command line, as far as an installation uses it.

    Its answers are those of exordos 3.2.29, seen on a whole platform.
    """

    def __init__(self, *, known=False, installed=None, reads=1, fails=None):
        self.known, self.installed, self.fails = known, installed, fails
        # So many looks until Core has read the repository, and the element is there.
        self.reads, self.settles = reads, 2
        self.given = []

    def __call__(self, *words):
        self.given.append(words)
        if self.fails and words[:2] == self.fails:
            return 1, "a line before\nError: it does not work\n"
        if words[:2] == ("repo", "show"):
            return (0, "{}") if self.known else (1, "Error: [404] RecordNotFound")
        if words[:3] == ("repo", "elements", "list"):
            self.reads -= 1
            return 0, json.dumps(self._rows("0.1.1") if self.reads < 0 else [])
        if words[:2] == ("ee", "list"):
            return 0, json.dumps(self._rows(self.installed) if self.installed else [])
        if words[:2] in (("ee", "install"), ("ee", "update")):
            self.installed = words[4]
        return 0, ""

    def _rows(self, version):
        other = {"name": "core", "version": "0.3.5", "status": "ACTIVE"}
        return [other, {"name": "s3aas", "version": version, "status": self._status()}]

    def _status(self):
        self.settles -= 1
        return "IN_PROGRESS" if self.settles > 0 else "ACTIVE"

    def told(self, *start):
        return [words for words in self.given if words[: len(start)] == start]


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(install, "_POLL_S", 0.0)


def test_a_new_platform_gets_the_repository_and_then_the_element():
    platform = Platform(reads=3)

    install.install(platform, SERVED, "0.1.1", 5.0)

    (added,) = platform.told("repo", "add")
    assert ADDRESS in added and install.REPOSITORY in added
    assert len(platform.told("repo", "elements", "list")) == 4
    assert platform.told("ee", "install") == [("ee", "install", "s3aas", "-v", "0.1.1")]
    assert not platform.told("ee", "update") and not platform.told("repo", "update")


def test_another_version_is_updated_and_the_address_brought_up_to_date():
    platform = Platform(known=True, installed="0.1.0")

    install.install(platform, SERVED, "0.1.1", 5.0)

    (moved,) = platform.told("repo", "update")
    assert moved[-1] == ADDRESS
    (updated,) = platform.told("ee", "update")
    assert updated == ("ee", "update", "s3aas", "-v", "0.1.1", "--yes")
    assert not platform.told("ee", "install") and not platform.told("repo", "add")


def test_what_is_installed_already_is_left():
    platform = Platform(known=True, installed="0.1.1")

    install.install(platform, SERVED, "0.1.1", 5.0)

    assert not platform.told("ee", "install") and not platform.told("ee", "update")


@pytest.mark.parametrize(
    "fails", [("repo", "add"), ("repo", "refresh"), ("ee", "install")]
)
def test_a_command_that_fails_is_named_with_its_reason(fails):
    with pytest.raises(errors.SetupError, match="it does not work") as told:
        install.install(Platform(fails=fails), SERVED, "0.1.1", 5.0)

    assert str(told.value).startswith(f"exordos {' '.join(fails)}")


def test_a_repository_that_core_can_not_read_is_told():
    with pytest.raises(errors.SetupError, match=r"finds no s3aas 0\.1\.1 at http"):
        install.install(Platform(reads=10_000_000), SERVED, "0.1.1", 0.05)


def test_an_element_that_never_settles_is_told():
    platform = Platform()
    platform.settles = 10_000_000

    with pytest.raises(errors.SetupError, match="is not ACTIVE"):
        install.install(platform, SERVED, "0.1.1", 0.05)
