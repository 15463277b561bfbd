"""What a request can do that is made to deceive an engine, shown on the engine itself.

The compiler warns of each. If one of these tests fails, an engine has got better: the
entry of `agreement/forgeries.py` goes, and the warning with it.
"""

import io
import tarfile

import pytest

from tests import engines
from tests.contract.agreement import forgeries, phrases, wire, world
from tests.contract.agreement.asked import (
    ALL,
    IN_FIRST,
    VERSION,
    Asked,
    allow,
    call,
    deny,
)


@pytest.fixture
def asked(request, started):
    return Asked(request.param, world.of(started(request.param)))


def shows(name):
    """Marks a test of one entry of the list, on the engines that it is about."""
    (entry,) = (one for one in forgeries.LIST if one.name == name)
    SHOWN.append(name)
    names = [one for one in engines.available() if one in entry.engines]
    return pytest.mark.parametrize("asked", names, indirect=True)


SHOWN = []


def by_root(asked, method, path, **more):
    return asked.place.send(asked.place.root, wire.Sent(method, path, **more))


def stored(asked, key, version=""):
    """What an object of the first bucket, or one version of it, holds."""
    named = {"versionId": version} if version else {}
    return by_root(asked, "GET", f"{phrases.FIRST}/{key}", parameters=named).content


@shows("parameters of a list")
def test_a_header_named_prefix_counts_for_the_condition_and_not_for_the_list(asked):
    asked.hold(
        [allow("s3:ListBucket", IN_FIRST, {"StringLike": {"s3:prefix": "in/*"}})]
    )
    everything = call("list", key="")

    assert asked.forged(everything).status_code == 403
    forged = asked.forged(everything, {"prefix": "in/"})

    assert forged.status_code == 200
    assert "<Key>out/a</Key>" in forged.text
    assert any("a header or parameter" in one for one in asked.laxer)


RED = "<Tag><Key>team</Key><Value>red</Value></Tag>"
TAGS = f"<Tagging><TagSet>{RED}</TagSet></Tagging>"
TAGGED = {"minio": {"tagging": TAGS}, "rustfs": {"x-amz-tagging": "team=red"}}


@shows("uploads as forms")
def test_the_tags_of_a_form_take_no_right(asked):
    asked.hold([allow("s3:PutObject")])

    assert asked.form({"key": "form/tagged", **TAGGED[asked.engine]}) == 204

    path = f"{phrases.FIRST}/form/tagged"
    tags = by_root(asked, "GET", path, parameters={"tagging": ""})
    assert "<Value>red</Value>" in tags.text
    assert any("as a form" in one for one in asked.laxer)


@shows("the kind of signature")
def test_a_form_that_is_signed_by_headers_too_counts_as_no_form(asked):
    by_header = {"StringEquals": {"s3:authType": "REST-HEADER"}}
    asked.hold([allow("s3:PutObject", condition=by_header)])

    assert asked.form({"key": "form/signed"}) == 403
    assert asked.form({"key": "form/signed"}, signed_too=True) == 204
    assert any("as a form" in one for one in asked.laxer)


@shows("versions by multipart uploads")
def test_a_multipart_upload_replaces_a_version(asked):
    path, version = f"{phrases.FIRST}/replaced", made_version(asked, "replaced")
    asked.hold([allow("s3:PutObject")])

    begun = wire.Sent("POST", path, {"uploads": "", "versionId": version})
    answer = asked.place.send(asked.key, begun)
    upload = answer.text.split("<UploadId>")[1].split("<")[0]
    part = {"partNumber": "1", "uploadId": upload}
    sent = wire.Sent("PUT", path, part, body=b"new")
    tag = asked.place.send(asked.key, sent).headers["etag"]
    parts = f"<Part><PartNumber>1</PartNumber><ETag>{tag}</ETag></Part>"
    body = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
    asked.place.send(asked.key, wire.Sent("POST", path, {"uploadId": upload}, {}, body))

    assert stored(asked, "replaced", version) == b"new"
    assert any("multipart" in one for one in asked.laxer)


def made_version(asked, key):
    answer = by_root(asked, "PUT", f"{phrases.FIRST}/{key}", body=b"old")
    return answer.headers["x-amz-version-id"]


@shows("versions by archives")
def test_an_archive_replaces_a_version(asked):
    version = made_version(asked, "replaced")
    asked.hold([allow("s3:PutObject")])
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        inside = tarfile.TarInfo("replaced")
        inside.size, inside.pax_headers = 3, {"minio.versionId": version}
        archive.addfile(inside, io.BytesIO(b"new"))

    unpack = {"x-amz-meta-snowball-auto-extract": "true"}
    path = f"{phrases.FIRST}/x.tar"
    asked.place.send(asked.key, wire.Sent("PUT", path, {}, unpack, packed.getvalue()))

    assert stored(asked, "replaced", version) == b"new"
    assert any("archive" in one for one in asked.laxer)


@shows("versions")
def test_a_header_named_versionid_makes_versions_of_objects(asked):
    asked.hold([allow("s3:GetObject")])
    version = call("get", carried=VERSION, versioned=True)

    assert asked.forged(version).status_code == 403
    assert asked.forged(version, {"versionid": ""}).status_code == 200
    assert any("tells an object from its versions" in one for one in asked.laxer)


