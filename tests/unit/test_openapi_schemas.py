"""Schemas of the OpenAPI document: the access table, as read and as sent."""

import json

import jsonschema
import pytest

from exordos_paas_storage.api import openapi, routes
from exordos_paas_storage.domain import access, errors

NAMES = ("Version", "Instance", "Bucket", "User", "Policy", "PolicyAttachment")
KINDS = list(zip(access.RESOURCES, (*NAMES, "AccessKey"), strict=True))


@pytest.fixture(scope="module")
def document():
    built = openapi.document(routes.TypeRoute, openapi.PREFIX, "/")
    return json.loads(json.dumps(built))


@pytest.fixture(scope="module")
def schema(document):
    def named(name):
        return document["components"]["schemas"][name]

    return named


def takes(schema, value):
    return jsonschema.Draft202012Validator(schema).is_valid(value)


@pytest.mark.parametrize(("resource", "kind"), KINDS)
def test_what_is_read_are_the_visible_fields_all_required(schema, resource, kind):
    visible = {
        name
        for name, field in resource.fields.items()
        if resource.level(access.OWNER, name) > access.HIDDEN and not field.once
    }

    assert set(schema(kind)["properties"]) == visible
    assert set(schema(kind)["required"]) == visible


@pytest.mark.parametrize(("resource", "kind"), KINDS)
def test_every_role_sees_the_fields_that_are_read(resource, kind, schema):
    for role in access.ROLES:
        for name in schema(kind)["properties"]:
            assert resource.level(role, name) > access.HIDDEN


@pytest.mark.parametrize(
    ("resource", "kind"), [one for one in KINDS if access.CREATE in one[0].verbs]
)
def test_what_creates_are_the_settable_fields_that_have_effect(schema, resource, kind):
    found = schema(f"{kind}Create")
    settable = {
        name: field
        for name, field in resource.fields.items()
        if max(field.access) >= access.SET_ONCE and not field.later
    }

    assert set(found["properties"]) == set(settable)
    assert set(found.get("required", ())) == {
        name for name, field in settable.items() if field.required
    }
    assert found["additionalProperties"] is False


@pytest.mark.parametrize(
    ("resource", "kind"), [one for one in KINDS if access.UPDATE in one[0].verbs]
)
def test_what_updates_are_the_writable_fields_and_the_rest_read_only(
    schema, resource, kind
):
    fields = schema(f"{kind}Update")["properties"]
    writable = {
        name
        for name, field in resource.fields.items()
        if max(field.access) == access.WRITE and not field.later
    }

    assert set(fields) == set(schema(kind)["properties"])
    assert {name for name in fields if not fields[name].get("readOnly")} == writable
    assert "required" not in schema(f"{kind}Update")


def test_versions_are_only_read_and_attachments_never_updated(document):
    names = set(document["components"]["schemas"])

    assert not {"VersionCreate", "VersionUpdate", "PolicyAttachmentUpdate"} & names


@pytest.mark.parametrize(("resource", "kind"), KINDS)
def test_kind_is_the_resources_own(schema, resource, kind):
    assert schema(kind)["properties"]["kind"]["const"] == resource.kind


def test_the_secret_is_in_the_answer_that_creates_a_key_alone(document, schema):
    named = {
        name
        for name, found in document["components"]["schemas"].items()
        if "secret_key" in found.get("properties", {})
    }
    users = "/v1/types/s3/instances/{instance}/users/{user}"
    created = document["paths"][f"{users}/access-keys"]["post"]["responses"]["201"]

    assert named == {"AccessKeyCreate", "AccessKeyCreated"}
    assert created["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/AccessKeyCreated"
    }
    assert "secret_key" in schema("AccessKeyCreated")["required"]
    # The other one is what rotates it.
    assert json.dumps(document).count("schemas/AccessKeyCreated") == 2
    # A call that is repeated late has its first answer without the secret.
    assert takes(schema("AccessKeyCreated")["properties"]["secret_key"], None)


def test_null_is_read_where_it_is_a_value_alone(schema):
    bucket, key = schema("Bucket")["properties"], schema("AccessKey")["properties"]

    assert takes(bucket["versioning"], None)
    assert not takes(bucket["name"], None)
    assert not takes(key["access_key"], None)
    assert takes(key["rotated_to"], None)
    assert takes(schema("Instance")["properties"]["bucket_name"], None)
    assert takes(schema("User")["properties"]["policies"], None)


@pytest.mark.parametrize(
    ("name", "body", "valid"),
    [
        # The contract's own example.
        (
            "InstanceCreate",
            {"name": "s3-data", "version": "0.0.1", "bucket_name": "data-bucket"}
            | {"encryption": "aes256", "versioning": True},
            True,
        ),
        ("InstanceCreate", {}, False),
        ("InstanceCreate", {"name": None}, False),
        ("InstanceCreate", {"name": "a", "cpu": None}, True),
        ("InstanceCreate", {"name": "a", "cpu": True}, False),
        ("InstanceCreate", {"name": "a", "status": "ACTIVE"}, False),
        ("InstanceCreate", {"name": "a", "read_only": True}, True),
        ("InstanceUpdate", {}, True),
        ("InstanceUpdate", {"encryption": "aws:kms"}, False),
        ("InstanceUpdate", {"unheard_of": 1}, False),
        ("BucketUpdate", {"name": "data", "versioning": None}, True),
        ("AccessKeyCreate", {}, True),
        ("PolicyAttachmentCreate", {"policy": "read-only"}, True),
        ("PolicyAttachmentCreate", {}, False),
    ],
)
def test_bodies(schema, name, body, valid):
    assert takes(schema(name), body) == valid


def test_the_error_form_has_all_types_and_codes(schema):
    known = errors.request_errors()

    assert schema("Error")["required"] == ["type", "code", "message"]
    assert schema("Error")["properties"]["type"]["enum"] == list(known)
    assert set(schema("Error")["properties"]["code"]["enum"]) == {
        error.status for error in known.values()
    }


@pytest.mark.parametrize(
    ("body", "valid"),
    [
        ({"grant_type": "password", "username": "a", "password": "b"}, True),
        ({"grant_type": "refresh_token", "refresh_token": "t", "ttl": 60}, True),
        ({"grant_type": "password", "username": "a"}, False),
        ({"grant_type": "client_credentials"}, False),
        ({}, False),
    ],
)
def test_grants(schema, body, valid):
    assert takes(schema("TokenRequest"), body) == valid
