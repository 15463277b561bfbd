"""Mistakes in manifests, and what is said of each."""

import functools
import uuid

from s3aas_element import identity

BUCKETS = "$s3aas.types.s3.instances.buckets"
KEYS = "$s3aas.types.s3.instances.users.access_keys"
POLICIES = "$s3aas.types.s3.instances.policies"
PERMISSIONS = "$core.iam.permissions"
GRANTS = "$core.iam.permission_bindings"
PASSWORDS = "$core.secret.passwords"
OPERATOR = str(identity.of("role", "operator"))


def drop(*path):
    def change(resources, data):
        *way, last = path
        functools.reduce(lambda found, key: found[key], way, resources).pop(last)

    return change


def put(*path, to):
    def change(resources, data):
        *way, last = path
        functools.reduce(lambda found, key: found[key], way, resources)[last] = to

    return change


def top(**sections):
    return lambda resources, data: data.update(sections)


def grant(label, role, permission):
    fields = {"role": role, "permission": f"{PERMISSIONS}.${permission}:uuid"}
    return put(GRANTS, label, to=fields)


# Element, what is changed in its manifest, and words of the problem.
ALL = [
    (
        "example_s3",
        drop(PASSWORDS, "reports_key", "project_id"),
        "'project_id' is a required property",
    ),
    (
        "example_s3",
        put(PASSWORDS, "reports_key", "lenght", to=40),
        f"{PASSWORDS}.$reports_key lenght: Core has no such field",
    ),
    (
        "example_s3",
        put(PASSWORDS, "reports_key", "method", to="DICE"),
        "'DICE' is not one of",
    ),
    (
        "example_s3",
        put("$core.secret.pins", to={"a": {}}),
        "$core.secret.pins.$a: Core has no such type",
    ),
    (
        "example_s3",
        put(BUCKETS, "media", "color", to="red"),
        f"{BUCKETS}.$media color: can't be declared",
    ),
    (
        "example_s3",
        put(BUCKETS, "media", "name", to="Media"),
        f"{BUCKETS}.$media name: must be 3 to 63",
    ),
    (
        "example_s3",
        drop(BUCKETS, "media", "instance"),
        f"{BUCKETS}.$media instance: is missing",
    ),
    (
        "example_s3",
        put("$s3aas.types.s3.instances.buckets.rules", to={"a": {}}),
        "buckets.rules.$a: S3 storage has no such type",
    ),
    (
        "example_s3",
        put("$s3aas.types.s3.versions", to={"mine": {}}),
        "versions come with the element s3aas alone",
    ),
    (
        "example_s3",
        put(POLICIES, "reports_reader", "document", to={"Statement": []}),
        f"{POLICIES}.$reports_reader document",
    ),
    (
        "example_s3",
        drop(KEYS, "reports", "secret_key"),
        f"{KEYS}.$reports secret_key: is missing",
    ),
    (
        "example_s3",
        put(KEYS, "reports", "secret_key", to="short"),
        f"{KEYS}.$reports secret_key: must be 8 to 40",
    ),
    (
        "example_s3",
        put(KEYS, "reports", "secret_key", to=f"{PASSWORDS}.$gone:value"),
        f"{PASSWORDS}.$gone is not declared here",
    ),
    (
        "example_s3",
        put(KEYS, "reports", "description", to='f"of {$core.a.$gone:name}"'),
        "$core.a.$gone is not declared here",
    ),
    (
        "example_s3",
        put(KEYS, "reports", "description", to="$self:color"),
        "an element has no 'color'",
    ),
    (
        "example_s3",
        put(KEYS, "reports", "description", to="$ 5"),
        "this is no link",
    ),
    (
        "example_s3",
        put(KEYS, "reports", "user", to="$example_s3.imports.$gone:uuid"),
        "imports.$gone is not imported",
    ),
    (
        "example_s3",
        top(requirements={"core": {}}),
        "the element s3aas is not in requirements",
    ),
    ("example_s3", top(version="1"), "Core does not take it"),
    ("example_s3", top(api_version="v9"), "Core does not take it"),
    ("example_s3", top(exports={"a": {}}), "Core does not take it"),
    ("example_s3", top(imports=[1]), "imports: must be a mapping"),
    (
        "example_s3",
        put(BUCKETS, "media", to=["a"]),
        f"resources.{BUCKETS}.media: must be a mapping",
    ),
    (
        "example_s3",
        top(
            imports={
                "storage": {
                    "element": "$communal_s3",
                    "kind": "resource",
                    "link": "$s3aas.types.s3.instances.$other",
                }
            }
        ),
        "communal_s3 does not export $s3aas.types.s3.instances.$other",
    ),
    (
        "communal_s3",
        top(exports={"other": {"link": "$s3aas.types.s3.instances.$other"}}),
        "exports.other: $s3aas.types.s3.instances.$other is not declared here",
    ),
    (
        "s3aas",
        drop(PERMISSIONS, "s3aas_bucket_create"),
        f"{PERMISSIONS}: s3aas.bucket.create is not declared",
    ),
    (
        "s3aas",
        put(PERMISSIONS, "s3aas_all", to={"name": "s3aas.*.*"}),
        f"{PERMISSIONS}.$s3aas_all: a wildcard",
    ),
    (
        "s3aas",
        put(PERMISSIONS, "s3aas_fly", to={"name": "s3aas.bucket.fly"}),
        "nothing asks for s3aas.bucket.fly",
    ),
    (
        "s3aas",
        grant("more", "$core.iam.roles.$viewer:uuid", "s3aas_bucket_delete"),
        "viewer must not have s3aas.bucket.delete",
    ),
    (
        "s3aas",
        grant("none", "$core.iam.roles.$viewer:uuid", "s3aas_bucket_fly"),
        f"{PERMISSIONS}.$s3aas_bucket_fly is not declared here",
    ),
    (
        "s3aas",
        grant("who", str(uuid.UUID(int=7)), "s3aas_bucket_read"),
        "is no role of the table",
    ),
    (
        "s3aas",
        drop(GRANTS, "owner_s3aas_role_owner"),
        "owner lacks s3aas.role.owner",
    ),
    (
        "s3aas",
        put("$metapaas.types", "s3", "package", to="no package"),
        "$metapaas.types.$s3: MetaPaaS does not take it",
    ),
    (
        "s3aas",
        drop("$metapaas.types", "s3", "project_id"),
        "$metapaas.types.$s3: MetaPaaS does not take it",
    ),
    (
        "s3aas",
        put("$metapaas.types", "s3", "wheel", to="x"),
        "$metapaas.types.$s3 wheel: MetaPaaS has no such field",
    ),
    (
        "s3aas",
        put("$s3aas.types.s3.versions", "v0_0_1", "engine", to="ceph"),
        "$v0_0_1 engine: must be one of",
    ),
    (
        "s3aas",
        put("$core.iam.roles", "viewer", "uuid", to=OPERATOR),
        "$core.iam.roles.$viewer: another object has its uuid",
    ),
]
