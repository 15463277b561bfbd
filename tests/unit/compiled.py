"""Statements, and what they become for an engine."""

from exordos_paas_storage.domain import capabilities, policy
from exordos_paas_storage.domain.language import compiler, document

MINIO, RUSTFS = capabilities.MINIO, capabilities.RUSTFS
BOTH = capabilities.ENGINES
DATA, OBJECTS = "arn:aws:s3:::data", "arn:aws:s3:::data/*"
EVERYTHING = "arn:aws:s3:::*"


def allow(actions, resources=OBJECTS, condition=None, **others):
    found = {"Effect": "Allow", "Action": actions, "Resource": resources, **others}
    return {**found, "Condition": condition} if condition else found


def deny(*given, **named):
    return {**allow(*given, **named), "Effect": "Deny"}


def found(engine, *statements, secure=False, limit_bytes=100_000):
    written = {"Version": policy.VERSION, "Statement": list(statements)}
    target = compiler.Target(engine, "", secure, limit_bytes)
    return compiler.compile(document.parse(written), target)


def statements(engine, *given, **named):
    return found(engine, *given, **named).document["Statement"]


def conditions(engine, *given, **named):
    """The conditions of what one statement becomes, in order."""
    return [one.get("Condition") for one in statements(engine, *given, **named)]


def warned(engine, *given, laxer=None):
    return {
        one.path: one.why
        for one in found(engine, *given).warnings
        if laxer in (None, one.laxer)
    }


def listing(condition):
    """An Allow of lists of objects, which carry most that is compared."""
    return allow(["s3:ListBucket", "s3:ListBucketVersions"], DATA, condition)
