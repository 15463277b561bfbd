"""The real image in a virtual machine, as its operators and a tenant meet it.

The control plane is the real one on PostgreSQL; it reaches the node by its address. The
platform's agent is not there: the files that it would deliver lie on the root disk
before the first boot.
"""

import datetime
import hashlib
import re
import uuid

import boto3
import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.client import Config
from botocore.credentials import Credentials
from restalchemy.dm import filters

from exordos_paas_storage.domain import capabilities
from exordos_paas_storage.models import instance, node
from exordos_paas_storage.nodes import image, port, static
from exordos_paas_storage.reconcile import placing, worker
from tests import figures
from tests.image import machine
from tests.service.conftest import (  # noqa: F401
    api,
    callers,
    db,
    http,
    issued_by,
    login,
    server,
    stop,
    uri,
)
from tests.service.effects.stand import VERSIONS

pytestmark = [pytest.mark.machine, pytest.mark.timeout(1800)]

GIB = 1 << 30
ROOT_SIZE, DATA_SIZE, GROWN_SIZE = 8 * GIB, 2 * GIB, 4 * GIB
ACTIVE_S = 180.0
# Small ones lie in an engine's metadata, large ones in files of their own.
STORED = {f"object-{n}": bytes([n]) * (1 + n * 40_000) for n in range(20)}


@pytest.fixture
def seconds(finished):
    """Keeps how long something took, for the end of the run."""
    name = finished.engine.name
    return lambda what, took: figures.keep(f"{name}: {what}: {took:.1f} s")


def ready_path(finished):
    return capabilities.of(finished.engine.name, "").ready_path


def capacity(url, secrets):
    """Bytes of the file system that the engine stores in, as it tells its root."""
    address = f"{url}/minio/admin/v3/storageinfo"  # both engines have it there
    empty = hashlib.sha256(b"").hexdigest()
    request = AWSRequest("GET", address, headers={"x-amz-content-sha256": empty})
    pair = Credentials(secrets.access_key, secrets.secret_key)
    SigV4Auth(pair, "s3", "us-east-1").add_auth(request)
    headers = dict(request.headers)
    answer = httpx.get(address, headers=headers, timeout=60, trust_env=False)
    answer.raise_for_status()
    return int(re.search(r'"totalspace":(\d+)', answer.text)[1])


def client(url, pair):
    return boto3.client(
        "s3",
        endpoint_url=url,
        aws_access_key_id=pair["access_key"],
        aws_secret_access_key=pair["secret_key"],
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}, proxies={}, read_timeout=120),
    )


def write(s3, objects):
    for key, body in objects.items():
        s3.put_object(Bucket="photos", Key=key, Body=body)


def read(s3):
    """Those of the objects in `STORED` that are there."""
    listed = s3.list_objects_v2(Bucket="photos").get("Contents", [])
    return {
        found["Key"]: s3.get_object(Bucket="photos", Key=found["Key"])["Body"].read()
        for found in listed
        if found["Key"] in STORED
    }


def root_disk(finished, folder, files):
    """The image as the platform flashes it onto a root disk, with files delivered."""
    disk = machine.copy(finished.raw, folder / "root.raw", ROOT_SIZE)
    machine.deliver(disk, files)
    return disk


class ControlPlane:
    """The service with one instance whose node is the machine."""

    def __init__(self, api, engine):  # noqa: F811
        self.api = api
        body = {"name": "vm", "version": VERSIONS[engine], "bucket_name": "photos"}
        made = uuid.UUID(api.make("/instances", **body)["id"])
        owner = instance.Instance.objects.get_one(filters={"uuid": filters.EQ(made)})
        place = node.Node.objects.get_one(filters={"instance": filters.EQ(made)})
        self.spec = placing.spec_of(owner, place)

    def wait(self):
        """Wait until the instance, its bucket and its settings are on the engine."""
        self.api.wait("/instances/vm", deadline_s=ACTIVE_S)
        self.api.wait("/instances/vm/buckets/photos", deadline_s=ACTIVE_S)

    def make_key(self):
        """A user that may do read and write objects; its key with the secret."""
        self.api.make("/instances/vm/users", name="ann")
        key = self.api.make("/instances/vm/users/ann/access-keys")
        at = f"/instances/vm/users/ann/access-keys/{key['access_key']}"
        self.api.wait(at, deadline_s=ACTIVE_S)
        return key


@pytest.fixture
def control(api, finished):  # noqa: F811
    return ControlPlane(api, finished.engine.name)


@pytest.fixture
def reconciling(uri):  # noqa: F811
    """Starts a reconciler whose only node is at an endpoint."""
    started = []

    def start(endpoint):
        found = worker.Reconciler(
            uri,
            static.StaticNodes([endpoint]),
            worker.Settings(silence_s=60.0),
            lambda: datetime.datetime.now(datetime.timezone.utc),
        )
        found.start()
        started.append(found)

    yield start
    for found in started:
        stop(found, uri)


def test_a_tenants_object_outlives_power_cuts_new_root_disks_and_growth(
    control, reconciling, disks, boot, finished, seconds
):
    files = image.files(finished.engine.name, control.spec.secrets)
    data = machine.blank(disks / "data.raw", DATA_SIZE)
    with boot(root_disk(finished, disks, files), data) as vm:
        seconds("boot to ready", vm.wait_ready(ready_path(finished)))
        reconciling(port.Endpoint("127.0.0.1", vm.port))
        control.wait()
        s3 = client(vm.url, control.make_key())
        write(s3, STORED)

        vm.cut_power()
        vm.switch_on()
        seconds("after a power cut", vm.wait_ready(ready_path(finished)))
        assert read(s3) == STORED

        before = capacity(vm.url, control.spec.secrets)
        assert before < DATA_SIZE
        vm.grow(data, GROWN_SIZE)
        vm.wait("grown", lambda: grown(vm, control.spec.secrets))
        write(s3, {"after it grew": b"x" * (8 << 20)})

        vm.power_off()
        assert machine.size_of_root(vm.root) > ROOT_SIZE * 9 // 10
        vm.root = root_disk(finished, disks, files)
        vm.switch_on()
        seconds("with a new root disk", vm.wait_ready(ready_path(finished)))
        assert read(s3) == STORED
        assert grown(vm, control.spec.secrets)
        control.wait()
        write(s3, {"with a new root disk": b""})


def grown(vm, secrets):
    return capacity(vm.url, secrets) > GROWN_SIZE * 9 // 10
