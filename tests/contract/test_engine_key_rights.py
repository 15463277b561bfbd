"""What an access key may do on a real engine, seen as its holder sees it."""

import json

import pytest

from exordos_paas_storage.domain import policy, state
from exordos_paas_storage.engine import signed
from tests.contract.made import (
    guard,
    key_id,
    made_bucket,
    made_key,
    made_user,
    refusal,
)

PUBLIC = {
    "Version": policy.VERSION,
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": ["*"]},
            "Action": ["s3:GetObject"],
            "Resource": [policy.EVERYTHING],
        }
    ],
}
AES256 = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}


def _client(real, *documents):
    return real.s3(made_key(real.engine, made_user(real.engine, *documents)))


def _guarded(real, template, *where):
    return _client(real, guard(real.engine), policy.from_template(template, *where))


def test_read_write_puts_gets_lists_and_deletes(real):
    bucket, client = made_bucket(real.engine), _guarded(real, "read-write")

    assert not refusal(client.put_object, Bucket=bucket, Key="x", Body=b"1")
    assert client.get_object(Bucket=bucket, Key="x")["Body"].read() == b"1"
    assert client.list_objects_v2(Bucket=bucket)["KeyCount"] == 1
    assert not refusal(client.delete_object, Bucket=bucket, Key="x")
    assert real.engine.count_objects(bucket, 1) == 0


@pytest.mark.parametrize("template", ["read-write", "bucket-owner"])
def test_the_guard_keeps_a_key_from_setting_buckets_up(real, template):
    bucket, client = made_bucket(real.engine), _guarded(real, template)
    assert not refusal(client.put_object, Bucket=bucket, Key="x", Body=b"1")

    refusals = [
        refusal(client.create_bucket, Bucket=f"{bucket}-own"),
        refusal(client.delete_bucket, Bucket=bucket),
        refusal(client.put_bucket_policy, Bucket=bucket, Policy=json.dumps(PUBLIC)),
        refusal(
            client.put_bucket_versioning,
            Bucket=bucket,
            VersioningConfiguration={"Status": "Enabled"},
        ),
        refusal(
            client.put_bucket_encryption,
            Bucket=bucket,
            ServerSideEncryptionConfiguration=AES256,
        ),
        refusal(client.delete_bucket_encryption, Bucket=bucket),
    ]

    assert refusals == ["AccessDenied"] * 6
    assert real.engine.bucket(bucket) == state.Bucket(bucket)
    assert real.engine.bucket(f"{bucket}-own") is None


def test_without_the_guard_a_bucket_owner_sets_buckets_up(real):
    """The test above proves the guard, not some other refusal."""
    bucket = made_bucket(real.engine)
    client = _client(real, policy.from_template("bucket-owner"))

    client.put_bucket_versioning(
        Bucket=bucket, VersioningConfiguration={"Status": "Enabled"}
    )

    assert real.engine.bucket(bucket).versioning


def test_a_guarded_key_reads_how_its_bucket_is_set_up(real):
    bucket, client = made_bucket(real.engine), _guarded(real, "bucket-owner")

    assert not refusal(client.get_bucket_location, Bucket=bucket)
    assert not refusal(client.get_bucket_versioning, Bucket=bucket)
    assert refusal(client.get_bucket_encryption, Bucket=bucket) != "AccessDenied"


def test_read_only_gets_and_does_not_put(real):
    bucket, client = made_bucket(real.engine), _guarded(real, "read-only")
    real.s3(real.root).put_object(Bucket=bucket, Key="x", Body=b"1")

    assert not refusal(client.get_object, Bucket=bucket, Key="x")
    assert refusal(client.put_object, Bucket=bucket, Key="y") == "AccessDenied"
    assert refusal(client.delete_object, Bucket=bucket, Key="x") == "AccessDenied"


