"""Installing the element: what is refused, though Core would take it."""

import pytest
from s3aas_element import install

from exordos_paas_storage.domain import errors
from tests.unit.core_cli import (
    ADDRESS,
    OLD,
    RELEASE,
    SERVED,
    Platform,
    a_release,
    image_of,
    serves,
)


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(install, "_POLL_S", 0.0)


def test_what_another_repository_offers_is_not_taken_for_ours():
    platform = Platform(reads=10_000_000, elsewhere=RELEASE)

    with pytest.raises(errors.SetupError, match="finds no s3aas"):
        install.install(platform, SERVED, "0.1.1", 0.05)


def test_a_release_of_another_repository_is_not_installed_in_place_of_ours():
    """As one that came from its file, which brings no image, and was uninstalled."""
    platform = Platform(elsewhere=a_release(image=None))

    install.install(platform, SERVED, "0.1.1", 5.0, serves(*RELEASE))

    assert (platform.source, platform.installed) == (install.REPOSITORY, "0.1.1")


def test_an_update_that_would_go_to_another_repositorys_release_is_refused():
    """The command line goes by priority there, and takes no id."""
    platform = an_update(elsewhere=a_release(image=None))

    with pytest.raises(errors.SetupError, match=r"0\.1\.1 \(repository another\)"):
        install.install(platform, SERVED, "0.1.1", 5.0, serves(*RELEASE))

    assert platform.installed == "0.1.0"


@pytest.mark.parametrize(
    "other", [{"elsewhere": a_release(image=None), "above": False}, {}]
)
def test_an_update_goes_to_ours_where_nothing_stands_above_it(other):
    platform = an_update(**other)

    install.install(platform, SERVED, "0.1.1", 5.0, serves(*RELEASE))

    assert (platform.source, platform.installed) == (install.REPOSITORY, "0.1.1")


def an_update(**other):
    platform = Platform(
        repositories=[(install.REPOSITORY, "s3aas", ADDRESS)],
        installed="0.1.0",
        knows={"0.1.0": a_release("0.1.0", wheels="0.1.0")},
        **other,
    )
    platform.source = install.REPOSITORY
    return platform


def test_what_was_installed_from_another_repository_is_compared():
    """As from its file, which brings no image."""
    platform = Platform(installed="0.1.1", elsewhere=a_release(image=None))

    with pytest.raises(errors.SetupError, match=r"another s3aas 0\.1\.1"):
        install.install(platform, SERVED, "0.1.1", 5.0, serves(*RELEASE))


def test_a_release_is_looked_at_once_core_has_taken_it_up():
    """To look makes Core read and write it, which another service of Core may be at."""
    platform = Platform(reads=0)

    install.install(platform, SERVED, "0.1.1", 5.0, serves(*RELEASE))

    words = [" ".join(each[:3]) for each in platform.given]
    assert words.index("repo elements show") > words.index("repo elements list") + 1


@pytest.mark.parametrize("installed", [None, "0.1.0", "0.1.1"])
@pytest.mark.parametrize(
    "known",
    [
        a_release(image=None),
        a_release(image="another"),
        a_release(wheel="another"),
        ({**RELEASE[0], "stable": False}, RELEASE[1]),
        # As releases were before they had digests.
        (RELEASE[0], {"version": "0.1.1", "index": {"configs": {}}}),
    ],
)
def test_another_release_of_a_version_that_core_has_is_refused(known, installed):
    """Core would go on with the one that it has, and call it ACTIVE."""
    platform = Platform(installed=installed, knows={"0.1.1": known})

    with pytest.raises(errors.SetupError, match=r"another s3aas 0\.1\.1 .* raise"):
        install.install(platform, SERVED, "0.1.1", 5.0, serves(*RELEASE))

    assert not platform.told("ee", "install") and not platform.told("ee", "update")


def test_another_wheel_under_the_number_of_the_installed_one_is_refused():
    platform = Platform(
        installed="0.1.0", knows={"0.1.0": a_release("0.1.0", wheel="another")}
    )

    with pytest.raises(
        errors.SetupError, match=r"another exordos_paas_storage-0\.1\.1"
    ):
        install.install(platform, SERVED, "0.1.1", 5.0, serves(*RELEASE))

    assert not platform.told("ee", "update")


def test_what_was_only_offered_before_does_not_stop_another_version():
    """Its wheel was installed by nobody."""
    platform = Platform(knows={"0.1.0": a_release("0.1.0", wheel="another")})

    install.install(platform, SERVED, "0.1.1", 5.0, serves(*RELEASE))

    assert platform.told("ee", "install")


@pytest.mark.parametrize("wheels", ["0.1.0", "0.1.1"])
def test_the_next_version_is_installed(wheels):
    """With its own wheel, or with the same one, as where only the image is new."""
    before = a_release("0.1.0", image="another", wheels=wheels)
    platform = Platform(installed="0.1.0", knows={"0.1.0": before})

    install.install(platform, SERVED, "0.1.1", 5.0, serves(*RELEASE))

    assert platform.told("ee", "update")


@pytest.mark.parametrize(
    ("installed", "earlier"), [("0.1.0", ["0.1.0"]), ("0.1.0", ["0.0.9", "0.1.0"])]
)
def test_a_release_whose_image_machines_have_must_stay_served(installed, earlier):
    """Core would drop it an hour later, and remake and resize no such machine."""
    platform = Platform(
        repositories=[(install.REPOSITORY, "s3aas", OLD)],
        installed=installed,
        knows={version: a_release(version) for version in earlier},
        sets=["urn:images:another", *map(image_of, earlier)],
    )

    with pytest.raises(errors.SetupError, match="is not served any more") as told:
        install.install(
            platform, SERVED, "0.1.1", 5.0, serves(*RELEASE, listed=["0.1.1"])
        )

    for number, version in enumerate(earlier, 1):
        assert f"{version} (by the node set set-{number})" in str(told.value)
    assert {words[1] for words in platform.given} == {"list", "elements", "sets"}


def test_many_machines_of_a_release_are_counted():
    platform = an_update(sets=[image_of("0.1.0")] * 5)

    with pytest.raises(errors.SetupError, match=r"set-1, .* set-2 and 2 more\)"):
        install.install(
            platform, SERVED, "0.1.1", 5.0, serves(*RELEASE, listed=["0.1.1"])
        )


def test_a_release_whose_image_a_version_has_must_stay_served():
    """Also where nobody has a machine of it yet."""
    release = a_release(names=["0.1.0", "0.1.1"])

    with pytest.raises(errors.SetupError, match=r"by a version in s3aas 0\.1\.1"):
        install.install(
            an_update(), SERVED, "0.1.1", 5.0, serves(*release, listed=["0.1.1"])
        )


@pytest.mark.parametrize("listed", [["0.1.1"], ["0.1.0", "0.1.1"]])
def test_a_release_may_go_that_nobody_uses_and_one_in_use_may_stay(listed):
    used = [image_of("0.1.0")] if "0.1.0" in listed else ["urn:images:another"]
    platform = an_update(sets=used)

    install.install(platform, SERVED, "0.1.1", 5.0, serves(*RELEASE, listed=listed))

    assert platform.installed == "0.1.1"


def test_a_release_of_another_repository_is_not_looked_for_in_ours():
    platform = Platform(elsewhere=a_release(), sets=[image_of("0.1.1")])

    install.install(platform, SERVED, "0.1.1", 5.0, serves(*RELEASE))

    assert platform.installed == "0.1.1"
