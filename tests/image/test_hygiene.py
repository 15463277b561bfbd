"""Every rule on a finished image finds what it is for, and nothing in a clean one."""

import os
import shutil
import subprocess

import pytest
from click.testing import CliRunner
from node_image import __main__ as cli
from node_image import filesystem, hygiene, private_keys

from exordos_paas_storage.domain import errors
from exordos_paas_storage.nodes import image
from tests.image import clean_tree, small_disk

UNITS = "/etc/systemd/system"


def write(path, content="x", mode=0o644):
    return lambda tree: clean_tree.write(tree, path, content).chmod(mode)


def folder(path, mode, uid=0, gid=0):
    return lambda tree: clean_tree.folder(tree, path, mode, uid, gid)


def link(path, target):
    return lambda tree: (tree / path.lstrip("/")).symlink_to(target)


def gone(path):
    def remove(tree):
        place = tree / str(path).lstrip("/")
        shutil.rmtree(place) if place.is_dir() else place.unlink()

    return remove


def line(path, text):
    def append(tree):
        with (tree / path.lstrip("/")).open("a") as file:
            file.write(f"{text}\n")

    return append


def enable(unit):
    return lambda tree: clean_tree.enable(tree, unit)


# The rule, what is planted, and of which path it is said.
PLANTED = [
    ("identities", write("/root/.ssh/authorized_keys"), "/root/.ssh/authorized_keys"),
    ("identities", write("/home/a/.ssh/id_rsa"), "/home/a/.ssh/id_rsa"),
    (
        "identities",
        write("/etc/ssh/ssh_host_rsa_key.pub"),
        "/etc/ssh/ssh_host_rsa_key.pub",
    ),
    ("identities", write("/etc/machine-id", "1" * 32), "/etc/machine-id"),
    ("identities", gone("/etc/machine-id"), "/etc/machine-id"),
    ("identities", write("/var/lib/dbus/machine-id"), "/var/lib/dbus/machine-id"),
    (
        "traces",
        write("/var/lib/apt/lists/a_InRelease"),
        "/var/lib/apt/lists/a_InRelease",
    ),
    ("traces", write("/var/cache/apt/pkgcache.bin"), "/var/cache/apt/pkgcache.bin"),
    ("traces", write("/var/log/dpkg.log"), "/var/log/dpkg.log"),
    ("traces", write("/root/.bash_history"), "/root/.bash_history"),
    ("leftovers", write("/tmp/ansible-x/y"), "/tmp/ansible-x/y"),
    ("leftovers", write("/var/tmp/x"), "/var/tmp/x"),
    ("leftovers", write("/var/lib/cloud/x"), "/var/lib/cloud/x"),
    ("leftovers", write("/root/.ansible/tmp/x"), "/root/.ansible/tmp/x"),
    ("leftovers", write("/run/x"), "/run/x"),
    ("leftovers", write("/opt/.ansible/x"), "/opt/.ansible"),
    (
        "leftovers",
        write("/var/lib/systemd/random-seed"),
        "/var/lib/systemd/random-seed",
    ),
    ("leftovers", write("/etc/shadow-"), "/etc/shadow-"),
    ("open_to_all", write("/etc/x", mode=0o666), "/etc/x"),
    ("open_to_all", folder("/srv/x", 0o777), "/srv/x"),
    ("layout", folder(image.SECRETS_DIR, 0o755, 0, image.GID), image.SECRETS_DIR),
    ("layout", folder(image.TLS_DIR, 0o750), image.TLS_DIR),
    ("layout", gone(image.HOME_DIR), image.HOME_DIR),
    ("layout", gone(f"{UNITS}/{image.MOUNT_UNIT}"), f"{UNITS}/{image.MOUNT_UNIT}"),
    ("layout", folder(image.DATA_MOUNT, 0o755, image.UID), image.DATA_MOUNT),
    ("layout", write(image.DATA_MOUNT / "data" / "x"), image.DATA_MOUNT / "data" / "x"),
    ("layout", write(image.SETTINGS_FILE), image.SETTINGS_FILE),
    ("layout", write(image.SECRETS_DIR / "kms-key"), image.SECRETS_DIR / "kms-key"),
    ("layout", write(image.LIB_DIR / "x", mode=0o664), image.LIB_DIR / "x"),
    (
        "engine_as_recorded",
        write(image.LIB_DIR / "minio", "another"),
        image.LIB_DIR / "minio",
    ),
    ("engine_as_recorded", gone(image.LIB_DIR / "minio"), image.LIB_DIR / "minio"),
    (
        "engine_as_recorded",
        gone(image.LIB_DIR / "engine.json"),
        image.LIB_DIR / "engine.json",
    ),
    ("privileged", write("/usr/bin/x", mode=0o4755), "/usr/bin/x"),
    ("privileged", write("/usr/bin/y", mode=0o2755), "/usr/bin/y"),
    ("accounts", line("/etc/shadow", "debian:$y$j9T$x:1::::::"), "/etc/shadow"),
    ("accounts", line("/etc/shadow", "debian::1::::::"), "/etc/shadow"),
    ("accounts", line("/etc/passwd", "debian:x:1000:1000::/:/bin/bash"), "/etc/passwd"),
    ("accounts", line("/etc/passwd", "toor:x:0:0::/:/usr/sbin/nologin"), "/etc/passwd"),
    ("accounts", write("/etc/passwd", "root:x:0:0::/:/bin/sh\n"), "/etc/passwd"),
    ("accounts", folder("/home/debian", 0o755), "/home/debian"),
    ("accounts", write("/etc/sudoers.d/90-debian"), "/etc/sudoers.d/90-debian"),
    (
        "units",
        enable("ssh.service"),
        f"{UNITS}/multi-user.target.wants/ssh.service",
    ),
    (
        "units",
        gone(f"{UNITS}/multi-user.target.wants/{image.ENGINE_UNIT}"),
        f"{UNITS}/{image.ENGINE_UNIT}",
    ),
]


