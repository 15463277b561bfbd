"""The port's promises about buckets."""

import contextlib

import pytest

from exordos_paas_storage.domain import capabilities, errors, state
from exordos_paas_storage.engine import s3
from exordos_paas_storage.engine.connect import connect
from exordos_paas_storage.engine.memory import MemoryEngine
from tests import engines
from tests.contract.made import made_bucket, unique


def test_an_unknown_bucket_is_none(engine):
    assert engine.bucket(unique("bucket")) is None


def test_a_created_bucket_is_read_back_with_defaults(engine):
    name = made_bucket(engine)

    assert engine.bucket(name) == state.Bucket(name)


def test_every_bucket_is_listed(engine):
    names = {made_bucket(engine) for _ in range(3)}
    assert names <= engine.buckets()

    gone = names.pop()
    engine.drop_bucket(gone)

    assert gone not in engine.buckets() and names <= engine.buckets()


@pytest.mark.parametrize("name", engines.available())
def test_an_engine_with_an_empty_disk_says_that_it_has_no_bucket(name, tmp_path):
    with engines.running(name, tmp_path) as (url, root):
        assert connect(name, "", url, root).buckets() == frozenset()


def test_creating_a_bucket_again_keeps_its_settings(engine):
    name = made_bucket(engine)
    engine.set_versioning(name, True)

    engine.create_bucket(name)

    assert engine.bucket(name) == state.Bucket(name, versioning=True)


def test_versioning_is_enabled_and_suspended(engine):
    name = made_bucket(engine)

    engine.set_versioning(name, True)
    engine.set_versioning(name, True)
    assert engine.bucket(name) == state.Bucket(name, versioning=True)

    engine.set_versioning(name, False)
    engine.set_versioning(name, False)
    assert engine.bucket(name) == state.Bucket(name, versioning=False)


def test_suspending_what_never_was_on_leaves_no_delete_markers(real):
    name, client = made_bucket(real.engine), real.s3(real.root)

    real.engine.set_versioning(name, False)
    client.put_object(Bucket=name, Key="x", Body=b"1")
    client.delete_object(Bucket=name, Key="x")

    assert real.engine.count_objects(name, 10) == 0


def test_encryption_is_set_and_cleared(engine):
    name = made_bucket(engine)

    engine.set_encryption(name, "aes256")
    engine.set_encryption(name, "aes256")
    assert engine.bucket(name) == state.Bucket(name, encryption="aes256")

    engine.set_encryption(name, "none")
    engine.set_encryption(name, "none")
    assert engine.bucket(name) == state.Bucket(name)


def test_an_unknown_encryption_changes_nothing(engine):
    name = made_bucket(engine)
    engine.set_encryption(name, "aes256")

    with pytest.raises(AssertionError):
        engine.set_encryption(name, "rot13")

    assert engine.bucket(name).encryption == "aes256"


def test_encryption_is_effective_where_it_is_set(engine):
    name = made_bucket(engine)
    assert not engine.encryption_effective(name)

    engine.set_encryption(name, "aes256")
    assert engine.encryption_effective(name)


@pytest.mark.parametrize("versioning", [(), (True,), (True, False)])
def test_the_encryption_probe_leaves_nothing(engine, versioning):
    name = made_bucket(engine)
    for enabled in versioning:
        engine.set_versioning(name, enabled)

    engine.encryption_effective(name)

    assert engine.count_objects(name, 10) == 0
    engine.drop_bucket(name)


@pytest.mark.parametrize("name", engines.available())
def test_without_a_master_key_encryption_is_not_effective(name, tmp_path):
    no_key = {"MINIO_KMS_SECRET_KEY": "", "RUSTFS_SSE_S3_MASTER_KEY": ""}
    with engines.running(name, tmp_path, no_key) as (url, root):
        engine = connect(name, "", url, root)
        bucket = made_bucket(engine)
        with contextlib.suppress(errors.EngineRefused):  # MinIO; RustFS takes it
            engine.set_encryption(bucket, "aes256")

        assert not engine.encryption_effective(bucket)
        assert engine.count_objects(bucket, 10) == 0


def test_a_dropped_bucket_is_gone(engine):
    name = made_bucket(engine)
    engine.set_versioning(name, True)

    engine.drop_bucket(name)

    assert engine.bucket(name) is None
    engine.drop_bucket(name)


def test_a_bucket_made_anew_has_no_settings_of_the_old_one(engine):
    name = made_bucket(engine)
    engine.set_versioning(name, True)
    engine.set_encryption(name, "aes256")
    engine.drop_bucket(name)

    engine.create_bucket(name)

    assert engine.bucket(name) == state.Bucket(name)


def test_a_bucket_with_an_object_is_not_dropped(real):
    name = made_bucket(real.engine)
    real.s3(real.root).put_object(Bucket=name, Key="x", Body=b"1")

    with pytest.raises(errors.BucketNotEmpty):
        real.engine.drop_bucket(name)

    assert real.engine.bucket(name) == state.Bucket(name)
    assert real.engine.count_objects(name, 10) == 1


def test_a_bucket_with_a_delete_marker_alone_is_not_dropped(real):
    name, client = made_bucket(real.engine), real.s3(real.root)
    real.engine.set_versioning(name, True)
    put = client.put_object(Bucket=name, Key="x", Body=b"1")
    client.delete_object(Bucket=name, Key="x")
    client.delete_object(Bucket=name, Key="x", VersionId=put["VersionId"])

    with pytest.raises(errors.BucketNotEmpty):
        real.engine.drop_bucket(name)

    assert real.engine.count_objects(name, 10) == 1


def test_the_bucket_in_memory_keeps_the_same_promise():
    engine = MemoryEngine(capabilities.of(capabilities.MINIO, ""))
    name = made_bucket(engine)
    engine.put_object(name)
    engine.put_object(name)

    with pytest.raises(errors.BucketNotEmpty):
        engine.drop_bucket(name)

    assert [engine.count_objects(name, most) for most in (0, 1, 9)] == [0, 1, 2]


def test_objects_versions_and_markers_are_counted_up_to_a_limit(real, monkeypatch):
    name, client = made_bucket(real.engine), real.s3(real.root)
    real.engine.set_versioning(name, True)
    for key in ("a", "a", "b", "c/d"):
        client.put_object(Bucket=name, Key=key, Body=b"1")
    client.delete_object(Bucket=name, Key="b")
    monkeypatch.setattr(s3, "_PAGE", 2)

    counts = [real.engine.count_objects(name, most) for most in (0, 1, 4, 5, 100)]

    assert counts == [0, 1, 4, 5, 5]


@pytest.mark.parametrize(
    "call",
    [
        lambda engine, name: engine.set_versioning(name, True),
        lambda engine, name: engine.set_encryption(name, "aes256"),
        lambda engine, name: engine.encryption_effective(name),
        lambda engine, name: engine.count_objects(name, 1),
    ],
)
def test_a_bucket_that_is_not_there_is_refused_not_read_as_empty(engine, call):
    with pytest.raises(errors.EngineRefused) as caught:
        call(engine, unique("bucket"))

    assert caught.value.code == "NoSuchBucket"
