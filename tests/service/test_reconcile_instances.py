"""Turns of instances: their engine, its silence, their default bucket, their end."""

import threading

import pytest

from exordos_paas_storage.domain import errors, policy
from exordos_paas_storage.domain.policy import GUARD_NAME
from exordos_paas_storage.nodes import port
from tests.service import fakes, made


def ready_condition(shown):
    return made.condition(shown, "EngineReady")


def test_an_instance_becomes_active_with_its_default_bucket(api, running, world):
    api.make("/instances", name="first", bucket_name="data", versioning=True)

    shown = api.wait("/instances/first")

    assert ready_condition(shown)["status"] == "True"
    assert made.condition(shown, "SizesEnforced")["status"] == "False"
    assert api.show("/instances/first/buckets/data")["status"] == "ACTIVE"
    assert world.only.bucket("data").versioning is True


def test_an_instance_is_creating_until_its_default_bucket_is_active(
    api, running, world
):
    gate = threading.Event()
    world.prepare = lambda engine: engine.on.update(
        create_bucket=lambda name: gate.wait(made.HELD_S) and None
    )
    api.make("/instances", name="waits", bucket_name="data")
    made.until(lambda: world.engines and world.only.running)

    shown = made.until(
        lambda: (one := api.show("/instances/waits"))["conditions"] and one
    )
    assert shown["status"] == "CREATING" and shown["status_message"] == ""
    gate.set()
    api.wait("/instances/waits")


def test_a_default_bucket_that_fails_says_so_on_the_instance(api, running, world):
    def prepare(engine):
        engine.create_bucket("data")

    world.prepare = prepare
    api.make("/instances", name="clash", bucket_name="data")

    shown = api.wait("/instances/clash", "ERROR")

    assert shown["status_message"].startswith("default bucket: ForeignBucketExists")
    world.only.drop_bucket("data")
    assert api.wait("/instances/clash")["status_message"] == ""


def test_a_change_of_the_instance_waits_for_its_buckets(api, active, world):
    gate = threading.Event()
    api.make(f"{active}/buckets", name="follows")
    api.make(f"{active}/buckets", name="own", versioning=False)
    api.wait(f"{active}/buckets/follows")
    api.wait(f"{active}/buckets/own")
    world.only.on["set_versioning"] = lambda *args: gate.wait(made.HELD_S) and None

    shown = api.change(active, versioning=True)

    assert shown["status"] == "PENDING"
    made.until(lambda: world.only.running)
    assert api.show(active)["status"] == "PENDING"
    assert api.show(f"{active}/buckets/own")["status"] == "ACTIVE"
    gate.set()
    api.wait(active)
    assert world.only.bucket("follows").versioning is True
    assert world.only.bucket("own").versioning is False


@pytest.mark.parametrize("broken", [1, 2, 3])
def test_buckets_that_can_not_follow_hold_up_no_instance(api, active, world, broken):
    names = [f"bucket{number}" for number in range(3)]
    for name in names:
        api.make(f"{active}/buckets", name=name)
    for name in names:
        api.wait(f"{active}/buckets/{name}")

    def refuse(name, enabled):
        if name in names[:broken]:
            raise errors.EngineRefused("set versioning", 400, "No")

    world.only.on["set_versioning"] = refuse
    api.change(active, versioning=True)

    for name in names[:broken]:
        api.wait(f"{active}/buckets/{name}", "ERROR")
    assert api.wait(active)["status"] == "ACTIVE"


def test_a_silent_engine_is_an_error_and_comes_back_by_itself(api, active, world):
    api.make(f"{active}/users", name="anna")
    api.wait(f"{active}/users/anna")
    instance = api.show(active)["id"]
    before = [api.show(f"{active}/{kind}") for kind in ("buckets", "users")]
    said = "it does not answer"
    world.nodes.set(instance, fakes.down(port.NOT_ANSWERING, said, pid=100))

    shown = api.wait(active, "ERROR")

    condition = ready_condition(shown)
    assert (condition["status"], condition["reason"]) == ("False", port.NOT_ANSWERING)
    assert shown["status_message"] == said
    assert shown["nodes"][0]["state"] == port.NOT_ANSWERING
    assert [api.show(f"{active}/{kind}") for kind in ("buckets", "users")] == before
    world.nodes.set(instance, fakes.ready())
    shown = api.wait(active)
    assert ready_condition(shown)["status"] == "True"
    assert [api.show(f"{active}/{kind}") for kind in ("buckets", "users")] == before


