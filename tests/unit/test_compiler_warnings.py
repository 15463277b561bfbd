"""What a compiled document lacks or gives beyond, and how large it may be."""

import json
import time

import pytest

from exordos_paas_storage.domain import errors, policy
from exordos_paas_storage.domain.language import compiler, document
from tests.unit.compiled import (
    BOTH,
    DATA,
    MINIO,
    OBJECTS,
    RUSTFS,
    allow,
    deny,
    found,
    listing,
    statements,
    warned,
)

WRITES = ["s3:PutObject*", "s3:BypassGovernanceRetention", "s3:DeleteObject*"]

# Of the thread's own time. It takes less than a tenth of this. Comparing each resource
# with each took minutes.
MOST_S = 5.0


@pytest.mark.parametrize("engine", BOTH)
@pytest.mark.parametrize(
    ("action", "resource", "why"),
    [
        ("s3:PutBucketPolicy", DATA, "keys don't set anything up here"),
        ("s3:CreateBucket", DATA, "keys don't set anything up here"),
        ("s3:PutBucket*", "*", "keys don't set anything up here"),
        ("s3:GetBucketWebsite", DATA, "no key may do this here"),
        ("s3:ListBucket", OBJECTS, "is about buckets, and no resource here is one"),
        ("s3:AbortM*", DATA, "is about objects, and no resource here is one"),
        ("s3:ListAllMyBuckets", DATA, "is about no bucket"),
    ],
)
def test_what_has_no_effect_is_said_of_its_action(engine, action, resource, why):
    said = warned(engine, allow(["s3:GetBucketLocation", action], [resource, DATA]))

    if action == "s3:ListBucket":
        said = warned(engine, allow(["s3:AbortMultipartUpload", action], resource))
    assert list(said) == ["document.Statement[0].Action[1]"]
    assert said["document.Statement[0].Action[1]"].startswith(why)


@pytest.mark.parametrize("engine", BOTH)
def test_nothing_is_said_of_wildcards_and_of_what_is_denied(engine):
    assert not warned(engine, allow("s3:*", "*"), deny("s3:PutBucketPolicy", DATA))


@pytest.mark.parametrize(
    ("written", "engines"),
    [
        (listing({"StringLike": {"s3:prefix": "a*"}}), BOTH),
        (allow("s3:GetObject"), (MINIO,)),
        (allow("s3:DeleteObject"), (MINIO,)),
        (allow("s3:ListBucket", DATA), (MINIO,)),
        (allow("s3:PutObjectRetention", condition={
            "StringEquals": {"s3:object-lock-mode": "GOVERNANCE"}}), (MINIO,)),
        (allow("s3:AbortM*", condition={
            "IpAddress": {"aws:SourceIp": "10.0.0.1"}}), (MINIO,)),
        (allow("s3:AbortM*", condition={
            "StringEquals": {"s3:authType": "POST"}}), ()),
        (allow("s3:AbortM*", condition={
            "StringEquals": {"aws:username": "ann"}}), ()),
        (allow("s3:PutObject"), BOTH),
        (allow(["s3:PutObject", "s3:PutObjectTagging"]), BOTH),
        (allow(WRITES), ()),
        (deny("s3:PutObjectTagging"), BOTH),
        (allow(WRITES, condition={"StringEquals": {"s3:authType": "POST"}}), (RUSTFS,)),
        (allow(WRITES, condition={
            "StringEquals": {"s3:x-amz-storage-class": "STANDARD"}}), BOTH),
        (deny("s3:BypassGovernanceRetention"), (MINIO,)),
        (deny("s3:ListAllMyBuckets", "*"), BOTH),
        (deny(["s3:ListAllMyBuckets", "s3:GetBucketLocation"], "*"), BOTH),
        (deny(["s3:List*", "s3:GetBucketLocation"], "*"), ()),
        (deny("s3:ListAllMyBuckets", DATA), ()),
    ],
)  # fmt: skip
def test_what_an_engine_may_allow_beyond_a_document_is_said(written, engines):
    for engine in BOTH:
        assert bool(warned(engine, written, laxer=True)) == (engine in engines)


DELETES = ["s3:DeleteObject", "s3:DeleteObjectVersion"]
HOME = f"{DATA}/${{aws:SourceIp}}/*"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (allow("s3:DeleteObject"), True),
        (allow(DELETES), False),
        (allow(DELETES, f"{DATA}/in/*"), False),
        (allow(DELETES, f"{DATA}/in"), True),
        (allow(DELETES, [f"{DATA}/in/a", f"{DATA}/in/*"]), False),
        (allow(DELETES, f"{DATA}/*.jpg"), True),
        (deny(DELETES, f"{DATA}/in/secret/*"), True),
        (deny("s3:DeleteObjectVersion", "*"), True),
        (deny(DELETES, "*"), False),
        (deny("s3:GetObject"), False),
    ],
)
def test_a_forced_deletion_is_said_wherever_it_gives_more(written, said):
    """MinIO deletes all below a folder of the name for whoever may delete the name."""
    assert any("x-minio-force-delete" in why for why in every(written)) == said
    assert not any("force" in why for why in warned(RUSTFS, written).values())


