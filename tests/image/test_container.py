"""A node with its real engine in a container: what it does, and what it refuses.

A loop device is its data disk; what needs udev or a kernel of its own is proved by the
tests of the virtual machine.
"""

import dataclasses
import json
import re

import pytest

from exordos_paas_storage.domain import capabilities
from exordos_paas_storage.nodes import engine_config, image
from tests import certificates
from tests.image import loops, trees
from tests.image import node as nodes

MIB = 1 << 20


@pytest.fixture(scope="module")
def node(applied):
    """A node that serves; every test leaves it so."""
    with nodes.running(applied) as made:
        yield made


def test_first_boot_says_that_nothing_was_delivered(node):
    assert node.first_boot == ("failed", f"{image.SETTINGS_FILE} is missing")


def test_objects_survive_a_restart(node):
    assert node.put("restart", "written before") == "written before"

    node.restart()

    assert node.get("restart") == "written before"


def test_stop_is_clean(node):
    node.box.mark()
    node.box.run("systemctl", "stop", image.ENGINE_UNIT)
    said, state = node.said(), node.state()
    result = node.box.prop(image.ENGINE_UNIT, "Result")
    node.restart()

    assert (state, result) == ("inactive", "success")
    assert not re.search("timed out|SIGKILL|Killing", said)


def test_killed_engine_is_started_again(node):
    def kill():
        node.box.run("systemctl", "kill", "--signal=KILL", image.ENGINE_UNIT)

    assert node.box.settled(kill) == "active"


def test_unit_answers_to_the_name_of_the_engine(node):
    assert node.box.prop(f"{node.engine}.service", "Id") == image.ENGINE_UNIT


def test_only_the_documented_port_listens(node):
    lines = node.box.run("ss", "-H", "-l", "-n", "-t", "-u").splitlines()

    # What listens on the loopback alone nobody reaches from outside.
    open_to_all = [line.split()[4] for line in lines if "127.0.0.1:" not in line]
    ports = {address.rpartition(":")[2] for address in open_to_all}
    assert ports == {str(image.PORT)}


def test_engine_runs_as_nobody_else(node):
    text = node.box.run("cat", f"/proc/{node.pid()}/status")
    status = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)

    assert status["Uid"].split() == [str(image.UID)] * 4
    assert status["Gid"].split() == [str(image.GID)] * 4
    assert status["Umask"] == "0077"
    assert int(status["CapBnd"], 16) == 0
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"


def test_engine_writes_nowhere_but_on_its_disk(node):
    def write(folder):
        words = f"nsenter --target {node.pid()} --mount setpriv --reuid {image.UID}"
        words += f" --regid {image.GID} --clear-groups touch {folder}/probe"
        return node.box.run(*words.split(), check=False)

    assert write(image.DATA_DIR) == ""
    node.box.run("rm", f"{image.DATA_DIR}/probe")
    # Folders that every account may write to, or that are its own.
    node.box.run("chown", image.USER, str(image.CONFIG_DIR))
    closed = ("/run/lock", image.CONFIG_DIR, image.HOME_DIR, "/home")
    refused = [write(folder) for folder in closed]
    node.box.run("chown", "root", str(image.CONFIG_DIR))
    assert all("Read-only file system" in said for said in refused[:3]), refused
    assert "Permission denied" in refused[3]


def test_objects_are_for_the_engine_alone(node):
    open_to_others = ["-perm", "/077", "-not", "-type", "l"]
    words = ["find", str(image.DATA_DIR), "-mindepth", "1", *open_to_others]

    assert node.box.run(*words) == ""


def test_health_tells_and_restarts_nothing(node):
    before = node.health()
    node.box.run("systemctl", "stop", image.ENGINE_UNIT)
    node.box.mark()
    stopped = node.health()
    node.box.says(
        image.HEALTH_UNIT,
        f"not ready: {image.ENGINE_UNIT} is inactive; nothing listens at http",
    )
    state = node.state()
    node.restart()

    assert (before, stopped, state) == ("inactive", "failed", "inactive")


def test_health_tells_what_the_engine_answers(node):
    url = f"http://127.0.0.1:{image.PORT}/nothing/of/that/name"
    script = f"EXORDOS_S3_READY_URL={url} {image.LIB_DIR}/check-health; echo $?"

    said = node.box.run("sh", "-c", script)

    assert re.search(rf"{image.ENGINE_UNIT} is active; {url} answers 40\d", said)
    assert said.endswith("\n1")


def test_health_is_asked_again_and_again(node):
    assert node.box.prop(image.HEALTH_TIMER, "ActiveState") == "active"


def test_delivered_certificate_makes_it_speak_tls_alone(node):
    issued = certificates.issue(nodes.ADDRESS)
    node.configure(image.files(node.engine, node.secrets, issued.certificate))

    written = node.put("sealed", "by TLS", issued)
    plain = node.box.run(
        *("curl", "--silent", "--show-error", "--output", "/dev/null"),
        *("--write-out", "%{http_code}", f"http://127.0.0.1:{image.PORT}/"),
        check=False,
    )
    node.configure()

    assert written == "by TLS"
    assert plain.endswith(("400", "000")), plain
    assert node.get("sealed") == "by TLS"


