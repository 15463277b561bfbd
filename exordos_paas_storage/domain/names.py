"""Names: what objects may be called, and what is kept for the service."""

from __future__ import annotations

import ipaddress

from exordos_paas_storage.domain import rules

# Words that are, or may become, a path segment below an object.
PATH_WORDS = frozenset(
    [
        "actions",
        "access-keys",
        "access_keys",
        "audit",
        "buckets",
        "conditions",
        "events",
        "keys",
        "lint",
        "objects",
        "policies",
        "quota",
        "replication",
        "share",
        "simulate",
        "usage",
        "users",
        "versions",
    ]
)
# Paths of the engines on the S3 port, and names that one of them refuses.
ENGINE_WORDS = frozenset(
    ("health", "minio", "profile", "iceberg", "favicon.ico", "rustfs")
)
# An engine's own accounts: MinIO keeps the first for itself.
RESERVED_ACCOUNTS = frozenset(("site-replicator-0",))


def free(name: str) -> bool:
    """Whether a name can be told from an id and from a path segment of ours."""
    return not rules.is_uuid(name) and name not in PATH_WORDS


def _bucket(name: str) -> bool:
    try:
        ipaddress.IPv4Address(name)
    except ValueError:
        is_address = False
    else:
        is_address = True
    return (
        free(name)
        and not is_address
        and not any(pair in name for pair in ("..", ".-", "-."))
        and name not in ENGINE_WORDS
        and not name.startswith(("xn--", "sthree-"))
        and not name.endswith("-s3alias")
    )


_FREE = "not look like a UUID and not be a reserved word"

BUCKET = rules.pattern(
    r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
    "must be 3 to 63 of a-z, 0-9, '.' and '-', begin and end with a letter or digit, "
    "have no '..', '.-' or '-.', not be an IP address, not begin with 'xn--' or "
    f"'sthree-', not end with '-s3alias', {_FREE}",
    _bucket,
)
INSTANCE = rules.pattern(
    r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}",
    f"must be 1 to 63 of letters, digits, '.', '_' and '-', begin with a letter or "
    f"digit, {_FREE}",
    free,
)
POLICY = rules.pattern(
    r"[A-Za-z0-9][A-Za-z0-9._-]{2,62}",
    f"must be 3 to 63 of letters, digits, '.', '_' and '-', begin with a letter or "
    f"digit, {_FREE}",
    free,
)
USER = rules.pattern(
    r"[A-Za-z0-9][A-Za-z0-9._@+-]{2,63}",
    "must be 3 to 64 of letters, digits, '.', '_', '@', '+' and '-', begin with a "
    f"letter or digit, {_FREE}",
    lambda name: free(name) and name not in RESERVED_ACCOUNTS,
)
ACCESS_KEY = rules.pattern(
    r"[A-Za-z0-9]{3,20}",
    f"must be 3 to 20 letters and digits, {_FREE}",
    free,
)
SECRET_KEY = rules.pattern(
    r"[!-~]{8,40}", "must be 8 to 40 printable ASCII characters, no space", bool
)
