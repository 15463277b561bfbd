"""The condition keys that an engine can't decide by: rows of the table of refusals."""

from __future__ import annotations

from exordos_paas_storage.domain import capabilities

RUSTFS = (capabilities.RUSTFS,)
MINIO = (capabilities.MINIO,)
BOTH = capabilities.ENGINES

ESCAPED = "a tag's key that JSON escapes"

# Names, the engines that can't, and why, as `refusals.Refusal` has them.
ROWS: tuple[tuple[tuple[str, ...], tuple[str, ...], str], ...] = (
    (
        ("aws:MultiFactorAuthAge", "aws:MultiFactorAuthPresent"),
        BOTH,
        "keys sign without a second factor, so that no request tells of one",
    ),
    (
        (
            "aws:AssumedRoot",
            "aws:FederatedProvider",
            "aws:PrincipalAccount",
            "aws:PrincipalArn",
            "aws:PrincipalOrgID",
            "aws:PrincipalOrgPaths",
            "aws:ResourceAccount",
            "aws:ResourceOrgID",
            "aws:ResourceOrgPaths",
            "aws:SourceIdentity",
            "aws:TokenIssueTime",
            "s3:ResourceAccount",
        ),
        BOTH,
        "there are no AWS accounts, roles and organizations here",
    ),
    (
        (
            "aws:CalledVia",
            "aws:CalledViaFirst",
            "aws:CalledViaLast",
            "aws:ChatbotSourceArn",
            "aws:PrincipalServiceName",
            "aws:PrincipalServiceNamesList",
            "aws:SourceAccount",
            "aws:SourceArn",
            "aws:SourceOrgID",
            "aws:SourceOrgPaths",
        ),
        BOTH,
        "requests come from clients and never from a service of AWS",
    ),
    (
        (
            "aws:Ec2InstanceSourcePrivateIPv4",
            "aws:Ec2InstanceSourceVpc",
            "aws:SourceVpc",
            "aws:SourceVpcArn",
            "aws:SourceVpce",
            "aws:VpceAccount",
            "aws:VpceOrgID",
            "aws:VpceOrgPaths",
            "aws:VpcSourceIp",
        ),
        BOTH,
        "there are no VPCs of AWS here; aws:SourceIp is the address of the client",
    ),
    (
        (
            "aws:PrincipalTag",
            "aws:RequestTag",
            "aws:ResourceTag",
            "aws:TagKeys",
            "s3:AccessPointTag",
            "s3:BucketTag",
        ),
        BOTH,
        "the engines compare no tags but those of objects",
    ),
    (
        (
            "s3:AccessGrantsInstanceArn",
            "s3:AccessPointNetworkOrigin",
            "s3:DataAccessPointAccount",
            "s3:DataAccessPointArn",
        ),
        BOTH,
        "there are no access points and access grants here",
    ),
    (("aws:RequestedRegion",), BOTH, "an instance has one region"),
    (("s3:TlsVersion",), BOTH, "the engines don't tell it"),
    (
        (
            "s3:if-match",
            "s3:if-none-match",
            "s3:object-lock-remaining-retention-days",
            "s3:ObjectCreationOperation",
            "s3:x-amz-website-redirect-location",
        ),
        BOTH,
        "the engines compare it nowhere, or not for uploads",
    ),
    (
        ("s3:signatureAge",),
        BOTH,
        "RustFS knows it of no request, and MinIO believes the client's header",
    ),
    (
        ("s3:x-amz-server-side-encryption-aws-kms-key-id",),
        RUSTFS,
        "RustFS does not know it",
    ),
    (
        ("s3:ExistingObjectTag",),
        MINIO,
        "MinIO compares tags that the request itself sends, for some calls",
    ),
    (
        (
            "s3:x-amz-acl",
            "s3:x-amz-grant-full-control",
            "s3:x-amz-grant-read",
            "s3:x-amz-grant-read-acp",
            "s3:x-amz-grant-write",
            "s3:x-amz-grant-write-acp",
        ),
        MINIO,
        "MinIO has no ACLs and does not know it",
    ),
    (
        (ESCAPED,),
        RUSTFS,
        "RustFS reads no condition key with a quote, a backslash or a letter beyond "
        "ASCII",
    ),
)
