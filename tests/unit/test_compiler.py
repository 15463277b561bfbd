"""What documents become for each engine: actions, resources, versions and tags."""

import pytest

from exordos_paas_storage.domain.language import compiler
from tests.unit.compiled import (
    BOTH,
    DATA,
    EVERYTHING,
    MINIO,
    OBJECTS,
    RUSTFS,
    allow,
    deny,
    found,
    statements,
)

# Actions.


@pytest.mark.parametrize("engine", BOTH)
def test_wildcards_become_the_names_that_a_key_may_be_allowed(engine):
    (one,) = statements(engine, allow(["s3:Get*Tag*", "s3:abort*"], "*"))

    assert one["Action"] == [
        "s3:AbortMultipartUpload",
        "s3:GetBucketTagging",
        "s3:GetObjectTagging",
    ]
    assert one["Resource"] == [EVERYTHING]


@pytest.mark.parametrize(
    ("engine", "named"),
    [
        (RUSTFS, ["GetBucketCors", "GetBucketEncryption", "GetBucketLifecycle"]),
        (
            MINIO,
            [
                "GetBucketCors",
                "GetEncryptionConfiguration",
                "GetLifecycleConfiguration",
            ],
        ),
    ],
)
def test_names_of_aws_become_the_engines(engine, named):
    asked = ["GetBucketCORS", "GetEncryptionConfiguration", "GetLifecycleConfiguration"]

    (one,) = statements(engine, allow([f"s3:{name}" for name in asked], DATA))

    assert one["Action"] == [f"s3:{name}" for name in named]


@pytest.mark.parametrize("engine", BOTH)
def test_the_opposite_of_actions_is_every_other_that_a_key_may_be_allowed(engine):
    spared = {"Effect": "Deny", "NotAction": ["s3:Get*", "s3:List*"], "Resource": "*"}

    named = {action for one in statements(engine, spared) for action in one["Action"]}

    assert "s3:PutObject" in named
    assert not any(one.startswith(("s3:Get", "s3:List")) for one in named)


@pytest.mark.parametrize("engine", BOTH)
def test_statements_are_split_by_what_their_actions_are_about(engine):
    made = statements(
        engine,
        allow(["s3:GetBucketLocation", "s3:PutObjectRetention"], [DATA, OBJECTS]),
    )

    assert {tuple(one["Action"]): one["Resource"] for one in made} == {
        ("s3:GetBucketLocation",): [DATA],
        ("s3:PutObjectRetention",): [OBJECTS],
    }


@pytest.mark.parametrize("engine", BOTH)
def test_equal_statements_become_one(engine):
    (one,) = statements(
        engine,
        allow("s3:AbortMultipartUpload", f"{DATA}/a/*"),
        allow("s3:ListMultipartUploadParts", f"{DATA}/a/*"),
        allow(["s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"], f"{DATA}/b*"),
        allow("s3:AbortMultipartUpload", f"{DATA}/a/*", Sid="Again"),
    )

    assert one == {
        "Effect": "Allow",
        "Action": ["s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"],
        "Resource": [f"{DATA}/a/*", f"{DATA}/b*"],
    }


