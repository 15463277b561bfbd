"""The template of Packer: it is valid for both bases, and its machine is closed in."""

import dataclasses
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from node_image import accelerator, bases, build, engine, packer

from exordos_paas_storage.domain import errors
from tests.box import runs, wait_until

CHECKSUM = f"sha256:{'0' * 64}"
# Stands in for QEMU: keeps its arguments and its number, and does what comes then.
FAKE_QEMU = """\
#!/bin/sh
case "$*" in *-version*) exec {real} -version ;; esac
echo "$*" >{kept}/arguments
echo "${{TMPDIR:?}}" >{kept}/scratch
echo $$ >{kept}/number
{then}
"""

# Builds in a process of its own, which can be killed.
BUILD = "import pickle, sys\nfrom node_image import packer\n" + (
    "packer.build(*pickle.load(sys.stdin.buffer))"
)


@pytest.fixture
def work(tmp_path):
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


@pytest.fixture
def dummy(tmp_path):
    """A disk without content."""
    disk = tmp_path / "dummy.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", disk, "8M"], check=True)
    return disk


@pytest.fixture
def debian(dummy, tmp_path):
    key = tmp_path / "key"
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True
    )
    return bases.Base(
        kind="debian",
        disk=str(dummy),
        checksum=f"sha256:{engine.sha256_of(dummy)}",
        disk_size="16M",
        user="root",
        key=key,
        seed=None,
        network="isolated",
        about={},
    )


