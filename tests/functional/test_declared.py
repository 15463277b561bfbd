"""The declarative path: a manifest by the stock command line, and what comes of it."""

import json

import pytest

from tests import box
from tests.functional import elements, engines
from tests.service import made

pytestmark = pytest.mark.timeout(900)

TIMES_S = 60.0


@pytest.fixture(scope="module")
def element(run, live, tmp_path_factory):
    """An element with one of everything, ACTIVE; the tests go through its life."""
    word = made.unique("e").removeprefix("e-")
    folder = tmp_path_factory.mktemp("manifests")
    text = json.dumps(elements.manifest(word))
    found = elements.Element(run, live.core, folder, text)
    with found.installed():
        yield found


@pytest.fixture(scope="module")
def at(element):
    return f"/instances/{element.instance}"


@pytest.fixture(scope="module")
def s3(element, declared, at):
    """S3 with the key whose secret the platform made."""
    return box.s3(declared.show(at)["endpoint"], *element.key("laptop"))


@pytest.mark.smoke
def test_the_service_itself_is_an_active_element(live):
    (found,) = live.core.list("em/elements", name="s3aas")

    assert found["status"] == "ACTIVE"


def test_who_makes_the_project_of_declared_objects_reaches_none(live, element, at):
    """Core lets any user make a project of any id, and own it."""
    owner = live.api(live.owner_of_elements_by_id(elements.PROJECT))

    for path in ("/instances", at, f"{at}/users/writer/access-keys"):
        made.refused(owner.get(path), 403, "Forbidden", "token")
    made.refused(owner.post(f"{at}/users/writer/access-keys", {}), 403, "Forbidden")


def test_every_declared_object_is_active(element, declared, at):
    assert set(element.states().values()) == {"ACTIVE"}
    for path in (
        at,
        f"{at}/buckets/media",
        f"{at}/policies/writing",
        f"{at}/users/writer",
        f"{at}/users/writer/policies/writing",
    ):
        assert declared.show(path)["status"] == "ACTIVE"
    assert len(declared.show(f"{at}/users/writer/access-keys")) == 1


def test_the_declared_key_writes_where_the_policy_says(s3):
    s3.put_object(Bucket="media", Key="a", Body=b"declared")

    assert s3.get_object(Bucket="media", Key="a")["Body"].read() == b"declared"


def test_a_changed_manifest_is_followed(element, declared, s3, at):
    resources = element.manifest["resources"]
    inside = {"instance": f"{elements.TYPES}.$main:uuid"}
    resources[f"{elements.TYPES}.buckets"]["more"] = {**inside, "name": "more"}
    resources[f"{elements.TYPES}.buckets"]["media"]["versioning"] = True
    resources[f"{elements.TYPES}.policies"]["writing"]["parameters"] = {
        "bucket": "more"
    }

    element.update("1.0.1")

    assert declared.wait(f"{at}/buckets/more")["status"] == "ACTIVE"
    assert declared.show(f"{at}/buckets/media")["versioning"] is True
    put = lambda: s3.put_object(Bucket="more", Key="a", Body=b"")  # noqa: E731
    get = lambda: s3.get_object(Bucket="media", Key="a")  # noqa: E731
    box.wait_until(lambda: engines.refusal(put) is None)
    box.wait_until(lambda: engines.refusal(get) == "AccessDenied")


def test_a_change_by_the_api_is_set_back_and_nothing_else_moves(element, declared, at):
    """What the platform compares settles: no generation moves by itself."""
    path, others = (
        f"{at}/buckets/media",
        (at, f"{at}/buckets/more", f"{at}/users/writer"),
    )
    before = [declared.show(other)["generation"] for other in others]
    changed = declared.change(path, versioning=False)["generation"]

    made.until(
        lambda: declared.show(path)["versioning"] is True,
        TIMES_S,
        "the element's own value is back",
    )

    element.wait_active()
    assert declared.show(path)["generation"] == changed + 1
    assert [declared.show(other)["generation"] for other in others] == before


def test_what_leaves_the_manifest_is_removed(element, declared, s3, at):
    # A bucket with objects in it is never thrown away.
    s3.delete_object(Bucket="more", Key="a")
    del element.manifest["resources"][f"{elements.TYPES}.buckets"]["more"]
    del element.manifest["resources"][f"{elements.TYPES}.policies"]
    del element.manifest["resources"][f"{elements.TYPES}.users.policies"]

    element.update("1.0.2")

    for path in ("users/writer/policies/writing", "policies/writing", "buckets/more"):
        declared.wait_gone(f"{at}/{path}", TIMES_S)


def test_an_uninstalled_element_is_gone_everywhere(element, declared, live, s3, at):
    (node,) = declared.show(at)["nodes"]

    element.uninstall()

    declared.wait_gone(at, TIMES_S)
    made.until(lambda: live.node_set(node["id"]) is None, TIMES_S)
    made.until(lambda: not engines.answers(s3), TIMES_S, "its machine is gone")
