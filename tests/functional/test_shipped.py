"""The manifests that are shipped beside the service's own, used as they are."""

import json

import pytest

from tests import box
from tests.functional import elements, engines
from tests.service import made

pytestmark = pytest.mark.timeout(900)

TIMES_S = 60.0
DENIED = "AccessDenied"


@pytest.fixture(scope="module")
def example(examples):
    return examples["example_s3"]


@pytest.fixture(scope="module")
def communal(examples):
    return examples["communal_s3"]


@pytest.fixture(scope="module")
def endpoint(declared, example):
    return declared.show(f"/instances/{example.instance}")["endpoint"]


@pytest.fixture(scope="module")
def guest(run, live, communal, tmp_path_factory):
    """An element that imports the shared instance, ACTIVE."""
    word = made.unique("e").removeprefix("e-")
    text = json.dumps(elements.guest(word, communal.manifest["version"]))
    folder = tmp_path_factory.mktemp("guest")
    found = elements.Element(run, live.core, folder, text)
    with found.installed():
        yield found


def test_the_applications_key_writes_media_and_nothing_else(example, endpoint):
    s3 = box.s3(endpoint, *example.key("application"))

    s3.put_object(Bucket="example-media", Key="a", Body=b"shipped")

    found = s3.get_object(Bucket="example-media", Key="a")
    assert found["Body"].read() == b"shipped"
    refused = lambda: s3.put_object(Bucket="example-reports", Key="a", Body=b"")  # noqa: E731
    assert engines.refusal(refused) == DENIED


def test_the_reports_key_reads_reports_and_writes_nothing(example, endpoint):
    s3 = box.s3(endpoint, *example.key("reports"))

    assert s3.list_objects_v2(Bucket="example-reports")["KeyCount"] == 0
    for bucket in ("example-reports", "example-media"):
        put = lambda: s3.put_object(Bucket=bucket, Key="a", Body=b"")  # noqa: B023, E731
        assert engines.refusal(put) == DENIED
    assert engines.refusal(lambda: s3.list_objects_v2(Bucket="example-media")) == DENIED


def test_another_element_keeps_its_bucket_in_the_shared_instance(
    communal, declared, guest
):
    at = f"/instances/{communal.instance}"
    (bucket,) = guest.manifest["resources"][f"{elements.TYPES}.buckets"].values()

    s3 = box.s3(declared.show(at)["endpoint"], *guest.key("laptop"))
    s3.put_object(Bucket=bucket["name"], Key="a", Body=b"of a guest")

    found = s3.get_object(Bucket=bucket["name"], Key="a")
    assert found["Body"].read() == b"of a guest"
    assert bucket["name"] in [one["name"] for one in declared.show(f"{at}/buckets")]
    s3.delete_object(Bucket=bucket["name"], Key="a")


def test_the_shared_instance_stays_while_an_element_has_something_in_it(
    run, communal, guest
):
    status, said = run.told("ee", "uninstall", "--yes", communal.name)

    assert status != 0, said
    assert communal.shown()["status"] == "ACTIVE"


def test_what_is_shipped_goes_as_a_whole(communal, declared, example, guest, live):
    nodes = [
        declared.show(f"/instances/{one.instance}")["nodes"][0]["id"]
        for one in (example, communal)
    ]

    for one in (guest, communal, example):
        one.uninstall()

    for one in (communal, example):
        declared.wait_gone(f"/instances/{one.instance}", TIMES_S)
    made.until(
        lambda: not any(map(live.node_set, nodes)), TIMES_S, "no machine is left"
    )