def test_disk_is_let_go_before_it_is_unmounted(node):
    node.box.run("systemctl", "stop", image.MOUNT_UNIT)

    assert node.state() == "inactive"
    assert node.box.prop(image.ENGINE_UNIT, "Result") == "success"
    assert node.box.prop(image.MOUNT_UNIT, "Result") == "success"
    node.restart()


def test_disk_that_grew_is_used(node):
    before = size(node)
    node.disk.grow(3 * loops.GIB)

    node.box.run("systemctl", "start", image.DATA_GROW_UNIT)

    node.box.says(image.DATA_GROW_UNIT, f"{image.DATA_MOUNT} grew from")
    assert size(node) - before > 900 * MIB
    assert node.state() == "active"
    assert image.DATA_GROW_UNIT in node.box.prop(image.MOUNT_UNIT, "Wants")


def test_missing_disk_is_told_and_a_new_one_found(node):
    node.box.detach(node.disk)
    state, said = node.box.on_change(), node.refusal()
    node.box.says(image.DATA_DISK_UNIT, f"no disk has the label {image.DATA_LABEL}")
    node.box.attach(node.disk)

    assert state == "failed"
    assert said == f"{image.DATA_MOUNT} is not mounted"
    node.restart()


def test_damaged_binary_is_told_and_not_run(node):
    binary = trees.inside(node.box.tree, image.LIB_DIR / node.engine)
    whole = binary.rename(binary.with_suffix(".whole"))
    damaged = bytearray(whole.read_bytes())
    damaged[len(damaged) // 2] ^= 0xFF
    binary.write_bytes(damaged)
    binary.chmod(0o755)
    state, said = node.box.on_change(), node.refusal()
    whole.replace(binary)

    assert state == "failed"
    assert said == f"{image.LIB_DIR / node.engine} is damaged"
    node.restart()


def test_folder_of_another_account_is_told(node):
    node.box.run("chown", "root:root", str(image.DATA_DIR))
    state, said = node.box.on_change(), node.refusal()
    node.box.run("chown", f"{image.UID}:{image.GID}", str(image.DATA_DIR))

    assert state == "failed"
    assert said == f"{image.DATA_DIR} is not owned by {image.USER}"
    node.restart()


def delivered(node, path, **changes):
    """One of the node's files, changed."""
    file = next(file for file in node.files if file.path == path)
    return dataclasses.replace(file, **changes)


SECRET = image.SECRETS_DIR / engine_config.SECRET_KEY_FILE
KEY = image.SECRETS_DIR / engine_config.ACCESS_KEY_FILE


def other_engine(node):
    """Settings for the engine that the image has not."""
    other = next(name for name in capabilities.ENGINES if name != node.engine)
    files = image.files(other, node.secrets)
    return next(file for file in files if file.path == image.SETTINGS_FILE)


def with_plain_credential(node):
    """Settings that name a secret and not its file."""
    name = engine_config.PLAIN_CREDENTIALS[node.engine][0]
    settings = delivered(node, image.SETTINGS_FILE)
    content = f"{settings.content}{name}={node.secrets.secret_key}\n"
    return dataclasses.replace(settings, content=content)


WRONG = {
    "empty secret": (lambda node: delivered(node, SECRET, content=""), "is empty"),
    "owner": (lambda node: delivered(node, SECRET, owner="root"), "is not owned by"),
    "mode": (lambda node: delivered(node, SECRET, mode="0640"), "has mode 640"),
    "default": (
        lambda node: delivered(node, KEY, content="rustfsadmin"),
        "holds a published default",
    ),
    "other engine": (other_engine, "is for another engine"),
    "credential in settings": (with_plain_credential, "is set directly"),
}


def test_each_wrong_delivery_is_told_until_the_right_one_comes(node):
    told = {}
    for name, (wrong, rule) in WRONG.items():
        # The right files mend what was wrong before, and `wrong` comes on top.
        state = node.box.deliver([*node.files, wrong(node)])
        status = node.box.prop(image.ENGINE_UNIT, "ExecMainStatus")
        told[name] = (state, status, rule in node.refusal())
    node.configure()

    assert told == dict.fromkeys(WRONG, ("failed", str(image.REFUSED_STATUS), True))


def test_no_secret_came_into_the_journal(node):
    journal = node.box.run("journalctl", "-o", "json", "--output-fields=MESSAGE")
    said = [json.loads(line)["MESSAGE"] for line in journal.splitlines()]

    assert len(said) > 100
    for secret in dataclasses.astuple(node.secrets)[1:]:
        assert not [line for line in said if secret in line]


def size(node):
    """Of the data disk's file system, bytes."""
    shown = node.box.run("df", "--output=size", "--block-size=1", str(image.DATA_MOUNT))
    return int(shown.splitlines()[-1])
