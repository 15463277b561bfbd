"""The contract's own example with boto3, on a service started by its command."""

import os
import re
import socket
import uuid
from pathlib import Path

import httpx
import psutil
import pytest
from botocore.exceptions import ClientError

from exordos_paas_storage.domain import capabilities, state
from exordos_paas_storage.engine import connect
from tests import box, engines

BASE = "/v1/types/s3"
C2 = {"id", "name", "status", "bucket_name", "encryption", "versioning", "nodes"}


def contract_body(name):
    """The create example of C1."""
    return {
        "name": name,
        "version": "0.0.1",
        "bucket_name": "data-bucket",
        "encryption": "aes256",
        "versioning": True,
    }


def unique(word):
    return f"{word}-{uuid.uuid4().hex[:8]}"


@pytest.fixture(scope="module")
def client(service):
    return service.client()


@pytest.fixture(scope="module")
def data(service, client):
    """The instance of the contract's example, ACTIVE."""
    name = unique("s3-data")
    client.create("/instances", contract_body(name))
    return client.wait_active(f"/instances/{name}", box.ACTIVE_S)


@pytest.fixture(scope="module")
def path(data):
    """Of the instance, by id as the contract has it."""
    return f"/instances/{data['id']}"


@pytest.fixture(scope="module")
def s3(client, data):
    """A client with a key of a user that was made without naming a policy."""
    return box.s3(data["endpoint"], *box.user_with_key(client, data["name"], "office"))


@pytest.fixture(scope="module")
def raw(service):
    """Plain HTTP as the contract writes it: a base and a Bearer token."""
    facts = service.facts()
    grant = {
        "grant_type": "password",
        "username": facts["username"],
        "password": Path(facts["password_file"]).read_text(),
        "scope": f"project:{facts['project_id']}",
    }
    answer = httpx.post(facts["token_url"], data=grant, timeout=30)
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    base = facts["api_url"] + BASE
    with httpx.Client(base_url=base, headers=headers, timeout=30) as http:
        yield http


def refused(call, *codes):
    """Assert that an engine or S3 refuses a call with one of the codes."""
    with pytest.raises(ClientError) as error:
        call()
    assert error.value.response["Error"]["Code"] in codes


def test_the_create_example_answers_as_promised(client, raw):
    name = unique("s3-data")

    answer = raw.post("/instances", json=contract_body(name))

    assert answer.status_code == 201
    found = answer.json()
    assert set(found) >= C2
    assert found["status"] in ("PENDING", "CREATING")
    assert {k: found[k] for k in contract_body(name)} == contract_body(name)
    found = client.wait_active(f"/instances/{found['id']}", box.ACTIVE_S)
    (node,) = found["nodes"]
    assert uuid.UUID(node["id"])
    assert found["endpoint"] == f"http://{node['ip']}:{node['port']}"
    box.removed(client, f"/instances/{name}")


def test_instances_are_listed(raw, data):
    answer = raw.get("/instances")

    assert answer.status_code == 200
    assert data["name"] in [found["name"] for found in answer.json()]


def test_an_instance_is_told_in_detail(raw, data):
    answer = raw.get(f"/instances/{data['id']}")

    assert answer.status_code == 200
    assert [node["ip"] for node in answer.json()["nodes"]] == ["127.0.0.1"]


def test_a_patch_reaches_the_engine_and_its_default_bucket(client, raw, service):
    name = unique("patched")
    client.create("/instances", contract_body(name))
    found = client.wait_active(f"/instances/{name}", box.ACTIVE_S)
    root = service.root(found["id"])
    s3 = box.s3(found["endpoint"], root.access_key, root.secret_key)
    body = {"versioning": False, "encryption": "none", "name": unique("renamed")}

    answer = raw.patch(f"/instances/{name}", json=body)

    assert answer.status_code == 200
    found = client.wait_active(f"/instances/{found['id']}", box.ACTIVE_S)
    assert {k: found[k] for k in body} == body
    assert s3.get_bucket_versioning(Bucket="data-bucket")["Status"] == "Suspended"
    refused(
        lambda: s3.get_bucket_encryption(Bucket="data-bucket"),
        "ServerSideEncryptionConfigurationNotFoundError",
    )
    box.removed(client, f"/instances/{found['id']}")