@pytest.fixture
def exordos(dummy, tmp_path):
    (tmp_path / "exordos").mkdir()
    return bases.exordos(str(dummy), CHECKSUM, tmp_path / "exordos")


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Puts a QEMU of ours before the real one; the folder of what it kept."""

    def put(then):
        program = tmp_path / "bin" / "qemu-system-x86_64"
        program.parent.mkdir()
        real = shutil.which("qemu-system-x86_64")
        program.write_text(FAKE_QEMU.format(real=real, kept=tmp_path, then=then))
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
        monkeypatch.setattr(packer.command, "PATH", os.environ["PATH"])
        return tmp_path

    return put


def variables(base, work):
    (work / "extra_vars.json").write_text("{}")
    return build.packer_variables(base, accelerator.TCG, work, work)


def test_the_template_is_formatted():
    packer.check_format()


def test_a_template_that_is_not_formatted_is_refused(tmp_path, monkeypatch):
    shutil.copytree(packer.TEMPLATE, tmp_path / "packer")
    template = tmp_path / "packer" / "image.pkr.hcl"
    template.write_text(template.read_text().replace("  iso_url  ", "iso_url"))
    monkeypatch.setattr(packer, "TEMPLATE", tmp_path / "packer")

    with pytest.raises(errors.SetupError, match="iso_url"):
        packer.check_format()


@pytest.mark.parametrize("name", ["debian", "exordos"])
def test_the_template_is_valid(name, work, request):
    packer.validate(variables(request.getfixturevalue(name), work), work)


@pytest.mark.parametrize(
    "wrong",
    [
        {"base_checksum": "sha256:none"},
        {"disk_size": "large"},
        {"playbook": "/nonexistent/image.yml"},
        {"ssh_private_key_file": "/nonexistent/key"},
        {"cleanup": "/nonexistent/cleanup.sh"},
        {"accelerator": "magic"},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_a_wrong_value_is_refused(wrong, debian, work):
    right = variables(debian, work)

    with pytest.raises(errors.SetupError, match="packer ended with 1"):
        packer.validate(dataclasses.replace(right, **wrong), work)


def test_every_variable_of_the_template_is_given(debian, work):
    template = (packer.TEMPLATE / "image.pkr.hcl").read_text()
    asked = {
        line.split('"')[1]
        for line in template.splitlines()
        if line.startswith("variable ")
    }

    assert asked == {field.name for field in dataclasses.fields(packer.Variables)}


def test_current_packers_fetch_their_plugins(debian, work, monkeypatch):
    ran = []
    monkeypatch.setattr(packer, "version", lambda: (1, 9, 2))
    monkeypatch.setattr(packer.command, "run", lambda argv, **_: ran.append(argv))

    packer.validate(variables(debian, work), work)

    (init, validate) = ([str(word) for word in argv] for argv in ran)
    assert init == ["packer", "init", validate[-1]]
    plugins = (Path(validate[-1]) / "plugins.pkr.hcl").read_text()
    assert "required_plugins" in plugins


def test_packer_1_6_gets_no_plugins(debian, work, monkeypatch):
    ran = []
    monkeypatch.setattr(packer, "version", lambda: (1, 6, 6))
    monkeypatch.setattr(packer.command, "run", lambda argv, **_: ran.append(argv))

    packer.validate(variables(debian, work), work)

    assert [argv[:2] for argv in ran] == [["packer", "validate"]]
    assert [path.name for path in (work / "template").iterdir()] == ["image.pkr.hcl"]


def test_the_machine_is_reached_from_here_alone_and_reaches_nobody(
    debian, work, machine
):
    kept = machine("exit 1")

    with pytest.raises(errors.SetupError, match=r"packer ended with 1; see .*log"):
        packer.build(variables(debian, work), work, work / "log")

    words = (kept / "arguments").read_text().split()
    networks = [words[at + 1] for at, word in enumerate(words) if word == "-netdev"]
    assert len(networks) == 1
    assert networks[0].startswith("user,id=user.0,restrict=on,hostfwd=tcp:127.0.0.1:")
    assert "{{" not in networks[0]
    assert "accel=tcg" in " ".join(words)


def test_the_seed_of_the_platforms_base_is_told_by_the_bios(exordos, work, machine):
    kept = machine("exit 1")
    checked = f"sha256:{engine.sha256_of(Path(exordos.disk))}"
    exordos = dataclasses.replace(exordos, checksum=checked, disk_size="16M")

    with pytest.raises(errors.SetupError):
        packer.build(variables(exordos, work), work, work / "log")

    said = (kept / "arguments").read_text()
    assert "type=1,serial=ds=nocloud-net;s=http://10.0.2.2:" in said
    assert "restrict=on" not in said


def test_a_build_that_takes_too_long_leaves_nothing_running(
    debian, work, machine, monkeypatch
):
    kept = machine("exec sleep 600")
    monkeypatch.setattr(packer, "_BUILD_LIMIT_S", 0.5)
    wait = subprocess.Popen.wait

    def wait_for_the_machine(process, timeout=None):
        # The limit counts from when the machine runs.
        while timeout == packer._BUILD_LIMIT_S and not (kept / "number").exists():
            assert process.poll() is None
        return wait(process, timeout)

    monkeypatch.setattr(subprocess.Popen, "wait", wait_for_the_machine)

    with pytest.raises(errors.SetupError, match="did not end"):
        packer.build(variables(debian, work), work, work / "log")

    assert not runs(int((kept / "number").read_text()))
    assert not Path((kept / "scratch").read_text().strip()).exists()


def test_a_killed_build_takes_packer_and_the_machine_with_it(debian, work, machine):
    kept = machine("exec sleep 600")
    told = pickle.dumps((variables(debian, work), work, work / "log"))
    builds = subprocess.Popen(
        [sys.executable, "-c", BUILD],
        stdin=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    builds.stdin.write(told)
    builds.stdin.close()
    number = kept / "number"
    wait_until(lambda: number.exists() and number.read_text().strip())
    running = psutil.Process(builds.pid).children(recursive=True)
    assert int(number.read_text()) in [found.pid for found in running]

    builds.kill()

    builds.wait()
    _, alive = psutil.wait_procs(running, 30)
    assert alive == []


def test_a_wrong_disk_is_refused_by_its_checksum(debian, work, machine):
    kept = machine("exit 1")
    wrong = dataclasses.replace(debian, checksum=CHECKSUM)

    with pytest.raises(errors.SetupError, match=r"(?i)checksum"):
        packer.build(variables(wrong, work), work, work / "log")

    assert not (kept / "arguments").exists()


@pytest.mark.parametrize("checksum", [None, "", "none", "sha256:abc", "0" * 64])
def test_the_platforms_base_needs_a_checksum(checksum, tmp_path):
    with pytest.raises(errors.SetupError, match="--base-checksum"):
        bases.exordos("https://repo/exordos-base.qcow2", checksum, tmp_path)


def test_cloud_init_gets_the_key_of_the_build(exordos):
    data = (exordos.seed / "user-data").read_text()

    assert data.startswith("#cloud-config\n")
    assert exordos.key.with_name("id_ed25519.pub").read_text().strip() in data


def test_another_program_of_that_name_is_noticed(monkeypatch):
    monkeypatch.setattr(packer.command, "run", lambda argv, **_: "cracklib")

    with pytest.raises(errors.SetupError, match="'cracklib'"):
        packer.version()