@shows("forced deletion")
@pytest.mark.parametrize(
    "policies",
    [
        [allow("s3:DeleteObject")],
        [allow(["s3:DeleteObject", "s3:DeleteObjectVersion"], f"{IN_FIRST}/forced")],
        [ALL, deny("s3:Delete*", f"{IN_FIRST}/forced/secret/*")],
    ],
)
def test_a_forced_deletion_takes_the_versions_and_all_below_along(asked, policies):
    for key in ("forced/secret/a", "forced/secret/a"):
        asked.place.restore(key)
    asked.hold(policies)

    asked.forged(call("delete", "forced"), {"x-minio-force-delete": "true"})

    listed = {"versions": "", "prefix": "forced/"}
    left = by_root(asked, "GET", phrases.FIRST, parameters=listed)
    assert "<VersionId>" not in left.text
    assert any("x-minio-force-delete" in one for one in asked.laxer)


@shows("shorter locks")
@pytest.mark.parametrize(
    "denied", ["s3:BypassGovernanceRetention", "s3:PutObjectRetention"]
)
def test_one_right_is_enough_to_shorten_a_lock(asked, denied):
    path, body = f"{phrases.LOCKED}/kept", "<Mode>GOVERNANCE</Mode><RetainUntilDate>"
    until = {
        "x-amz-object-lock-mode": "GOVERNANCE",
        "x-amz-object-lock-retain-until-date": "2080-01-01T00:00:00Z",
    }
    made = by_root(asked, "PUT", path, headers=wire.summed(until, b"x"), body=b"x")
    asked.hold([ALL, deny(denied, "*")])

    sent = f"<Retention>{body}2050-01-01T00:00:00Z</RetainUntilDate></Retention>"
    bypass = {"x-amz-bypass-governance-retention": "true"}
    headers = wire.summed(bypass, sent.encode())
    named = {"retention": "", "versionId": made.headers["x-amz-version-id"]}
    shorten = wire.Sent("PUT", path, named, headers, sent.encode())

    assert asked.place.send(asked.key, shorten).status_code == 200
    assert any("shortens a retention" in one for one in asked.laxer)


@shows("addresses")
@pytest.mark.parametrize(
    "header", [{"X-Real-IP": "10.1.1.1"}, {"Forwarded": "for=10.1.1.1"}]
)
def test_a_header_names_the_address_of_the_client(asked, header):
    office = {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}
    asked.hold([allow("s3:GetObject", condition=office)])

    assert asked.forged(call("get")).status_code == 403
    assert asked.forged(call("get"), header).status_code == 200
    assert any("X-Real-IP" in one for one in asked.laxer)

    asked.hold([allow("s3:PutObject", f"{IN_FIRST}/${{aws:SourceIp}}/*")])
    put = call("put", "10.1.1.1/a")
    assert asked.forged(put).status_code == 403
    assert asked.forged(put, header).status_code == 200
    assert any("address" in one for one in asked.laxer)


@shows("what uploads say of themselves")
def test_a_parameter_counts_for_a_header_that_is_not_sent(asked):
    encrypted = {"StringEquals": {"s3:x-amz-server-side-encryption": "AES256"}}
    asked.hold([allow("s3:PutObject", condition=encrypted)])
    put = call("put")

    assert asked.forged(put).status_code == 403
    forged = asked.forged(put, None, {"x-amz-server-side-encryption": "AES256"})

    assert forged.status_code == 200
    assert any("a header or parameter" in one for one in asked.laxer)


@shows("what uploads say of themselves")
def test_tags_in_a_parameter_take_no_right(asked):
    asked.hold([allow("s3:PutObject")])

    answer = asked.forged(call("put", "tagged"), None, {"x-amz-tagging": "team=red"})

    assert answer.status_code == 200
    path = f"{phrases.FIRST}/tagged"
    tags = by_root(asked, "GET", path, parameters={"tagging": ""})
    assert "<Value>red</Value>" in tags.text
    assert any("parameter" in one for one in asked.laxer)


def test_every_forgery_of_the_list_is_shown():
    assert set(SHOWN) == {one.name for one in forgeries.LIST}


# What can't be forged so.


@pytest.mark.parametrize("asked", engines.available(), indirect=True)
@pytest.mark.parametrize(
    ("condition", "name", "value"),
    [
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, "SourceIp", "10.1.1.1"),
        ({"StringEquals": {"aws:username": "nobody"}}, "username", "nobody"),
        ({"StringEquals": {"aws:userid": "nobody"}}, "userid", "nobody"),
        (
            {"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}},
            "CurrentTime",
            "2019-01-01T00:00:00Z",
        ),
        ({"NumericLessThan": {"aws:EpochTime": "1000"}}, "EpochTime", "10"),
        (
            {"StringEquals": {"s3:authType": "REST-QUERY-STRING"}},
            "authType",
            "REST-QUERY-STRING",
        ),
    ],
)
def test_a_header_of_a_common_keys_name_does_not_count(asked, condition, name, value):
    get = call("get")
    asked.hold([allow("s3:GetObject", condition=condition)])
    assert asked.forged(get).status_code == 403
    assert asked.forged(get, {name: value}).status_code == 403
    assert asked.forged(get, None, {name: value}).status_code == 403

    (operator,) = condition
    opposite = {
        "IpAddress": "NotIpAddress",
        "StringEquals": "StringNotEquals",
        "DateLessThan": "DateGreaterThanEquals",
        "NumericLessThan": "NumericGreaterThanEquals",
    }[operator]
    asked.hold([ALL, deny("s3:GetObject", condition={opposite: condition[operator]})])
    assert asked.forged(get).status_code == 403
    assert asked.forged(get, {name: value}).status_code == 403
    assert asked.forged(get, None, {name: value}).status_code == 403