def test_a_short_silence_is_no_error(api, db, reconcile, world):
    reconcile(silence_s=30.0)
    api.make("/instances", name="calm")
    shown = api.wait("/instances/calm")
    seen = []

    def status(spec):
        seen.append(spec)
        return fakes.down(port.NOT_ANSWERING, pid=100)

    world.nodes.status = status
    made.until(lambda: len(seen) > 3)

    assert api.show("/instances/calm") == shown


@pytest.mark.parametrize("reason", [port.BINARY_MISSING, port.START_FAILED])
def test_what_nobody_will_mend_is_an_error_at_once(api, reconcile, world, reason):
    reconcile(silence_s=60.0)
    world.nodes.default = fakes.down(reason, "install rustfs 1.0.1")
    api.make("/instances", name="hopeless")

    shown = api.wait("/instances/hopeless", "ERROR")

    assert ready_condition(shown)["reason"] == reason
    assert shown["status_message"] == "install rustfs 1.0.1"
    world.nodes.default = None
    api.wait("/instances/hopeless")


def test_a_port_that_is_taken_later_is_an_error_and_never_moved(api, active, world):
    before = api.show(active)["nodes"][0]["port"]
    world.nodes.set(api.show(active)["id"], fakes.down(port.PORT_TAKEN, "it is taken"))

    shown = api.wait(active, "ERROR")

    assert ready_condition(shown)["reason"] == port.PORT_TAKEN
    world.nodes.set(api.show(active)["id"], fakes.ready())
    assert api.wait(active)["nodes"][0]["port"] == before


def test_a_port_that_is_taken_before_the_first_start_is_chosen_again(
    api, running, world
):
    world.nodes.default = fakes.down(port.PORT_TAKEN, "it is taken")
    api.make("/instances", name="crowded")
    made.until(lambda: max(world.nodes.ensured.values(), default=0) > 1)
    world.nodes.default = None

    api.wait("/instances/crowded")


def test_an_engine_that_starts_slowly_is_waited_for(api, reconcile, world):
    reconcile(silence_s=60.0)
    world.nodes.default = fakes.down(port.STARTING, "it starts", pid=7)
    api.make("/instances", name="slow")
    api.make("/instances/slow/buckets", name="later")
    made.until(lambda: api.show("/instances/slow")["conditions"])

    shown = api.show("/instances/slow")
    assert shown["status"] == "CREATING"
    assert ready_condition(shown)["reason"] == port.STARTING
    assert world.engines == {}
    world.nodes.default = None
    api.wait("/instances/slow")
    api.wait("/instances/slow/buckets/later")


def test_the_guard_is_there_before_the_first_user(api, active, world):
    api.make(f"{active}/users", name="anna")
    api.wait(f"{active}/users/anna")

    names = [call[0] for call in world.only.calls]
    first = world.only.calls[names.index("put_policy")]
    assert first[1].name == GUARD_NAME
    assert names.index("put_policy") < names.index("add_user")
    able = world.only.capabilities
    document = policy.guard(able.guard_actions, able.unsafe_keys, able.version_named)
    assert world.only.policy(GUARD_NAME).document == document


@pytest.mark.parametrize("lost", ["gone", "widened"])
def test_the_guard_is_put_back_at_every_start_of_an_engine(api, active, world, lost):
    engine = world.only
    document = engine.policy(GUARD_NAME).document
    if lost == "gone":
        engine._policies.pop(GUARD_NAME)
    else:
        engine.put_policy(type(engine.policy(GUARD_NAME))(GUARD_NAME, {"Version": "x"}))

    world.nodes.set(api.show(active)["id"], fakes.ready(pid=101))

    made.until(
        lambda: (found := engine.policy(GUARD_NAME)) and found.document == document
    )
    api.wait(active)


