"""A tree of Debian, as a tar: checked in a container, and what a disk is made from.

It is made by mmdebstrap from the packages and files named here and from one state of a
mirror, and kept by both: the same recipe and state give the same tree.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from exordos_paas_storage.domain import errors
from node_image import command, lock, mirror

HERE = Path(__file__).resolve().parent
# Everything on a node, and nothing for a person at a terminal. Python stays: Ansible
# needs it, and so do xfsprogs and growpart.
PACKAGES = (
    "ca-certificates",
    "cloud-guest-utils",  # growpart
    "curl",
    "dbus",
    "e2fsprogs",
    "fdisk",
    "initramfs-tools",
    "iproute2",
    "kmod",
    "linux-image-cloud-amd64",
    "netbase",
    "openssh-server",  # for the build; off in the finished image
    "python3",
    "python3-apt",
    "systemd-resolved",
    "systemd-sysv",
    "systemd-timesyncd",
    "udev",
    "usr-is-merged",  # in the place of usrmerge, which needs all of Perl
    "util-linux",
    "xfsprogs",
    "zstd",
)
# Licences stay, manuals go.
_DPKG = (
    "path-exclude=/usr/share/man/*",
    "path-exclude=/usr/share/doc/*",
    "path-exclude=/usr/share/locale/*",
    "path-include=/usr/share/doc/*/copyright",
)
_APT = ('APT::Install-Recommends "false"',)
# Folders such as /bin are links from the start; see `usr-is-merged`.
_HOOKS = "/usr/share/mmdebstrap/hooks/merged-usr"
_LIMIT_S = 900.0
# A run that began with an older tree goes on with it.
_KEPT = 2


@dataclass(frozen=True)
class Recipe:
    """What a tree is made of beside the mirror.

    Attributes:
        files: path and sha256 of each file that is laid over the packages, and
            whether it is a program.
        script: the shell script that ends the work.
    """

    release: str
    packages: tuple[str, ...]
    dpkg: tuple[str, ...]
    apt: tuple[str, ...]
    hooks: str
    files: tuple[tuple[str, str, bool], ...]
    script: str

    def digest(self) -> str:
        """The sha256 of all of it."""
        return hashlib.sha256(json.dumps(asdict(self)).encode()).hexdigest()


def recipe() -> Recipe:
    """The recipe as the files of this folder have it now."""
    over = HERE / "tree"
    files = sorted(path for path in over.rglob("*") if path.is_file())
    return Recipe(
        release=mirror.RELEASE,
        packages=PACKAGES,
        dpkg=_DPKG,
        apt=_APT,
        hooks=_HOOKS,
        files=tuple(
            (str(path.relative_to(over)), _sha256(path), _is_program(path))
            for path in files
        ),
        script=(HERE / "tree.sh").read_text(),
    )


def tree(cache: Path, named_mirror: str | None = None) -> Path:
    """The tar of the tree, made where it is not in the cache.

    Its `.json` beside it says what it was made from. Where the mirror does not answer,
    the newest tree of the same recipe is taken.

    Raises:
        SetupError: it can't be made: no root, no tool, no mirror.
    """
    cache.mkdir(parents=True, exist_ok=True)
    made = recipe()
    # Two runs at once make one tree.
    with lock.alone(cache):
        try:
            state = mirror.read(named_mirror)
        except mirror.NotReachable:
            if named_mirror or not (before := _of_recipe(cache, made)):
                raise
            return before
        key = "-".join([made.digest(), *sorted(state.checksums())])
        name = f"tree-{hashlib.sha256(key.encode()).hexdigest()[:16]}.tar"
        if not (cache / name).is_file():
            _make(cache, name, made, state)
            _forget(cache)
        os.utime(cache / name)
        return cache / name


def made_from(tar: Path) -> dict[str, Any]:
    """The recipe's digest and the mirror's state of a tree."""
    return dict(json.loads(tar.with_suffix(".json").read_text()))


def _make(cache: Path, name: str, made: Recipe, state: mirror.State) -> None:
    if os.geteuid() != 0:
        raise errors.SetupError("a tree of Debian is made by root: run as root")
    with lock.part(cache) as folder:
        _mmdebstrap(folder, made, state)
        seen = {_sha256(path) for path in (folder / "lists").iterdir()}
        if seen != state.checksums():
            raise errors.SetupError(
                "the mirror changed while the tree was made: run it again"
            )
        about = {"recipe": made.digest(), "mirror": state.as_json()}
        said = folder / "tree.json"
        said.write_text(json.dumps(about, indent=2) + "\n")
        said.replace((cache / name).with_suffix(".json"))
        (folder / "tree.tar").replace(cache / name)


def _mmdebstrap(folder: Path, made: Recipe, state: mirror.State) -> None:
    """Write `tree.tar`, and the signed lists that apt used into `lists`."""
    (folder / "lists").mkdir()
    script = folder / "tree.sh"
    script.write_text(made.script)
    # Owners and modes must not depend on who checked the files out.
    as_root = ["--owner=0", "--group=0", "--numeric-owner", "--mode=u=rwX,go=rX"]
    over = folder / "over.tar"
    command.run(["tar", "-C", HERE / "tree", *as_root, "-cf", over, "."])
    argv = [
        *("mmdebstrap", "--quiet", "--mode=root", "--variant=minbase"),
        f"--hook-dir={made.hooks}",
        # By its name alone it would make a folder of `.tar.part` and the like.
        "--format=tar",
        f"--include={','.join(made.packages)}",
        *(f"--aptopt={option}" for option in made.apt),
        *(f"--dpkgopt={option}" for option in made.dpkg),
        f"--customize-hook=tar-in {over} /",
        f'--customize-hook=sh {script} "$1" {folder / "lists"}',
        *(made.release, str(folder / "tree.tar"), "-"),
    ]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(state.newest())}
    sources = "".join(f"{line}\n" for line in state.sources())
    command.run(argv, limit_s=_LIMIT_S, env=environment, stdin=sources)


def _newest_first(cache: Path) -> list[Path]:
    return sorted(cache.glob("tree-*.tar"), key=lambda tar: -tar.stat().st_mtime)


def _of_recipe(cache: Path, made: Recipe) -> Path | None:
    digest = made.digest()
    fitting = (
        tar for tar in _newest_first(cache) if made_from(tar)["recipe"] == digest
    )
    return next(fitting, None)


def _forget(cache: Path) -> None:
    for old in _newest_first(cache)[_KEPT:]:
        old.unlink()
        old.with_suffix(".json").unlink(missing_ok=True)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _is_program(path: Path) -> bool:
    return bool(path.stat().st_mode & 0o100)