@pytest.fixture
def tree(tmp_path):
    return clean_tree.make(tmp_path / "tree")


@pytest.fixture
def key():
    """A private key as ssh-keygen writes it, of no use to anybody."""
    body = "\n".join(["b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMw"] * 4)
    return f"-----BEGIN OPENSSH PRIVATE KEY-----\n{body}\n-----END\n"


def findings(tree, tmp_path, base=hygiene.DEBIAN):
    files = filesystem.Filesystem(small_disk.filesystem(tree, tmp_path / "files"))
    return hygiene.of_files(files, base)


def test_nothing_is_found_in_a_clean_image(tree, tmp_path):
    assert findings(tree, tmp_path) == []


@pytest.mark.parametrize(
    ("rule", "plant", "path"), PLANTED, ids=[f"{each[0]}:{each[2]}" for each in PLANTED]
)
def test_what_is_wrong_is_found(rule, plant, path, tree, tmp_path):
    plant(tree)

    assert (rule, str(path)) in [
        (each.rule, each.path) for each in findings(tree, tmp_path)
    ]


def test_every_rule_was_proved():
    rules = {rule.__name__ for rule in (*hygiene.RULES, *hygiene.RULES_OF_DEBIAN)}

    assert rules == {rule for rule, _, _ in PLANTED}


def test_a_finding_says_path_and_reason(tree, tmp_path):
    write("/etc/x", mode=0o666)(tree)

    (found,) = findings(tree, tmp_path)

    assert str(found) == "/etc/x: has mode 0666: all may write to it (open_to_all)"


def test_a_masked_unit_is_not_enabled(tree, tmp_path):
    link(f"{UNITS}/getty.target", "/dev/null")(tree)

    assert findings(tree, tmp_path) == []


