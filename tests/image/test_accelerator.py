"""The accelerator is one with which a guest really runs."""

import os
import subprocess
import time

import pytest
from node_image import accelerator
from node_image.accelerator import KVM, TCG, Accelerator

from exordos_paas_storage.domain import errors

# Of a machine that is busy with other tests.
PATIENCE_S = 60.0


def guests():
    """The numbers of the probe's guests that run now; other runs have their own."""
    done = subprocess.run(
        ["pgrep", "--parent", str(os.getpid()), "--full", "qemu.* .*/accelerator-"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.split()


def test_a_guest_runs_a_process_and_ends(rootfs_tar):
    assert accelerator.works(TCG, rootfs_tar, PATIENCE_S)
    assert guests() == []


def test_a_guest_whose_process_fails_does_not_count(rootfs_tar, monkeypatch):
    monkeypatch.setattr(
        accelerator, "_BOOT", accelerator._BOOT.replace("/bin/true", "/bin/false")
    )

    assert not accelerator.works(TCG, rootfs_tar, PATIENCE_S)


def test_a_guest_that_hangs_is_given_up(rootfs_tar, monkeypatch):
    # It stops at the first of its work, for ever.
    stopped = Accelerator("tcg", "max")
    monkeypatch.setattr(Accelerator, "arguments", lambda self: ["-accel", "tcg", "-S"])

    began = time.monotonic()
    assert not accelerator.works(stopped, rootfs_tar, limit_s=0.5)

    assert time.monotonic() - began < PATIENCE_S
    assert guests() == []


def test_what_qemu_refuses_does_not_work(rootfs_tar):
    # The host's own CPU can't be emulated.
    assert not accelerator.works(Accelerator("tcg", "host"), rootfs_tar, PATIENCE_S)


def test_the_choice_works(rootfs_tar, monkeypatch):
    # A KVM that hangs holds up the test for as long.
    monkeypatch.setattr(accelerator, "PROBE_S", 2.0)
    found = accelerator.choose(rootfs_tar)

    assert found in (KVM, TCG)
    assert accelerator.works(found, rootfs_tar, PATIENCE_S)


def test_a_device_that_no_guest_can_use_is_not_chosen(rootfs_tar, monkeypatch):
    monkeypatch.setattr(accelerator.os, "access", lambda path, mode: True)
    monkeypatch.setattr(accelerator, "works", lambda found, tar, limit_s: False)

    assert accelerator.choose(rootfs_tar) == TCG


def test_kvm_is_chosen_where_it_works(rootfs_tar, monkeypatch):
    monkeypatch.setattr(accelerator.os, "access", lambda path, mode: True)
    monkeypatch.setattr(accelerator, "works", lambda found, tar, limit_s: found == KVM)

    assert accelerator.choose(rootfs_tar) == KVM


def test_without_the_device_nothing_is_started(rootfs_tar, monkeypatch):
    monkeypatch.setattr(accelerator.os, "access", lambda path, mode: False)
    monkeypatch.setattr(accelerator, "QEMU", "/nonexistent")

    assert accelerator.choose(rootfs_tar) == TCG


def test_qemu_that_is_missing_is_said(rootfs_tar, monkeypatch):
    monkeypatch.setattr(accelerator, "QEMU", "/nonexistent")

    with pytest.raises(errors.SetupError, match="node_image tools"):
        accelerator.works(TCG, rootfs_tar, PATIENCE_S)