def test_write_only_puts_and_does_not_get(real):
    bucket, client = made_bucket(real.engine), _guarded(real, "write-only")

    assert not refusal(client.put_object, Bucket=bucket, Key="x", Body=b"1")
    assert refusal(client.get_object, Bucket=bucket, Key="x") == "AccessDenied"
    assert refusal(client.list_objects_v2, Bucket=bucket) == "AccessDenied"


def test_backup_keeps_what_a_versioned_bucket_held(real):
    bucket, client = made_bucket(real.engine), _guarded(real, "backup")
    real.engine.set_versioning(bucket, True)
    put = client.put_object(Bucket=bucket, Key="x", Body=b"1")

    assert not refusal(client.delete_object, Bucket=bucket, Key="x")
    assert (
        refusal(
            client.delete_object, Bucket=bucket, Key="x", VersionId=put["VersionId"]
        )
        == "AccessDenied"
    )
    assert real.engine.count_objects(bucket, 10) == 2


def test_a_bucket_and_prefix_confine_a_template(real):
    bucket, other = made_bucket(real.engine), made_bucket(real.engine)
    client = _guarded(real, "read-write", bucket, "in/")

    assert not refusal(client.put_object, Bucket=bucket, Key="in/x", Body=b"1")
    assert not refusal(client.list_objects_v2, Bucket=bucket, Prefix="in/")
    assert refusal(client.put_object, Bucket=bucket, Key="out/x") == "AccessDenied"
    assert refusal(client.put_object, Bucket=other, Key="in/x") == "AccessDenied"
    assert refusal(client.list_objects_v2, Bucket=bucket) == "AccessDenied"
    assert refusal(client.list_objects_v2, Bucket=bucket, Prefix="o") == "AccessDenied"


def test_a_key_follows_its_users_policies_at_once(real):
    bucket = made_bucket(real.engine)
    user = made_user(real.engine, policy.from_template("read-write"))
    client = real.s3(made_key(real.engine, user))
    assert not refusal(client.put_object, Bucket=bucket, Key="x", Body=b"1")

    real.engine.map_policies(user, frozenset())
    assert refusal(client.get_object, Bucket=bucket, Key="x") == "AccessDenied"


def test_adding_a_key_again_replaces_its_secret_and_keeps_its_rights(real):
    bucket = made_bucket(real.engine)
    user = made_user(real.engine, policy.from_template("read-write"))
    old = made_key(real.engine, user)
    new = state.Credentials(old.access_key, "n" * 40)

    key = state.AccessKey(old.access_key, user, "rotated")
    real.engine.add_access_key(key, new.secret_key)

    put = {"Bucket": bucket, "Key": "x", "Body": b"1"}
    assert refusal(real.s3(old).put_object, **put) == "SignatureDoesNotMatch"
    assert not refusal(real.s3(new).put_object, **put)


def test_a_disabled_key_is_of_no_use_until_it_is_enabled(real):
    bucket = made_bucket(real.engine)
    user = made_user(real.engine, policy.from_template("read-write"))
    keys = state.Credentials(key_id(), "k" * 40)
    key = state.AccessKey(keys.access_key, user, enabled=False)
    put = {"Bucket": bucket, "Key": "x", "Body": b"1"}

    real.engine.add_access_key(key, keys.secret_key)
    assert refusal(real.s3(keys).put_object, **put)

    enabled = state.AccessKey(keys.access_key, user, enabled=True)
    real.engine.add_access_key(enabled, keys.secret_key)
    assert not refusal(real.s3(keys).put_object, **put)


def test_a_dropped_key_and_the_key_of_a_dropped_user_are_of_no_use(real):
    user = made_user(real.engine, policy.from_template("read-write"))
    dropped, orphan = made_key(real.engine, user), made_key(real.engine, user)

    real.engine.drop_access_key(dropped.access_key)
    assert refusal(real.s3(dropped).list_buckets) == "InvalidAccessKeyId"

    real.engine.drop_user(user)
    assert refusal(real.s3(orphan).list_buckets) == "InvalidAccessKeyId"