def test_a_deleted_instance_takes_data_process_and_port_with_it(client, raw, service):
    name = unique("doomed")
    client.create("/instances", contract_body(name))
    found = client.wait_active(f"/instances/{name}", box.ACTIVE_S)
    folder = service.state / "instances" / found["id"]
    pid = service.pid("engine", found["id"])
    assert folder.is_dir() and psutil.pid_exists(pid)

    answer = raw.delete(f"/instances/{found['id']}")

    assert answer.status_code == 204
    box.wait_until(lambda: client.find(f"/instances/{found['id']}") is None)
    assert not folder.exists()
    assert not psutil.pid_exists(pid)
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind(("127.0.0.1", found["nodes"][0]["port"]))


def test_buckets_are_made_listed_and_deleted_by_name(client, raw, path, s3):
    answer = raw.post(f"{path}/buckets", json={"name": "reports"})

    assert answer.status_code == 201
    found = client.wait_active(f"{path}/buckets/reports", box.ACTIVE_S)
    assert found["name"] == "reports"
    listed = [bucket["name"] for bucket in raw.get(f"{path}/buckets").json()]
    assert {"data-bucket", "reports"} <= set(listed)
    assert s3.put_object(Bucket="reports", Key="a", Body=b"a")["VersionId"]
    removed = client.create(f"{path}/buckets", {"name": "empty-one"})
    client.wait_active(f"{path}/buckets/{removed['name']}", box.ACTIVE_S)
    assert raw.delete(f"{path}/buckets/empty-one").status_code == 204
    box.wait_until(lambda: client.find(f"{path}/buckets/empty-one") is None)
    assert "empty-one" not in [found["Name"] for found in s3.list_buckets()["Buckets"]]


def test_users_are_made_listed_and_deleted_by_name(client, raw, path, data):
    answer = raw.post(f"{path}/users", json={"name": "guest"})

    assert answer.status_code == 201
    key = client.create(f"{path}/users/guest/access-keys", {})
    s3 = box.s3(data["endpoint"], key["access_key"], key["secret_key"])
    client.wait_active(
        f"{path}/users/guest/access-keys/{key['access_key']}", box.ACTIVE_S
    )
    s3.put_object(Bucket="data-bucket", Key="by-guest", Body=b"")
    assert "guest" in [user["name"] for user in raw.get(f"{path}/users").json()]
    assert raw.delete(f"{path}/users/guest").status_code == 204
    box.wait_until(lambda: client.find(f"{path}/users/guest") is None)
    refused(
        lambda: s3.get_object(Bucket="data-bucket", Key="by-guest"),
        "InvalidAccessKeyId",
    )


def test_keys_are_made_listed_and_deleted_by_their_id(client, raw, path, data, s3):
    keys = f"{path}/users/office/access-keys"

    answer = raw.post(keys, json={"description": "second"})

    assert answer.status_code == 201
    made = answer.json()
    assert re.fullmatch("[A-Z0-9]{20}", made["access_key"])
    assert len(made["secret_key"]) == 40
    client.wait_active(f"{keys}/{made['access_key']}", box.ACTIVE_S)
    second = box.s3(data["endpoint"], made["access_key"], made["secret_key"])
    second.put_object(Bucket="data-bucket", Key="second", Body=b"2")
    listed = raw.get(keys).json()
    assert made["access_key"] in [key["access_key"] for key in listed]
    assert made["secret_key"] not in raw.get(keys).text
    assert raw.delete(f"{keys}/{made['access_key']}").status_code == 204
    box.wait_until(lambda: client.find(f"{keys}/{made['access_key']}") is None)
    refused(second.list_buckets, "InvalidAccessKeyId")
    s3.list_buckets()


def test_the_node_answers_its_health_without_credentials(service, data):
    able = capabilities.of(data["engine"], data["engine_version"])

    answer = httpx.get(data["endpoint"] + able.health_path, timeout=30)

    assert answer.status_code == 200
    # The contract's own path, which RustFS has and MinIO has not.
    if service.engine == capabilities.RUSTFS:
        assert able.health_path == "/health"


def test_an_object_is_sealed_and_versioned_in_the_default_bucket(s3):
    s3.put_object(Bucket="data-bucket", Key="first", Body=b"hello")

    found = s3.head_object(Bucket="data-bucket", Key="first")

    assert found["ServerSideEncryption"] == "AES256"
    assert found["VersionId"] not in ("", "null")