def test_a_forced_deletion_through_what_is_not_named_is_said():
    spared = {"Effect": "Allow", "Action": DELETES, "NotResource": f"{DATA}/in/*"}

    assert any("x-minio-force-delete" in why for why in every(spared))


def every(written):
    """The reason of each warning on MinIO, of which several may be about one path."""
    return [one.why for one in found(MINIO, written).warnings if one.laxer]


@pytest.mark.parametrize(
    "written",
    [
        allow("s3:AbortM*", HOME),
        allow("s3:AbortM*", condition={
            "StringLike": {"aws:UserAgent": "${aws:SourceIp}"}}),
    ],
)  # fmt: skip
def test_an_address_as_a_variable_is_what_a_client_names(written):
    assert any("address" in why for why in every(written))


def test_what_an_engine_does_not_see_is_said():
    tagged = {"StringEquals": {"s3:RequestObjectTag/team": "red"}}
    written = allow("s3:PutObjectTagging", condition=tagged)

    (path,) = warned(RUSTFS, written, laxer=False)

    assert path == (
        "document.Statement[0].Condition.StringEquals.s3:RequestObjectTag/team"
    )
    assert not warned(MINIO, written, laxer=False)


@pytest.mark.parametrize("engine", BOTH)
def test_a_document_may_be_as_large_as_the_engine_takes_and_no_larger(engine):
    given = allow("s3:AbortMultipartUpload", f"{DATA}/{'x' * 500}")
    size = compiler.size_bytes(found(engine, given).document)
    assert size == len(json.dumps(found(engine, given).document))

    found(engine, given, limit_bytes=size)
    with pytest.raises(errors.PolicyTooLarge) as caught:
        found(engine, given, limit_bytes=size - 1)

    assert caught.value.field == "document"
    assert f"{size} bytes" in caught.value.rule


@pytest.mark.parametrize("engine", BOTH)
def test_what_needs_too_many_statements_is_too_large(engine):
    many = {"NumericNotEquals": {"s3:max-keys": [str(2 * one) for one in range(600)]}}
    some = {
        "StringLikeIfExists": {"s3:prefix": "a*", "s3:delimiter": "/"},
        "NumericEquals": {"s3:max-keys": [str(2 * one) for one in range(100)]},
    }

    for condition in (many, some):
        with pytest.raises(errors.PolicyTooLarge):
            found(engine, listing(condition))


@pytest.mark.parametrize("engine", BOTH)
def test_what_becomes_far_too_large_is_refused_soon(engine):
    """It took 20 s, in which the process did nothing else."""
    keys = ("aws:UserAgent", "aws:referer", "s3:prefix", "s3:delimiter")
    keys += ("s3:x-amz-storage-class", "s3:RequestObjectTag/a")
    many = [
        allow("s3:*", f"arn:aws:s3:::b{index}/*", {
            "StringEqualsIfExists": dict.fromkeys(keys, f"v{index}")})
        for index in range(130)
    ]  # fmt: skip
    patterns = [
        f"s3:{'*' * (index % 50)}Get{'?' * (index // 50)}*" for index in range(900)
    ]
    objects = [f"{DATA}/{index}/{'x' * 20}" for index in range(900)]

    started = time.thread_time()
    for given in (many, [allow(patterns, objects)]):
        with pytest.raises(errors.PolicyTooLarge):
            found(engine, *given, limit_bytes=20_480)

    assert time.thread_time() - started < MOST_S


@pytest.mark.parametrize("engine", BOTH)
def test_large_documents_take_no_long_time(engine):
    many = [allow("s3:DeleteObject", f"{DATA}/{one}/*") for one in range(480)]
    long = [f"{DATA}/{one}/{'x' * 900}" for one in range(1900)]

    started = time.thread_time()
    assert len(statements(engine, *many)) <= 2
    found(engine, allow("s3:AbortMultipartUpload", long), limit_bytes=10**7)

    assert time.thread_time() - started < MOST_S


@pytest.mark.parametrize("engine", BOTH)
def test_paths_begin_with_the_name_of_the_field(engine):
    written = {"Version": policy.VERSION, "Statement": [
        allow("s3:PutBucketPolicy", DATA)]}  # fmt: skip
    target = compiler.Target(engine, "", False, 4096)

    made = compiler.compile(document.parse(written, "scope"), target, "scope")

    assert [one.path for one in made.warnings] == ["scope.Statement[0].Action[0]"]
