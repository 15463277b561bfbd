"""What the tests of the node image share: a tree of Debian, the engines, machines."""

import pytest
from node_image import accelerator, build, command, engine, manifest, rootfs

from tests import engines
from tests.image import chroot, machine
from tests.image.applied import Plays

WORK = manifest.REPOSITORY / "build" / "node-image"


@pytest.fixture(scope="session")
def rootfs_tar():
    """The tar of the tree that images are made from, kept between runs."""
    return rootfs.tree(build.default_cache())


@pytest.fixture(scope="session")
def bare(rootfs_tar):
    """That tree, unpacked, before the role."""
    with chroot.scratch() as top:
        words = ["--numeric-owner", "--preserve-permissions", "--extract"]
        command.run(["tar", "-C", top, *words, "-f", rootfs_tar])
        yield chroot.Layers((top,))


@pytest.fixture(scope="session")
def plays(request, bare):
    """The role is being played for every engine that some test of this run needs."""
    with chroot.scratch() as top:
        made = Plays(bare, top)
        for item in request.session.items:
            params = item.callspec.params if hasattr(item, "callspec") else {}
            if "applied" in params:
                made.begin(params["applied"])
        try:
            yield made
        finally:
            made.close()


@pytest.fixture(scope="session", params=engines.available())
def applied(request, plays):
    """The tree with the role played, for each engine that is here."""
    return plays.get(request.param)


@pytest.fixture(scope="session")
def one_applied(plays):
    """The same for one engine, where they do not differ."""
    return plays.get(engines.available()[0])


@pytest.fixture
def changed(one_applied):
    """Its tree, for one test to change."""
    with one_applied.layers.copy() as mounted:
        yield mounted


def image_of(name):
    """The finished image of an engine, where `make image` puts it too."""
    return build.finished(build.Wanted(engine.at_hand(name)), WORK / name)


@pytest.fixture(scope="session", params=engines.available())
def finished(request):
    """The finished image of each engine, built where its inputs have changed."""
    return image_of(request.param)


@pytest.fixture(scope="session")
def one_finished():
    """The image of one engine, where they do not differ."""
    return image_of(engines.available()[0])


@pytest.fixture(scope="session")
def by(rootfs_tar):
    """How guests run fastest here."""
    return accelerator.choose(rootfs_tar)


@pytest.fixture
def disks(tmp_path):
    """A folder for large disks: gone with the test, unlike pytest's own."""
    with machine.folder(tmp_path) as found:
        yield found


@pytest.fixture
def boot(disks, by):
    """Makes a machine of disks; its `with` block is the time in which it has power."""
    return lambda root, *data: machine.Machine(root, data, disks, by)