def test_the_platforms_base_keeps_its_accounts_and_units(tree, tmp_path):
    enable("ssh.service")(tree)
    folder("/home/ubuntu", 0o755)(tree)
    line("/etc/passwd", "ubuntu:x:1000:1000::/home/ubuntu:/bin/bash")(tree)
    assert findings(tree, tmp_path, hygiene.EXORDOS) == []

    write("/etc/machine-id", "1" * 32)(tree)
    assert [each.rule for each in findings(tree, tmp_path, hygiene.EXORDOS)] == [
        "identities"
    ]


def test_a_key_in_a_file_is_found_by_its_content(tree, tmp_path, key):
    clean_tree.write(tree, "/usr/share/a/harmless.txt", key)
    raw = small_disk.disk(tree, tmp_path / "raw")

    (found,) = hygiene.findings(raw)

    assert (found.rule, found.path) == ("keys_on_disk", "/usr/share/a/harmless.txt")


def test_a_key_in_a_deleted_file_is_found(tree, tmp_path, key):
    clean_tree.write(tree, "/usr/share/a/deleted.txt", key)
    raw = small_disk.disk(tree, tmp_path / "raw")
    small_disk.change(raw, "rm /usr/share/a/deleted.txt")

    (found,) = hygiene.findings(raw)

    assert (found.rule, found.path) == ("keys_on_disk", "free space")


def test_keys_that_everybody_has_do_not_count(tree, tmp_path, key):
    clean_tree.write(tree, "/usr/lib/x86_64-linux-gnu/libgnutls.so.30.34.3", key)

    assert hygiene.findings(small_disk.disk(tree, tmp_path / "raw")) == []


@pytest.mark.parametrize("before", [-200, -20, 0, 20])
def test_a_key_across_two_blocks_is_found_once(before, tmp_path, key):
    begin = private_keys._BLOCK_BYTES + before
    disk = tmp_path / "disk"
    disk.write_bytes(b"\0" * begin + key.encode())

    assert list(private_keys.offsets(disk)) == [begin]


def test_the_words_alone_are_no_key(tmp_path):
    disk = tmp_path / "disk"
    disk.write_bytes(
        b"-----BEGIN OPENSSH PRIVATE KEY-----\nno base64 here, a program\n"
    )

    assert list(private_keys.offsets(disk)) == []


def test_a_disk_without_a_file_system_is_said(tmp_path):
    raw = tmp_path / "raw"
    raw.write_bytes(b"\0" * (4 << 20))

    with pytest.raises(errors.SetupError, match="sfdisk"):
        hygiene.findings(raw)

    subprocess.run(
        ["sfdisk", "--quiet", raw], input=b"label: dos\n2048,,83\n", check=True
    )
    with pytest.raises(errors.SetupError, match="is it the raw"):
        hygiene.findings(raw)


def test_the_files_are_read_as_they_are(tree, tmp_path):
    os.chown(clean_tree.write(tree, "/etc/a name", "x"), 7, 8)
    raw = small_disk.disk(tree, tmp_path / "raw")

    files = filesystem.of_disk(raw)

    entry = files.get("/etc/a name")
    assert (entry.uid, entry.gid, entry.permissions, entry.size) == (7, 8, 0o644, 1)
    assert files.read("/etc/passwd") == clean_tree.PASSWD
    (enabled,) = [e for path, e in files.entries.items() if path.name == "fstrim.timer"]
    assert files.target(enabled) == "/lib/systemd/system/fstrim.timer"


def test_the_command_lists_and_fails(tree, tmp_path):
    clean = small_disk.disk(tree, tmp_path / "clean")
    done = CliRunner().invoke(cli.main, ["hygiene", str(clean)])
    assert (done.exit_code, done.output) == (0, "")

    write("/var/log/dpkg.log")(tree)
    dirty = small_disk.disk(tree, tmp_path / "dirty")
    done = CliRunner().invoke(cli.main, ["hygiene", str(dirty)])
    assert (done.exit_code, done.output) == (
        1,
        "/var/log/dpkg.log: is a log (traces)\n",
    )


@pytest.mark.machine
def test_nothing_is_wrong_with_the_real_image(finished):
    assert hygiene.findings(finished.raw) == []
