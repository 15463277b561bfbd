"""A platform's command line in memory, and what a web server has for it."""

import json

import yaml
from s3aas_element import image_files, install, urns

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
        leaves: so many looks until the row of what was uninstalled is gone.
        resolves: whether Core has what the element requires; it makes no row before.
        sets: images of the node sets.
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
        leaves=0,
        resolves=True,
        sets=(),
    ):
        self.repositories = [tuple(one) for one in repositories]
        self.installed, self.fails = installed, fails
        self.knows, self.elsewhere = dict(knows or {}), elsewhere
        self.above = above
        self.leaves, self.resolves, self.sets = leaves, resolves, sets
        # The repository that the installed one came from.
        self.source = "another" if elsewhere else install.REPOSITORY
        # So many looks until Core has read the repository, and the element is there.
        self.reads, self.settles = reads, 2
        self.is_refreshed = False
        self.given = []

    def __call__(self, *words):
        self.given.append(words)
        if self.fails and words[: len(self.fails)] == self.fails:
            return 1, "a line before\nError: it does not work\n"
        if words[:2] == ("ee", "install") and self.installed:
            return 1, "Error: Element with the same name is already installed\n"
        self._do(*words)
        shown = self._show(*words)
        return 0, "" if shown is None else json.dumps(shown)

    def _do(self, *words):
        match words[:2]:
            case ("repo", "add"):
                self.repositories.append((words[3], words[5], words[-1]))
            case ("repo", "refresh"):
                self.is_refreshed = True
            case ("ee", "install" | "update"):
                self._go_to(*words[2:])

    def _show(self, *words):
        match words[:3]:
            case ("repo", "list", *_):
                return self._repositories()
            case ("repo", "elements", "list"):
                return self._elements()
            case ("repo", "elements", "show"):
                return self._shown(words[3])
            case ("ee", "list", *_):
                return self._rows()
            case ("compute", "sets", "list"):
                return self._sets()
        return None

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
        """Those that Core has read before, and after a refresh the one that is new."""
        other = [self._element("0.1.1", "another")] if self.elsewhere else []
        if not self.repositories:
            return other
        ours = self.repositories[0][0]
        before = {*self.knows, *([self.installed] if self.installed else [])}
        listed = {each: self._element(each, ours) for each in sorted(before)}
        if self.is_refreshed:
            self.reads -= 1
            if self.reads < 0:
                listed.setdefault("0.1.1", self._element("0.1.1", ours))
            if self.reads == -1:
                # Core lists it before it has taken it up.
                listed["0.1.1"]["status"] = "NEW"
        return other + list(listed.values())

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
        rows = [{"name": "core", "version": "0.3.5", "status": "ACTIVE"}]
        if self.installed and self.resolves:
            status = {"version": self.installed, "status": self._status()}
            rows.append({"name": "s3aas", **status})
        if not self.installed and self.leaves > 0:
            self.leaves -= 1
            rows.append({"name": "s3aas", "version": "0.1.1", "status": "ACTIVE"})
        return rows

    def _status(self):
        self.settles -= 1
        return "IN_PROGRESS" if self.settles > 0 else "ACTIVE"

    def _sets(self):
        images = enumerate(self.sets)
        return [{"name": f"set-{number}", "image": image} for number, image in images]

    def told(self, *start):
        return [words for words in self.given if words[: len(start)] == start]


def image_of(version):
    """What manifests and node sets call a release's image."""
    return urns.image("s3aas", version, image_files.FILE)


def a_release(
    version="0.1.1", image="an image", wheel="a wheel", wheels="0.1.1", names=()
):
    """A manifest and an inventory, as `make build` writes them.

    Args:
        names: releases whose images its versions of the data plane have.
    """
    file = f"exordos_paas_storage-{wheels}-py3-none-any.whl"
    inventory = {
        "version": version,
        "index": {"configs": {}},
        "sha256": {} if image is None else {"node.raw.zst": image},
        "wheels": {file: wheel},
    }
    manifest = {
        "name": "s3aas",
        "version": version,
        "requirements": {"metapaas": {"from_version": "1.3.0"}},
        "resources": {
            "$s3aas.types.s3.versions": {
                f"of-{each}": {"image": image_of(each)} for each in names
            }
        },
    }
    return manifest, inventory


RELEASE = a_release()


def serves(manifest, inventory, listed=("0.1.0", "0.1.1")):
    """A web server with that release at the address of the repository.

    Args:
        listed: the releases that are served.
    """
    there = {
        f"{ADDRESS}s3aas/0.1.1/manifests/s3aas.yaml": yaml.safe_dump(manifest),
        f"{ADDRESS}s3aas/0.1.1/inventory.json": json.dumps(inventory),
        f"{ADDRESS}inventory.json": json.dumps(
            {"elements": {"s3aas": {version: {} for version in listed}}}
        ),
    }
    return there.__getitem__