@pytest.mark.parametrize("engine", BOTH)
@pytest.mark.parametrize("effect", [allow, deny])
def test_statements_that_become_alike_keep_the_actions_of_all(engine, effect):
    """A pattern that another one holds goes, so that two have the same resources."""
    (one,) = statements(
        engine,
        effect("s3:ListMultipartUploadParts", OBJECTS),
        effect("s3:AbortMultipartUpload", [OBJECTS, f"{DATA}/x*"]),
    )

    assert one["Action"] == ["s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
    assert one["Resource"] == [OBJECTS]


@pytest.mark.parametrize("engine", BOTH)
def test_a_bucket_and_what_is_in_it_are_both_denied(engine):
    made = statements(engine, deny("s3:*", ["arn:aws:s3:::b*", "arn:aws:s3:::b/in*"]))

    named = {action for one in made for action in one["Action"]}
    assert {"s3:GetObject", "s3:PutObject", "s3:ListBucket"} <= named


@pytest.mark.parametrize("engine", BOTH)
def test_all_of_s3_on_one_bucket_is_a_small_scope(engine):
    made = found(engine, allow("s3:*", [DATA, OBJECTS]), limit_bytes=4096)

    assert compiler.size_bytes(made.document) < 1024
    assert not made.warnings


# Resources.


@pytest.mark.parametrize(
    ("pattern", "minio", "rustfs"),
    [
        ("data", "data", "data"),
        ("da*", "da*/", "da*"),
        ("dat?", "dat?/", "dat?"),
        ("data-${aws:username}", "data-${aws:username}", "data-${aws:username}"),
    ],
)
def test_minio_compares_a_bucket_with_a_slash_behind_it(pattern, minio, rustfs):
    listed = allow("s3:GetBucketLocation", f"arn:aws:s3:::{pattern}")

    assert statements(MINIO, listed)[0]["Resource"] == [f"arn:aws:s3:::{minio}"]
    assert statements(RUSTFS, listed)[0]["Resource"] == [f"arn:aws:s3:::{rustfs}"]


@pytest.mark.parametrize("engine", BOTH)
def test_objects_are_no_resource_of_buckets_and_buckets_none_of_objects(engine):
    inert = statements(engine, allow("s3:ListBucket"), allow("s3:AbortM*", DATA))

    assert inert == [
        {"Effect": "Deny", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::-/-"]}
    ]


@pytest.mark.parametrize("engine", BOTH)
def test_the_opposite_of_resources_keeps_what_can_match(engine):
    others = {"Effect": "Allow", "Action": ["s3:GetBucketLocation", "s3:AbortM*"]}

    made = statements(engine, {**others, "NotResource": [DATA, f"{DATA}/a"]})

    assert {tuple(one["Action"]): one["NotResource"] for one in made} == {
        ("s3:GetBucketLocation",): [DATA],
        ("s3:AbortMultipartUpload",): [f"{DATA}/a"],
    }
    assert statements(engine, {**others, "NotResource": [f"{DATA}/a"]})[-1] == {
        "Effect": "Allow",
        "Action": ["s3:GetBucketLocation"],
        "Resource": [EVERYTHING],
    }


@pytest.mark.parametrize(
    ("denied", "beside"),
    [
        ("data/in/*", "data/in"),
        ("data/in/", "data/in"),
        ("data/in/a?*", "data/in/a"),
        ("data/${aws:username}/*", "data/${aws:username}"),
        ("data/in*", None),
        ("data/in", None),
        ("data/*", None),
        ("*/*", None),
    ],
)
def test_rustfs_gets_folders_without_their_slash_where_they_are_taken(denied, beside):
    arn = f"arn:aws:s3:::{denied}"
    wanted = sorted({arn, f"arn:aws:s3:::{beside}" if beside else arn})

    (taken,) = statements(RUSTFS, deny("s3:AbortMultipartUpload", arn))
    (given,) = statements(RUSTFS, allow("s3:AbortMultipartUpload", arn))
    (elsewhere,) = statements(MINIO, deny("s3:AbortMultipartUpload", arn))

    assert taken["Resource"] == wanted
    assert given["Resource"] == elsewhere["Resource"] == [arn]


@pytest.mark.parametrize("engine", BOTH)
def test_variables_are_those_of_the_engines(engine):
    home = f"{DATA}/${{aws:userid}}/${{aws:PrincipalType}}/${{aws:username, 'x'}}$/*"

    (one,) = statements(engine, allow("s3:AbortMultipartUpload", home))

    assert one["Resource"] == [f"{DATA}/${{aws:username}}/User/${{aws:username}}$/*"]


# Versions and tags.


@pytest.mark.parametrize("engine", BOTH)
def test_objects_and_their_versions_together_need_no_condition(engine):
    (one,) = statements(engine, allow(["s3:GetObject", "s3:GetObjectVersion"]))

    assert one["Action"] == ["s3:GetObject", "s3:GetObjectVersion"]
    assert "Condition" not in one


NAMED = {
    MINIO: {"StringNotEquals": {"s3:versionid": [""]}},
    RUSTFS: {"Null": {"s3:versionid": "false"}},
}
UNNAMED = {
    MINIO: {"StringEquals": {"s3:versionid": [""]}},
    RUSTFS: {"Null": {"s3:versionid": "true"}},
}


@pytest.mark.parametrize("engine", BOTH)
@pytest.mark.parametrize("effect", [allow, deny])
def test_the_right_to_objects_is_none_to_their_versions(engine, effect):
    (one,) = statements(engine, effect("s3:GetObject", EVERYTHING))

    assert (one["Action"], one["Condition"]) == (["s3:GetObject"], UNNAMED[engine])


@pytest.mark.parametrize("engine", BOTH)
@pytest.mark.parametrize("effect", [allow, deny])
def test_the_right_to_versions_is_none_to_objects(engine, effect):
    (one,) = statements(engine, effect("s3:GetObjectVersion", EVERYTHING))

    assert one["Action"] == ["s3:GetObject", "s3:GetObjectVersion"]
    assert one["Condition"] == NAMED[engine]


@pytest.mark.parametrize("engine", BOTH)
def test_an_upload_with_tags_takes_both_rights(engine):
    (one,) = statements(engine, allow("s3:PutObject"))
    assert one["Condition"] == {"Null": {"s3:RequestObjectTagKeys": "true"}}

    made = statements(engine, allow(["s3:PutObject", "s3:PutObjectTagging"]))
    assert ["s3:PutObject"] in [one["Action"] for one in made if "Condition" not in one]

    taken = statements(engine, deny("s3:PutObjectTagging", EVERYTHING))
    assert {"Null": {"s3:RequestObjectTagKeys": "false"}} in [
        one["Condition"] for one in taken if one["Action"] == ["s3:PutObject"]
    ]


def test_minio_is_denied_versions_where_objects_alone_may_be_deleted():
    allowed, denied = statements(MINIO, allow("s3:DeleteObject"))

    assert allowed["Condition"] == denied["Condition"] == UNNAMED[MINIO]
    assert (denied["Effect"], denied["Action"]) == ("Deny", ["s3:DeleteObjectVersion"])
    assert denied["Resource"] == allowed["Resource"]
    assert len(statements(RUSTFS, allow("s3:DeleteObject"))) == 1


@pytest.mark.parametrize(
    "other",
    [
        allow("s3:DeleteObjectVersion"),
        allow("s3:DeleteObject*", "*"),
        allow("s3:DeleteObjectVersion", "arn:aws:s3:::da*"),
    ],
)
def test_another_statement_may_allow_minio_the_versions(other):
    made = statements(MINIO, allow("s3:DeleteObject"), other)

    assert {one["Effect"] for one in made} == {"Allow"}


@pytest.mark.parametrize(
    "other",
    [
        allow("s3:DeleteObjectVersion", f"{DATA}/a/*"),
        allow("s3:DeleteObjectVersion", condition={"Null": {"aws:referer": "true"}}),
        allow("s3:DeleteObject", "*"),
    ],
)
def test_a_statement_that_allows_fewer_versions_does_not(other):
    made = statements(MINIO, allow("s3:DeleteObject"), other)

    assert ("Deny", ["s3:DeleteObjectVersion"]) in [
        (one["Effect"], one["Action"]) for one in made
    ]


def test_a_deny_of_the_list_of_versions_is_one_of_objects_on_minio():
    (one,) = statements(MINIO, deny("s3:ListBucketVersions", DATA))

    assert one["Action"] == ["s3:ListBucket", "s3:ListBucketVersions"]
    (one,) = statements(RUSTFS, deny("s3:ListBucketVersions", DATA))
    assert one["Action"] == ["s3:ListBucketVersions"]