# Of a key that may delete below `out/` alone.
ELSEWHERE = [
    "out/../in/a",
    "out/../../{other}/a",
    "out/./../in/a",
    "../{other}/a",
    "./in/a",
    "out/..",
    "out/../.",
    "..",
    ".",
]


@pytest.mark.parametrize("form", ["normal", "read-only"])
def test_a_key_in_a_list_to_delete_leads_nowhere_else(real, form):
    """MinIO takes the keys in that body for paths; elsewhere it refuses such keys."""
    engine, able = real.engine, real.engine.capabilities
    bucket, other = made_bucket(engine), made_bucket(engine)
    root = real.s3(real.root)
    root.put_object(Bucket=bucket, Key="in/a", Body=b"1")
    root.put_object(Bucket=other, Key="a", Body=b"1")
    held = able.guard_actions if form == "normal" else able.read_actions
    allowed = {
        "Effect": "Allow",
        "Action": ["s3:DeleteObject", "s3:DeleteObjectVersion"],
        "Resource": [f"arn:aws:s3:::{bucket}/out/*"],
    }
    client = _client(
        real,
        policy.guard(held, able.unsafe_keys, able.version_named),
        {"Version": policy.VERSION, "Statement": [allowed]},
    )
    named = [{"Key": key.format(other=other)} for key in ELSEWHERE]

    for one in named:
        refusal(client.delete_objects, Bucket=bucket, Delete={"Objects": [one]})
    refusal(client.delete_objects, Bucket=bucket, Delete={"Objects": named})

    assert root.list_objects_v2(Bucket=bucket)["KeyCount"] == 1
    assert root.list_objects_v2(Bucket=other)["KeyCount"] == 1


def test_keys_with_dots_in_them_are_everyday_keys(real):
    bucket, client = made_bucket(real.engine), _guarded(real, "read-write")

    for key in ("a..b", "..a", "a/.b", ".hidden", "a/b..", "v1.2/x.tar.gz"):
        assert not refusal(client.put_object, Bucket=bucket, Key=key, Body=b"1"), key
        answer = client.delete_objects(
            Bucket=bucket, Delete={"Objects": [{"Key": key}]}
        )
        assert not answer.get("Errors"), (key, answer)
    assert real.engine.count_objects(bucket, 1) == 0


@pytest.mark.parametrize("template", ["read-write", "write-only", "backup"])
def test_an_upload_replaces_no_version(real, template):
    """Both engines take the version's id with an upload, and write over its content."""
    bucket = made_bucket(real.engine)
    real.engine.set_versioning(bucket, True)
    root = real.s3(real.root)
    version = root.put_object(Bucket=bucket, Key="x", Body=b"first")["VersionId"]
    documents = (guard(real.engine), policy.from_template(template))
    keys = made_key(real.engine, made_user(real.engine, *documents))
    http = signed.SignedHttp(real.url)

    def put(params):
        path = f"/{bucket}/x"
        answer = http.send("put", "PUT", path, params, signer=keys, body=b"second")
        return answer.status_code

    assert put({"versionId": version}) == 403
    assert put({"versionId": "null"}) == 403
    assert put({}) == 200
    found = root.get_object(Bucket=bucket, Key="x", VersionId=version)
    assert found["Body"].read() == b"first"


def test_an_old_version_is_restored_by_a_copy(real):
    bucket, client = made_bucket(real.engine), _guarded(real, "read-write")
    real.engine.set_versioning(bucket, True)
    version = client.put_object(Bucket=bucket, Key="x", Body=b"first")["VersionId"]
    client.put_object(Bucket=bucket, Key="x", Body=b"second")

    client.copy_object(
        Bucket=bucket,
        Key="x",
        CopySource={"Bucket": bucket, "Key": "x", "VersionId": version},
    )

    assert client.get_object(Bucket=bucket, Key="x")["Body"].read() == b"first"
