"""Installing the element: which commands are given, and what is waited for."""

import json

import httpx
import pytest
import yaml
from click.testing import CliRunner
from s3aas_element import __main__, install

from exordos_paas_storage.domain import errors

SERVED = "http://10.20.0.1:8081/"
ADDRESS = "http://10.20.0.1:8081/exordos-elements/"
METAPAAS = "4d657461-0000-0000-0000-000000000002"
OLD = "http://10.20.0.9/exordos-elements/"


class Platform:
    """The platform's command line, as far as an installation uses it.

    Its answers are those of exordos 3.2.29, seen on a whole platform.

    Args:
        repositories: `(id, name, address)` of those that it knows before.
        knows: what Core has of versions that it has read before.
        elsewhere: what it has of 0.1.1 by another repository, as from a file.
        above: whether that repository has a higher priority, as that of files has.
    """

    def __init__(
        self,
        *,
        repositories=(),
        installed=None,
        reads=1,
        fails=None,
        knows=None,
        elsewhere=None,
        above=True,
    ):
        self.repositories = [tuple(one) for one in repositories]
        self.installed, self.fails = installed, fails
        self.knows, self.elsewhere = dict(knows or {}), elsewhere
        self.above = above
        # The repository that the installed one came from.
        self.source = "another" if elsewhere else install.REPOSITORY
        # So many looks until Core has read the repository, and the element is there.
        self.reads, self.settles = reads, 2
        self.given = []

    def __call__(self, *words):
        self.given.append(words)
        if self.fails and words[: len(self.fails)] == self.fails:
            return 1, "a line before\nError: it does not work\n"
        if words[:2] == ("repo", "list"):
            return 0, json.dumps(self._repositories())
        if words[:2] == ("repo", "add"):
            self.repositories.append((words[3], words[5], words[-1]))
        if words[:3] == ("repo", "elements", "list"):
            self.reads -= 1
            return 0, json.dumps(self._elements())
        if words[:3] == ("repo", "elements", "show"):
            return 0, json.dumps(self._shown(words[3]))
        if words[:2] == ("ee", "list"):
            return 0, json.dumps(self._rows() if self.installed else [])
        if words[:2] in (("ee", "install"), ("ee", "update")):
            self._go_to(*words[2:])
        return 0, ""

    def _go_to(self, target, *rest):
        """By an id to that release, by a name to the first repository's that has it."""
        if target != "s3aas":
            self.source, self.installed = target.split()
            return
        self.installed = rest[1]
        sure = self.elsewhere and self.installed == "0.1.1" and self.above
        self.source = "another" if sure else self.repositories[0][0]

    def _repositories(self):
        """The own ones, and that of files; an address is what a driver has of it."""
        listed = [
            {"uuid": uuid, "project": METAPAAS, "name": name, "uri": address}
            for uuid, name, address in self.repositories
        ]
        listed = [{**one, "priority": 2048} for one in listed]
        if self.elsewhere:
            priority = 4096 if self.above else 1024
            names = {"project": "", "name": "exordos-upload-repo", "uri": ""}
            listed.append({"uuid": "another", "priority": priority, **names})
        return listed

    def _elements(self):
        """Those of every version that Core has read, and of the one that is new."""
        ours = self.repositories[0][0]
        listed = [self._element(each, ours) for each in {**self.knows, "0.1.1": None}]
        if self.reads >= 0:
            listed = []
        elif self.reads == -1:
            # Core lists it before it has taken it up.
            listed[-1]["status"] = "NEW"
        other = [self._element("0.1.1", "another")] if self.elsewhere else []
        return other + listed

    def _element(self, version, repository):
        there = (repository, version) == (self.source, self.installed)
        return {
            "uuid": f"{repository} {version}",
            "name": "s3aas",
            "version": version,
            "repository": repository,
            "status": "AVAILABLE",
            "installation state": "INSTALLED" if there else "UNINSTALLED",
        }

    def _shown(self, uuid):
        repository, version = uuid.split()
        known = self.knows.get(version, RELEASE)
        if repository == "another":
            known = self.elsewhere
        fields = {"uuid": uuid, "manifest": known[0], "inventory": known[1]}
        return [{"field": name, "value": str(fields[name])} for name in fields]

    def _rows(self):
        other = {"name": "core", "version": "0.3.5", "status": "ACTIVE"}
        ours = {"name": "s3aas", "version": self.installed, "status": self._status()}
        return [other, ours]

    def _status(self):
        self.settles -= 1
        return "IN_PROGRESS" if self.settles > 0 else "ACTIVE"

    def told(self, *start):
        return [words for words in self.given if words[: len(start)] == start]


def a_release(version="0.1.1", image="an image", wheel="a wheel", wheels="0.1.1"):
    """A manifest and an inventory, as `make build` writes them."""
    file = f"exordos_paas_storage-{wheels}-py3-none-any.whl"
    inventory = {
        "version": version,
        "index": {"configs": {}},
        "sha256": {} if image is None else {"node.raw.zst": image},
        "wheels": {file: wheel},
    }
    return {"name": "s3aas", "version": version, "stable": True}, inventory


RELEASE = a_release()


def serves(manifest, inventory):
    """A web server with that release at the address of the repository."""
    there = {
        f"{ADDRESS}s3aas/0.1.1/manifests/s3aas.yaml": yaml.safe_dump(manifest),
        f"{ADDRESS}s3aas/0.1.1/inventory.json": json.dumps(inventory),
    }
    return there.__getitem__


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(install, "_POLL_S", 0.0)


def test_a_new_platform_gets_the_repository_and_then_the_element():
    platform = Platform(reads=3)

    install.install(platform, SERVED, "0.1.1", 5.0)

    (added,) = platform.told("repo", "add")
    assert ADDRESS in added and install.REPOSITORY in added
    assert len(platform.told("repo", "elements", "list")) == 5
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


def test_what_is_no_release_is_told():
    with pytest.raises(errors.SetupError, match="has no release"):
        install.install(Platform(), SERVED, "0.1.1", 5.0, lambda address: "<html>")


def test_a_repository_that_can_not_be_read_from_here_is_told(monkeypatch):
    def refuses(*arguments, **options):
        raise httpx.ConnectError("refused")

    monkeypatch.setattr(install.httpx, "get", refuses)

    with pytest.raises(errors.SetupError, match=r"can't be read from here.*refused"):
        install.install(Platform(), SERVED, "0.1.1", 5.0, install.read)


def test_a_command_line_that_is_missing_is_named_with_its_package(tmp_path):
    """By `make install`, with nothing but a fresh machine."""
    missing = tmp_path / "exordos"
    done = CliRunner().invoke(
        __main__.main,
        ["install", "--repository", SERVED, "--exordos", f"{missing} --quiet"],
    )

    assert done.exit_code == 1 and done.exception.__class__ is SystemExit
    assert str(missing) in done.output
    assert "package exordos" in done.output and "EXORDOS=" in done.output


def test_a_command_that_hangs_ends_with_the_time_for_all(tmp_path, monkeypatch):
    monkeypatch.setattr(__main__, "_LAST_CALL_S", 0.2)
    hangs = tmp_path / "exordos"
    hangs.write_text("#!/bin/sh\nexec sleep 600\n")
    hangs.chmod(0o755)

    done = CliRunner().invoke(
        __main__.main,
        ["install", "--repository", SERVED, "--exordos", str(hangs), "--wait", "0.2"],
    )

    assert done.exit_code == 1 and done.exception.__class__ is SystemExit
    assert f"{hangs} repo list --output json does not end" in done.output