def test_a_forged_source_address_opens_nothing(service, data):
    """X-Forwarded-For must not get through a policy's `aws:SourceIp`."""
    root = service.root(data["id"])
    engine = connect.connect(service.engine, "", data["endpoint"], root)
    secret = uuid.uuid4().hex + "12345678"
    key = state.AccessKey("FORGEDADDRESS0000001", "far-office")
    engine.add_user(key.user, secret)
    engine.put_policy(only_from("far-office", "10.99.0.0/16"))
    engine.map_policies(key.user, frozenset({"far-office"}))
    engine.add_access_key(key, secret)
    s3 = box.s3(data["endpoint"], key.access_key, secret)
    s3.meta.events.register(
        "before-sign.s3.*",
        lambda request, **_: request.headers.add_header("X-Forwarded-For", "10.99.0.1"),
    )

    refused(lambda: s3.list_objects_v2(Bucket="data-bucket"), "AccessDenied")

    engine.put_policy(only_from("far-office", "127.0.0.0/8"))
    assert box.wait_until(lambda: s3.list_objects_v2(Bucket="data-bucket"))
    engine.drop_user(key.user)
    engine.drop_policy("far-office")


def only_from(name, network):
    """Everything, from one network."""
    return state.Policy(
        name,
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": ["s3:*"],
                    "Resource": ["arn:aws:s3:::*"],
                    "Condition": {"IpAddress": {"aws:SourceIp": [network]}},
                }
            ],
        },
    )


def secrets_of(service, *more):
    """Every secret of the service that lies in a file, and those given."""
    found = set(more)
    files = [*(service.state / "secrets").iterdir()]
    files += (service.state / "instances").glob("*/secrets/*")
    for file in files:
        if file.name not in ("demo-access-key", "root-access-key"):
            for line in file.read_text().split():
                # kms-key is name:key, engine.env is NAME=key; the rest is bare.
                found.add(re.sub(r"^(s3aas:|RUSTFS_\w+=)", "", line))
    return {secret for secret in found if len(secret) >= 16}


def test_no_secret_is_in_a_log_or_a_command_line(service, client, data):
    _, secret = box.user_with_key(client, data["name"], unique("quiet"))
    wanted = secrets_of(service, secret)
    # Root's secret and the KMS key of each engine; the service's own five.
    assert len(wanted) >= 6 + 2 * len(list((service.state / "instances").iterdir()))
    logs = [*service.state.rglob("*.log"), *service.state.rglob("*.log.*")]
    names = {log.name for log in logs}
    assert {"api.log", "reconcile.log", "service.log", "postgres.log"} <= names
    said = {str(log): log.read_text(errors="replace") for log in logs}
    said["printed"] = service.printed
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            said[str(file)] = file.read_text(errors="replace")
        except OSError:
            continue

    spoken = {where for where, text in said.items() for x in wanted if x in text}

    assert spoken == set()


@pytest.mark.parametrize("engine", engines.available())
def test_everything_is_there_after_all_was_restarted(new_box, engine):
    made = new_box(engine)
    made.up()
    name = "s3-data"
    client = made.client()
    client.create("/instances", contract_body(name))
    found = client.wait_active(f"/instances/{name}", box.ACTIVE_S)
    key = box.user_with_key(client, name, "office")
    s3 = box.s3(found["endpoint"], *key)
    put = s3.put_object(Bucket="data-bucket", Key="a/first.txt", Body=b"hello")
    parts = ("supervisor", "api", "reconcile", "postgres", "engine")
    before = {part: made.pid(part, found["id"]) for part in parts}
    made.down()

    made.up()

    after = {part: made.pid(part, found["id"]) for part in parts}
    assert not set(before.values()) & set(after.values())
    client = made.client()
    again = client.wait_active(f"/instances/{name}", box.ACTIVE_S)
    assert (again["id"], again["endpoint"]) == (found["id"], found["endpoint"])
    read = box.s3(again["endpoint"], *key).get_object(
        Bucket="data-bucket", Key="a/first.txt"
    )
    assert read["Body"].read() == b"hello"
    assert read["VersionId"] == put["VersionId"]
    assert read["ServerSideEncryption"] == "AES256"
    # Root's secret was unsealed to make this one, and its own was sealed anew.
    other = box.s3(again["endpoint"], *box.user_with_key(client, name, "second"))
    other.put_object(Bucket="data-bucket", Key="second", Body=b"2")
    made.down()
    assert os.listdir(made.state / "instances")


def test_the_guard_holds_for_the_keys_that_are_handed_out(s3):
    """A tenant's key does data; it configures nothing."""
    refused(lambda: s3.create_bucket(Bucket="by-hand"), "AccessDenied")
    refused(
        lambda: s3.put_bucket_versioning(
            Bucket="data-bucket", VersioningConfiguration={"Status": "Suspended"}
        ),
        "AccessDenied",
    )
