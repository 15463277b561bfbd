"""What the role leaves in a tree: files, accounts, units."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from exordos_paas_storage.nodes import image
from tests.image import play, trees

UNITS = Path("etc/systemd/system")
SCRIPTS = ("start-engine", "prepare-data-disk", "grow-data-disk", "check-health")
# The most that systemd may find to object to, tenths of its scale from 0 to 10. The
# last two work on disks as root.
EXPOSURE = {
    image.ENGINE_UNIT: 15,
    image.HEALTH_UNIT: 13,
    image.DATA_GROW_UNIT: 25,
    image.DATA_DISK_UNIT: 29,
}


@pytest.fixture(scope="module")
def tree(applied):
    """The tree, not to be changed."""
    with applied.layers.copy() as mounted:
        yield mounted


def test_second_play_changes_nothing(applied):
    assert applied.first.ok, applied.first.output
    assert applied.first.changed > 0
    assert applied.second.ok, applied.second.output
    assert applied.second.changed == 0, applied.second.output


def test_engine_is_the_recorded_one(applied, tree):
    given = play.variables(applied.engine)
    lib = trees.inside(tree, image.LIB_DIR)

    sha256 = hashlib.sha256((lib / applied.engine).read_bytes()).hexdigest()

    assert sha256 == given["engine_sha256"]
    assert (lib / f"{applied.engine}.sha256").read_text().split()[0] == sha256
    assert json.loads((lib / "engine.json").read_text()) == {
        "engine": applied.engine,
        "version": given["engine_version"],
        "sha256": sha256,
        "provenance": given["engine_provenance"],
    }


def test_account_has_its_number_and_no_login(tree):
    lines = (tree / "etc/passwd").read_text().splitlines()
    account = next(line for line in lines if line.startswith(f"{image.USER}:"))

    assert account.split(":")[2:4] == [str(image.UID), str(image.GID)]
    assert account.endswith(f":{image.HOME_DIR}:/usr/sbin/nologin")
    shadow = (tree / "etc/shadow").read_text().splitlines()
    hashed = next(line for line in shadow if line.startswith(f"{image.USER}:"))
    assert hashed.split(":")[1].startswith("!")


@pytest.mark.parametrize(
    ("path", "owner", "mode"),
    [
        (image.LIB_DIR, (0, 0), 0o755),
        *((image.LIB_DIR / name, (0, 0), 0o755) for name in SCRIPTS),
        (image.CONFIG_DIR, (0, image.GID), 0o750),
        (image.SECRETS_DIR, (0, image.GID), 0o750),
        (image.TLS_DIR, (0, image.GID), 0o750),
        (image.HOME_DIR, (image.UID, image.GID), 0o750),
        (image.DATA_MOUNT, (0, 0), 0o755),
    ],
    ids=str,
)
def test_engine_can_write_its_home_alone(tree, path, owner, mode):
    found = trees.inside(tree, path).stat()

    assert (found.st_uid, found.st_gid) == owner
    assert found.st_mode & 0o7777 == mode


def test_every_folder_that_files_are_delivered_to_is_there(tree):
    folders = {image.SETTINGS_FILE.parent, image.SECRETS_DIR, image.TLS_DIR}

    assert all(trees.inside(tree, folder).is_dir() for folder in folders)


def test_units_start_by_themselves(applied, tree):
    units = tree / UNITS
    wanted = {
        f"multi-user.target.wants/{image.ENGINE_UNIT}",
        f"timers.target.wants/{image.HEALTH_TIMER}",
        f"{applied.engine}.service",
    }

    assert [name for name in wanted if not (units / name).is_symlink()] == []
    assert os.readlink(units / f"{applied.engine}.service").endswith(image.ENGINE_UNIT)


def test_nobody_can_log_in(tree):
    units = tree / UNITS

    assert os.readlink(units / "getty.target") == "/dev/null"
    assert not [*units.rglob("ssh*.service"), *units.rglob("ssh.socket")]


def test_the_clock_is_kept_and_the_journal_limited(tree):
    assert (
        tree / UNITS / "sysinit.target.wants/systemd-timesyncd.service"
    ).is_symlink()
    limits = (tree / "etc/systemd/journald.conf.d/exordos-s3.conf").read_text()
    assert "SystemMaxUse=256M" in limits


@pytest.mark.parametrize(
    "unit", [*EXPOSURE, image.MOUNT_UNIT, image.HEALTH_TIMER, "multi-user.target"]
)
def test_systemd_finds_no_mistake(tree, unit):
    found = verified(tree, unit)

    assert (found.returncode, found.stderr) == (0, "")


def test_systemd_would_find_a_mistake(changed):
    unit = changed / UNITS / image.ENGINE_UNIT
    unit.write_text(unit.read_text().replace("Type=notify", "Type=perhaps"))

    assert "perhaps" in verified(changed, image.ENGINE_UNIT).stderr


@pytest.mark.parametrize(("unit", "most"), EXPOSURE.items())
def test_units_are_confined(tree, unit, most):
    found = exposure(tree, unit, most)

    assert found.returncode == 0, found.stdout


def test_an_unconfined_unit_would_be_noticed(changed):
    unit = changed / UNITS / image.ENGINE_UNIT
    unit.write_text(unit.read_text().replace("ProtectSystem=strict\n", ""))

    most = EXPOSURE[image.ENGINE_UNIT]
    assert exposure(changed, image.ENGINE_UNIT, most).returncode != 0


def test_ansible_lint_finds_nothing(tmp_path):
    lint = Path(sys.executable).with_name("ansible-lint")
    done = subprocess.run(
        [lint, "--offline", "--profile", "production", "--strict"],
        cwd=play.ANSIBLE,
        env={
            "PATH": f"{lint.parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(tmp_path),
            "ANSIBLE_CONFIG": str(play.ANSIBLE / "ansible.cfg"),
            "ANSIBLE_HOME": str(tmp_path),
            "NO_COLOR": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def verified(tree, unit):
    """What `systemd-analyze verify` says of a unit."""
    words = ["verify", f"--root={tree}", "--man=no", "--recursive-errors=yes", unit]
    return analyzed(words)


def exposure(tree, unit, most):
    """What `systemd-analyze security` says of a unit; it fails over `most`."""
    words = ["--offline=true", f"--root={tree}", f"--threshold={most}", unit]
    return analyzed(["security", "--no-pager", *words])


def analyzed(words):
    """Run `systemd-analyze` to its end."""
    return subprocess.run(
        ["systemd-analyze", *words], capture_output=True, text=True, check=False
    )
