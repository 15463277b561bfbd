"""Installing the element: which commands are given, and what is waited for."""

import httpx
import pytest
from s3aas_element import install, served

from exordos_paas_storage.domain import errors
from tests.unit.core_cli import (
    ADDRESS,
    OLD,
    RELEASE,
    SERVED,
    Platform,
    serves,
)


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(install, "_POLL_S", 0.0)


def test_a_new_platform_gets_the_repository_and_then_the_element():
    platform = Platform(reads=3)

    install.install(platform, SERVED, "0.1.1", 5.0)

    (added,) = platform.told("repo", "add")
    assert ADDRESS in added and install.REPOSITORY in added
    words = [" ".join(each[:2]) for each in platform.given]
    # Before it is there, when it is new, when it is taken up, and to see what it is.
    assert words[: words.index("ee install")].count("repo elements") == 6
    ours = f"{install.REPOSITORY} 0.1.1"
    assert platform.told("ee", "install") == [("ee", "install", ours)]
    assert not platform.told("ee", "update") and not platform.told("repo", "update")


def test_another_version_is_updated_and_the_address_brought_up_to_date():
    platform = Platform(
        repositories=[(install.REPOSITORY, "s3aas", OLD)], installed="0.1.0"
    )

    install.install(platform, SERVED, "0.1.1", 5.0)

    (moved,) = platform.told("repo", "update")
    assert moved == ("repo", "update", install.REPOSITORY, "--repo-url", ADDRESS)
    (updated,) = platform.told("ee", "update")
    assert updated == ("ee", "update", "s3aas", "-v", "0.1.1", "--yes")
    assert not platform.told("ee", "install") and not platform.told("repo", "add")


def test_what_is_installed_already_is_left():
    platform = Platform(
        repositories=[(install.REPOSITORY, "s3aas", ADDRESS)], installed="0.1.1"
    )

    install.install(platform, SERVED, "0.1.1", 5.0, serves(*RELEASE))

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


@pytest.mark.parametrize("served_at", [SERVED, ADDRESS, ADDRESS.rstrip("/")])
def test_the_address_is_taken_with_and_without_its_last_folder(served_at):
    platform = Platform()

    install.install(platform, served_at, "0.1.1", 5.0)

    (added,) = platform.told("repo", "add")
    assert added[-1] == ADDRESS


@pytest.mark.parametrize(
    ("known", "name", "address"),
    [
        ("by-hand", "s3aas", OLD),
        ("by-hand", "s3aas", ADDRESS),
        ("by-hand", "another", ADDRESS),
        (install.REPOSITORY, "another", OLD),
    ],
)
def test_a_repository_that_is_there_is_gone_on_with(known, name, address):
    """Core takes neither id, name nor address twice; one may be added by hand."""
    platform = Platform(repositories=[(known, name, address)])

    install.install(platform, SERVED, "0.1.1", 5.0)

    assert not platform.told("repo", "add")
    assert platform.told("repo", "refresh") == [("repo", "refresh", known)]
    moved = platform.told("repo", "update", known, "--repo-url", ADDRESS)
    assert bool(moved) == (address != ADDRESS)


def test_a_foreign_repository_is_left():
    platform = Platform(repositories=[("foreign", "another", OLD)])
    platform.repositories.insert(0, (install.REPOSITORY, "s3aas", ADDRESS))

    install.install(platform, SERVED, "0.1.1", 5.0)

    assert not platform.told("repo", "update")


@pytest.mark.parametrize("sound", [[], ["inventory.json"]])
def test_what_is_no_release_is_told(sound):
    release = serves(*RELEASE)

    def look(address):
        return release(address) if address.removeprefix(ADDRESS) in sound else "<html>"

    with pytest.raises(errors.SetupError, match=r"has no release|is no list"):
        install.install(Platform(), SERVED, "0.1.1", 5.0, look)


def test_a_repository_that_can_not_be_read_from_here_is_told(monkeypatch):
    def refuses(*arguments, **options):
        raise httpx.ConnectError("refused")

    monkeypatch.setattr(served.httpx, "get", refuses)

    with pytest.raises(errors.SetupError, match=r"can't be read from here .*refused"):
        install.install(Platform(), SERVED, "0.1.1", 5.0, served.read)


@pytest.mark.parametrize("version", ["0.1.1", "0.2.0"])
def test_an_address_that_has_nothing_is_told_before_core_gets_it(version):
    def nothing(address):
        raise errors.SetupError(f"{address} can't be read from here")

    look = nothing if version == "0.1.1" else serves(*RELEASE)
    platform = Platform(repositories=[(install.REPOSITORY, "s3aas", OLD)])

    with pytest.raises(errors.SetupError, match=r"can't be read|and no 0\.2\.0"):
        install.install(platform, SERVED, version, 5.0, look)

    assert platform.given == []


def test_an_element_that_is_being_removed_is_waited_for_and_installed_anew():
    """Core marks the release in the call, and its row stays for a while."""
    platform = Platform(leaves=3)

    install.install(platform, SERVED, "0.1.1", 5.0)

    words = [each[:2] for each in platform.given]
    assert words[: words.index(("ee", "install"))].count(("ee", "list")) == 4
    assert platform.installed == "0.1.1"


def test_an_element_that_is_never_removed_is_told():
    platform = Platform(leaves=10_000_000)

    with pytest.raises(errors.SetupError, match="was uninstalled, and Core still has"):
        install.install(platform, SERVED, "0.1.1", 0.05)

    assert not platform.told("ee", "install")


@pytest.mark.parametrize("installed", [None, "0.1.1"])
def test_what_core_can_not_resolve_is_told_with_what_is_required(installed):
    """Core says so in its log alone, and no element is there to be shown."""
    platform = Platform(installed=installed, resolves=False)

    with pytest.raises(errors.SetupError, match=r"metapaas from_version 1\.3\.0"):
        install.install(platform, SERVED, "0.1.1", 0.05)


def test_another_release_that_core_has_not_begun_with_is_told_at_once():
    """Core takes neither an installation nor an update then."""
    platform = Platform(installed="0.1.0", resolves=False)

    with pytest.raises(errors.SetupError, match=r"0\.1\.0 is to be .* ee uninstall"):
        install.install(platform, SERVED, "0.1.1", 5.0)

    assert not platform.told("ee", "install") and not platform.told("ee", "update")
