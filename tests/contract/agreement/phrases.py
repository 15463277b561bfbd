"""What the corpus of policies and calls is put together from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

# What the corpus is about. Nothing names `OTHER` but a wildcard.
FIRST, LOCKED, OTHER = "agree-one", "agree-locked", "zz-agree-other"
USERS = tuple(f"agree-user-{index}" for index in range(4))
TAGS = {"in/tagged": {"team": "red"}, "out/tagged": {"team": "blue"}}
KEYS = (
    "in/a",
    "in/b.jpg",
    "in/tagged",
    "out/a",
    "out/tagged",
    "top",
    *(f"home/{user}/a" for user in USERS),
)
AGENTS = ("browser/1.0", "backup-tool/2.1")
REFERER = "https://office.example/start"
ADDRESS = "127.0.0.1"

ACTIONS: tuple[Sequence[str], ...] = (
    ("s3:*",),
    ("*",),
    ("s3:Get*",),
    ("s3:GetObject",),
    ("s3:GetObjectVersion",),
    ("s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket"),
    ("s3:GetObject*", "s3:List*"),
    ("s3:PutObject",),
    ("s3:PutObject", "s3:PutObjectTagging"),
    ("s3:Put*", "s3:AbortMultipartUpload"),
    ("s3:*Object",),
    ("s3:*Tagging",),
    ("s3:DeleteObject",),
    ("s3:DeleteObjectVersion",),
    ("s3:Delete*",),
    ("s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutObject*"),
    ("s3:ListBucket", "s3:ListBucketVersions"),
    ("s3:List*",),
    ("s3:ListBucket",),
    ("s3:ListBucketVersions",),
    ("s3:ListAllMyBuckets", "s3:GetBucketLocation"),
    ("s3:?etBucket*",),
    ("s3:getobject*",),
    ("s3:PutObjectRetention", "s3:PutObjectLegalHold", "s3:PutObject"),
)
RESOURCES: tuple[Sequence[str], ...] = (
    ("*",),
    ("arn:aws:s3:::*",),
    (f"arn:aws:s3:::{FIRST}", f"arn:aws:s3:::{FIRST}/*"),
    (f"arn:aws:s3:::{FIRST}",),
    (f"arn:aws:s3:::{FIRST}/*",),
    ("arn:aws:s3:::agree-*",),
    ("arn:aws:s3:::agree-on?", "arn:aws:s3:::agree-on?/in/*"),
    ("arn:aws:s3:::*/in/*",),
    (f"arn:aws:s3:::{FIRST}/in/*", f"arn:aws:s3:::{FIRST}/top"),
    (f"arn:aws:s3:::{FIRST}/*.jpg", f"arn:aws:s3:::{LOCKED}/*"),
    (f"arn:aws:s3:::{FIRST}/in/?", f"arn:aws:s3:::{LOCKED}"),
    (f"arn:aws:s3:::{FIRST}/home/${{aws:username}}/*", f"arn:aws:s3:::{FIRST}"),
    ("arn:aws:s3:::agree-*/home/${aws:userid}/*",),
    (f"arn:aws:s3:::{FIRST}/home/${{aws:username, 'nobody'}}/a",),
)
NOT_RESOURCES: tuple[Sequence[str], ...] = (
    (f"arn:aws:s3:::{FIRST}/in/*",),
    (f"arn:aws:s3:::{FIRST}", f"arn:aws:s3:::{FIRST}/out/*"),
    ("arn:aws:s3:::*/home/${aws:username}/*",),
    (f"arn:aws:s3:::{LOCKED}*",),
    ("arn:aws:s3:::*/*.jpg", "arn:aws:s3:::*/in/tagged"),
)
CONDITIONS: tuple[dict[str, dict[str, Any]], ...] = (
    {"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}},
    {"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "2001:db8::1"]}},
    {"NotIpAddress": {"aws:SourceIp": [ADDRESS, "::1"]}},
    {"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}},
    {"IpAddressIfExists": {"aws:SourceIp": ADDRESS}},
    {"StringEquals": {"aws:username": [USERS[0], USERS[1]]}},
    {"StringNotEquals": {"aws:username": USERS[2]}},
    {"StringLike": {"aws:userid": "agree-user-?"}},
    {"StringEqualsIgnoreCase": {"aws:username": USERS[3].upper()}},
    {"StringLike": {"aws:UserAgent": "browser/*"}},
    {"StringNotLike": {"aws:UserAgent": ["*tool*", "curl*"]}},
    {"StringLike": {"aws:Referer": "https://office.example/*"}},
    {"StringLikeIfExists": {"aws:Referer": "https://office.example/*"}},
    {"StringNotLike": {"aws:Referer": "*"}},
    {"StringLike": {"aws:Referer": "*"}},
    {"Null": {"aws:Referer": "true"}},
    {"Null": {"aws:Referer": False, "aws:UserAgent": False}},
    {"StringLike": {"s3:prefix": ["in/*", ""]}},
    {"StringEquals": {"s3:prefix": "home/${aws:username}/"}},
    {"StringLikeIfExists": {"s3:prefix": "in/*", "s3:delimiter": "/"}},
    {"StringNotEquals": {"s3:prefix": "out/"}},
    {"Null": {"s3:prefix": "false"}},
    {"StringEquals": {"s3:delimiter": "/"}},
    {"NumericLessThanEquals": {"s3:max-keys": 10}},
    {"NumericGreaterThanIfExists": {"s3:max-keys": "10"}},
    {"NumericNotEquals": {"s3:max-keys": [10, 100]}},
    {"NumericEquals": {"s3:max-keys": ["10", "11"]}},
    {"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}},
    {"DateLessThan": {"aws:CurrentTime": "2020-01-01"}},
    {"DateNotEquals": {"aws:CurrentTime": "2021-06-01T00:00:00+02:00"}},
    {"DateLessThan": {"aws:EpochTime": "2090-01-01T00:00:00Z"}},
    {"NumericGreaterThan": {"aws:EpochTime": 4000000000}},
    {"Bool": {"aws:SecureTransport": "false"}},
    {"Bool": {"aws:SecureTransport": True}},
    {"BoolIfExists": {"aws:ViaAWSService": "false"}},
    {"StringEquals": {"aws:PrincipalType": "User"}},
    {"StringNotEquals": {"s3:authType": "REST-QUERY-STRING"}},
    {"StringEquals": {"s3:signatureversion": "AWS4-HMAC-SHA256"}},
    {"StringEquals": {"s3:x-amz-server-side-encryption": "AES256"}},
    {"StringNotEquals": {"s3:x-amz-server-side-encryption": "AES256"}},
    {"Null": {"s3:x-amz-server-side-encryption": "true"}},
    {"StringEquals": {"s3:x-amz-server-side-encryption": "none"}},
    {"StringEqualsIfExists": {"s3:x-amz-storage-class": "STANDARD"}},
    {"StringEquals": {"s3:x-amz-metadata-directive": ["COPY", "MERGE"]}},
    {"Null": {"s3:x-amz-copy-source": "true"}},
    {"StringEquals": {"s3:RequestObjectTag/team": ["red", "green"]}},
    {"StringNotEquals": {"s3:RequestObjectTag/team": "red"}},
    {"ForAllValues:StringEquals": {"s3:RequestObjectTagKeys": ["team", "owner"]}},
    {"ForAnyValue:StringEquals": {"s3:RequestObjectTagKeys": ["owner"]}},
    {"ForAnyValue:StringNotLike": {"s3:RequestObjectTagKeys": "t*"}},
    {"ForAllValues:StringNotEquals": {"s3:RequestObjectTagKeys": "owner"}},
    {"Null": {"s3:RequestObjectTagKeys": "true"}},
    # What a list for one key and operator can't say as one.
    {
        "StringEquals": {"s3:RequestObjectTagKeys": "team"},
        "StringEqualsIfExists": {"s3:RequestObjectTagKeys": "owner"},
    },
    {
        "ForAnyValue:StringLike": {"s3:RequestObjectTagKeys": "t*"},
        "StringLikeIfExists": {"s3:RequestObjectTagKeys": ["o*", "x"]},
    },
    {
        "ForAllValues:StringEquals": {"s3:RequestObjectTagKeys": "team"},
        "ForAllValues:StringEqualsIfExists": {"s3:RequestObjectTagKeys": "owner"},
    },
    {
        "StringEquals": {"aws:Referer": REFERER},
        "StringLike": {"aws:Referer": "https://*"},
        "Null": {"aws:Referer": "false"},
    },
    {
        "StringEquals": {"s3:prefix": ["", "in/"]},
        "StringEqualsIfExists": {"s3:prefix": ["", "out/"]},
        "StringLike": {"s3:prefix": "*"},
    },
    {
        "StringEquals": {"aws:UserAgent": list(AGENTS)},
        "StringEqualsIfExists": {"aws:UserAgent": AGENTS[0]},
        "Null": {"aws:UserAgent": False},
    },
    {"StringEquals": {"s3:ExistingObjectTag/team": "red"}},
    {"StringNotEqualsIfExists": {"s3:ExistingObjectTag/team": "red"}},
    {"StringEquals": {"s3:object-lock-mode": "GOVERNANCE"}},
    {"StringNotEquals": {"s3:object-lock-mode": "GOVERNANCE"}},
    {"DateLessThan": {"s3:object-lock-retain-until-date": "2080-01-01T00:00:00Z"}},
    {"StringEquals": {"s3:object-lock-legal-hold": "ON"}},
    {"StringLike": {"s3:versionid": "*-*"}},
    {"ForAnyValue:StringEquals": {"aws:username": USERS[0]}},
    {"ForAnyValue:StringNotEquals": {"aws:Referer": "https://else.example/"}},
    {
        "StringLike": {"s3:prefix": "in/*"},
        "StringEquals": {"s3:delimiter": "/"},
        "IpAddress": {"aws:SourceIp": "127.0.0.0/8"},
    },
    {
        "StringEquals": {"aws:username": list(USERS)},
        "StringNotEquals": {"aws:userid": USERS[1]},
    },
    {
        "NumericGreaterThan": {"s3:max-keys": 1},
        "NumericLessThan": {"s3:max-keys": 50},
        "NumericNotEquals": {"s3:max-keys": 11},
    },
    {
        "StringEqualsIfExists": {"s3:x-amz-server-side-encryption": "AES256"},
        "StringLikeIfExists": {"aws:Referer": "https://office.example/*"},
    },
)
