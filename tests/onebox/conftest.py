"""Services started by the real command, and an account that is nobody's."""

import contextlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import pytest

from tests import box, engines

NOBODY = 65534
_IMPORT = "import exordos_paas_storage.onebox.commands"
_LEFT_OUT = {"site-packages", "test", "idlelib", "ensurepip", "lib2to3", "turtledemo"}


@pytest.fixture(scope="session", params=engines.available())
def service(request):
    """A running service for tests that leave it as it was."""
    with box.made(request.param) as made:
        made.up()
        yield made


@pytest.fixture
def new_box():
    """Make boxes, nothing started; each is stopped and removed at the end."""
    with contextlib.ExitStack() as boxes:

        def make(engine=None, caller=None):
            engine = engine or engines.available()[0]
            return boxes.enter_context(box.made(engine, caller))

        yield make


@pytest.fixture(scope="session")
def ordinary():
    """An ordinary user who can start the service: nobody, or who runs the tests."""
    if os.geteuid() != 0:
        yield box.Caller()
        return
    top = Path(tempfile.mkdtemp(prefix="s3-", dir="/tmp"))
    top.chmod(0o755)
    try:
        caller = box.Caller(sys.executable, NOBODY)
        if not works(caller):
            caller = box.Caller(*copied(top))
            assert works(caller)
        yield with_engines(caller, top)
    finally:
        shutil.rmtree(top)


def works(caller):
    """Whether the account of `caller` can run its interpreter and the product."""
    command = [caller.python, "-c", _IMPORT]
    try:
        answer = subprocess.run(
            command,
            env={"PATH": os.defpath, **caller.environ},
            cwd="/",
            capture_output=True,
            check=False,
            **caller.options(),
        )
    except PermissionError:
        return False
    return answer.returncode == 0


def copied(top):
    """The interpreter and all it imports where every account can read them.

    An interpreter finds its library beside itself, so that a copy is one of its own.
    """
    real = Path(os.path.realpath(sys.executable))
    name = Path(sysconfig.get_path("stdlib")).name
    copy(Path(sysconfig.get_path("stdlib")), top / "lib" / name, _LEFT_OUT)
    for library in Path(sysconfig.get_config_var("LIBDIR")).glob("libpython*.so*"):
        link(library, top / "lib" / library.name)
    python = top / "bin" / real.name
    python.parent.mkdir()
    link(real, python)
    packages, repository = top / "packages", top / "repository"
    copy(Path(sysconfig.get_path("purelib")), packages)
    for folder in ("exordos_paas_storage", "migrations"):
        copy(Path(__file__).parents[2] / folder, repository / folder)
    environ = {
        "PYTHONPATH": f"{repository}{os.pathsep}{packages}",
        "LD_LIBRARY_PATH": str(top / "lib"),
    }
    return str(python), NOBODY, environ


def with_engines(caller, top):
    """The same, with each engine's binary where the account can read it."""
    named = {}
    for name in engines.available():
        path = top / "engines" / name
        path.parent.mkdir(exist_ok=True)
        link(Path(engines.binary(name)), path)
        named[f"EXORDOS_STORAGE_{name.upper()}"] = str(path)
    return box.Caller(caller.python, caller.uid, {**caller.environ, **named})


def copy(source, target, left_out=frozenset()):
    """Copy a tree by hard links where they serve; folders are open to all."""
    for folder, folders, files in os.walk(source):
        folders[:] = [name for name in folders if name not in left_out]
        made = target / Path(folder).relative_to(source)
        made.mkdir(parents=True)
        made.chmod(0o755)
        for name in files:
            link(Path(folder, name), made / name)


def link(source, target):
    """A hard link, or a copy that all can read where no link is that."""
    source = source.resolve()
    if source.stat().st_mode & 0o004:
        with contextlib.suppress(OSError):
            os.link(source, target)
            return
    shutil.copy(source, target)
    target.chmod(target.stat().st_mode | 0o444)
