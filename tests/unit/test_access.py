"""The access table: who may do what, and which fields a role sees and sets."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exordos_paas_storage.domain import access, errors

ACTIONS = {access.SUSPEND, access.RESUME, access.ROTATE}
VERBS = {access.CREATE, access.READ_VERB, access.UPDATE, access.DELETE, *ACTIONS}
PERMISSION = re.compile(r"s3aas\.[a-z_]+\.[a-z_]+")


def all_fields():
    return [
        pytest.param(resource, name, id=f"{resource.name}.{name}")
        for resource in access.RESOURCES
        for name in resource.fields
    ]


@pytest.mark.parametrize("resource", access.RESOURCES, ids=lambda one: one.name)
def test_a_viewer_only_reads(resource):
    assert {verb for verb in VERBS if resource.may(access.VIEWER, verb)} == {
        access.READ_VERB
    }


@pytest.mark.parametrize(("resource", "name"), all_fields())
def test_a_viewer_sets_no_field(resource, name):
    assert resource.level(access.VIEWER, name) <= access.READ


@pytest.mark.parametrize(("resource", "name"), all_fields())
def test_a_stronger_role_may_what_a_weaker_one_may(resource, name):
    levels = [resource.level(role, name) for role in access.ROLES]

    assert levels == sorted(levels, reverse=True)


def test_only_owners_make_keys_instances_and_policies():
    for resource in (access.ACCESS_KEY, access.INSTANCE, access.POLICY):
        assert [r for r in access.ROLES if resource.may(r, access.CREATE)] == [
            access.OWNER
        ]


def test_a_secret_is_hidden_from_all_but_the_owner_who_makes_the_key():
    shown = [access.ACCESS_KEY.level(role, "secret_key") for role in access.ROLES]

    assert shown == [access.SET_ONCE, access.HIDDEN, access.HIDDEN]
    assert access.ACCESS_KEY.fields["secret_key"].once


def test_nobody_changes_versions():
    assert set(access.VERSION.verbs) == {access.READ_VERB}


def test_attachments_are_made_and_removed_and_never_changed():
    assert access.UPDATE not in access.ATTACHMENT.verbs


@pytest.mark.parametrize("role", access.ROLES)
def test_permissions_are_expanded_names_without_wildcards(role):
    *granted, marker = access.permissions(role)

    assert marker == f"s3aas.role.{role}"
    assert all(PERMISSION.fullmatch(name) for name in granted)
    assert len(granted) == len(set(granted))


@pytest.mark.parametrize("role", access.ROLES)
def test_permissions_are_what_the_table_allows(role):
    granted = {
        access.permission(resource.name, verb)
        for resource in access.RESOURCES
        for verb in VERBS
        if resource.may(role, verb)
    }

    assert set(access.permissions(role)) == granted | {access.marker(role)}


def test_no_role_reaches_what_manifests_declared():
    every = access.all_permissions()

    assert access.REACH_DECLARED in every and len(every) == len(set(every))
    for role in access.ROLES:
        assert set(access.permissions(role)) < set(every) - {access.REACH_DECLARED}


def test_permissions_of_a_viewer():
    assert access.permissions(access.VIEWER) == [
        *(
            f"s3aas.{name}.read"
            for name in ("version", "instance", "bucket", "user", "policy")
        ),
        "s3aas.attachment.read",
        "s3aas.access_key.read",
        "s3aas.role.viewer",
    ]


@given(st.sampled_from(access.RESOURCES), st.sampled_from(access.ROLES), st.text())
def test_an_unlisted_field_is_hidden(resource, role, name):
    if name not in resource.fields:
        assert resource.level(role, name) == access.HIDDEN


@given(st.sampled_from(access.RESOURCES), st.sampled_from(access.ROLES), st.text())
def test_an_unlisted_verb_is_refused(resource, role, verb):
    if verb not in VERBS:
        assert not resource.may(role, verb)


def test_kinds():
    assert [resource.kind for resource in access.RESOURCES] == [
        "s3_version",
        "s3_instance",
        "s3_bucket",
        "s3_user",
        "s3_policy",
        "s3_policy_attachment",
        "s3_access_key",
    ]


@pytest.mark.parametrize("resource", access.RESOURCES, ids=lambda one: one.name)
def test_every_object_has_the_common_fields(resource):
    common = "id uuid kind status status_message conditions generation created_at "
    common += "updated_at labels"

    assert set(common.split()) <= set(resource.fields)


@pytest.mark.parametrize(("resource", "name"), all_fields())
def test_defaults_keep_their_own_rule(resource, name):
    field = resource.fields[name]
    settable = max(field.access) > access.READ

    if settable and not field.required and field.default is not None:
        access.check(resource, name, field.default)
        assert field.rule.holds(field.default)


@pytest.mark.parametrize(("resource", "name"), all_fields())
def test_null_is_a_value_or_has_a_default(resource, name):
    field = resource.fields[name]
    settable = max(field.access) > access.READ

    if settable and not field.required:
        assert field.rule.holds(None) or field.default is not None


@pytest.mark.parametrize(("resource", "name"), all_fields())
def test_what_comes_later_is_refused_and_never_stored(resource, name):
    field = resource.fields[name]
    if not field.later:
        return
    access.check(resource, name, field.default)
    access.check(resource, name, None)

    with pytest.raises(errors.NotYetSupported, match=f"^{name}: "):
        access.check(resource, name, {"anything": "else"})


@pytest.mark.parametrize(("name", "value"), [("read_only", 0), ("read_only", 0.0)])
def test_a_number_is_no_default_of_a_flag_that_comes_later(name, value):
    with pytest.raises(errors.RequestError):
        access.check(access.INSTANCE, name, value)


def test_a_broken_rule_names_the_field():
    with pytest.raises(errors.InvalidValue, match=r"^cpu: must be an integer"):
        access.check(access.INSTANCE, "cpu", True)


@pytest.mark.parametrize(
    ("resource", "action", "roles"),
    [
        (access.INSTANCE, access.SUSPEND, {access.OWNER, access.OPERATOR}),
        (access.INSTANCE, access.RESUME, {access.OWNER, access.OPERATOR}),
        (access.ACCESS_KEY, access.ROTATE, {access.OWNER}),
    ],
)
def test_who_may_act(resource, action, roles):
    assert {role for role in access.ROLES if resource.may(role, action)} == roles