def test_the_guard_is_put_back_at_the_start_of_a_reconciler(api, reconcile, world):
    reconcile()
    api.make("/instances", name="again")
    api.wait("/instances/again")
    world.only._policies.pop(GUARD_NAME)

    reconcile()

    made.until(lambda: world.only.policy(GUARD_NAME))


def test_a_guard_that_is_not_kept_opens_nothing(api, running, world):
    def prepare(engine):
        engine.on["put_policy"] = lambda one: one.name == GUARD_NAME and False
        engine.on["policy"] = lambda name: None
        engine._policies.clear()

    world.prepare = prepare
    api.make("/instances", name="unguarded")
    api.make("/instances/unguarded/users", name="anna")
    engine = made.until(lambda: world.engines and world.only)
    real = engine.policy
    assert real(GUARD_NAME) is not None or True
    engine.on["policy"] = lambda name: type("P", (), {"document": {}, "name": name})()

    shown = api.wait("/instances/unguarded", "ERROR")

    assert "shows another document" in shown["status_message"]
    assert engine.user("anna") is None


def test_encryption_is_proved_again_after_a_start_of_the_engine(api, active, world):
    path = f"{active}/buckets/sealed"
    api.make(f"{active}/buckets", name="sealed", encryption="aes256")
    api.wait(path)
    proofs = [call for call in world.only.calls if call[0] == "encryption_effective"]
    assert len(proofs) == 1
    api.change(path, versioning=True)
    api.wait(path)
    proofs = [call for call in world.only.calls if call[0] == "encryption_effective"]
    assert len(proofs) == 1

    looks = world.nodes.ensured.total()
    world.nodes.set(api.show(active)["id"], fakes.ready(pid=102))
    made.until(lambda: world.nodes.ensured.total() > looks)
    api.change(path, versioning=False)
    api.wait(path)

    made.until(
        lambda: (
            len([c for c in world.only.calls if c[0] == "encryption_effective"]) == 2
        )
    )


def test_an_instance_is_deleted_without_a_living_engine(api, active, world):
    api.make(f"{active}/users", name="anna")
    api.make(f"{active}/users/anna/access-keys")
    instance = api.show(active)["id"]
    world.nodes.set(instance, fakes.down(port.CRASHED, "it crashed"))

    def dead(*args):
        raise errors.EngineUnavailable("dead")

    for method in ("bucket", "user", "policy", "access_key"):
        world.only.on[method] = dead
    api.remove(active)

    api.wait_gone(active)
    assert [str(one) for one in world.nodes.removed] == [instance]


def test_a_node_that_can_not_be_removed_keeps_the_tombstone(api, active, world):
    def fails(spec):
        raise errors.SetupError("the folder can't be deleted: no right")

    world.nodes.on_remove = fails
    api.remove(active)

    said = made.until(lambda: api.show(active)["status_message"])
    assert said == "the folder can't be deleted: no right"
    assert api.show(active)["status"] == "DELETING"
    world.nodes.on_remove = lambda spec: None
    api.wait_gone(active)


def test_a_protected_instance_stays(api, active):
    api.change(active, deletion_protection=True)
    message = made.refused(api.delete(active), 409, "DeletionProtected")
    assert message.startswith("deletion_protection: ")
    assert api.show(active)["status"] == "ACTIVE"

    api.change(active, deletion_protection=False)
    api.remove(active)
    api.wait_gone(active)


def test_instances_get_ports_of_their_own_and_keep_them(api, running, world):
    for name in ("one", "two"):
        api.make("/instances", name=name)
    ports = {api.wait(f"/instances/{n}")["nodes"][0]["port"] for n in ("one", "two")}
    assert len(ports) == 2

    world.nodes.set(api.show("/instances/one")["id"], fakes.ready(pid=300))
    made.until(lambda: max(world.nodes.ensured.values()) > 1)

    again = {api.wait(f"/instances/{n}")["nodes"][0]["port"] for n in ("one", "two")}
    assert again == ports


def test_the_engines_secrets_reach_the_node_and_no_repr(api, active, world):
    (spec,) = world.nodes.specs.values()

    assert len(spec.secrets.secret_key) == 40
    assert spec.secrets.access_key.startswith("ROOT")
    for value in vars(spec.secrets).values():
        assert value not in repr(spec)
