"""Users, policies, attachments and keys, as tenants with boto3 meet them."""

import datetime

import pytest

from exordos_paas_storage.domain import policy
from tests import box, tenants
from tests.functional import conftest
from tests.service import made
from tests.tenants import DONE, NO

EFFECT_S = 30.0


@pytest.fixture
def tenant(place):
    return tenants.Tenant(place)


def until(key, call, wanted, name="x"):
    """Wait until a request with a key ends so."""
    ask = getattr(key, call)
    box.wait_until(lambda: ask(name) == wanted, EFFECT_S)


@pytest.mark.parametrize("template", policy.TEMPLATES)
def test_every_instance_has_the_templates_as_policies(api, place, template):
    found = api.wait(f"{place.at}/policies/{template}")

    assert (found["reserved"], found["template"]) == (True, template)
    path = f"{place.at}/policies/{template}"
    made.refused(api.delete(path), 409, "PolicyReserved")
    wider = {"document": tenants.allowing("s3:*"), "template": None}
    made.refused(api.patch(path, wider), 409, "PolicyReserved")


@pytest.mark.parametrize(
    ("template", "gets", "puts"),
    [
        ("read-only", DONE, NO),
        ("read-write", DONE, DONE),
        ("write-only", NO, DONE),
        ("backup", DONE, DONE),
        ("bucket-owner", DONE, DONE),
    ],
)
def test_a_template_opens_what_it_says(place, template, gets, puts):
    key = place.key(place.user(policies=[template]))

    assert (key.gets(), key.puts("y")) == (gets, puts)


def test_a_template_can_be_narrowed_to_a_bucket_and_a_prefix(api, place):
    name = made.unique("narrow")
    api.make(
        f"{place.at}/policies",
        name=name,
        template="read-only",
        parameters={"bucket": place.bucket, "prefix": "in/"},
    )
    key = place.key(place.user(policies=[name]))

    assert (key.gets("in/x"), key.gets("x"), key.puts("in/x")) == (DONE, NO, NO)


def test_a_document_decides_and_its_change_follows(api, tenant):
    assert tenant.key.puts() == DONE

    api.change(tenant.policy_path, document=tenants.allowing("s3:GetObject"))

    until(tenant.key, "puts", NO)
    assert tenant.key.gets() == DONE
    api.change(tenant.policy_path, document=tenants.allowing("s3:*"))
    until(tenant.key, "puts", DONE)


def test_a_condition_is_kept_through_every_edit(api, place):
    """Once an edit dropped conditions, and opened what they had closed."""
    document = tenants.allowing("s3:GetObject", "s3:PutObject")
    document["Statement"][0]["Condition"] = {
        "DateLessThan": {"aws:CurrentTime": "2001-01-01T00:00:00Z"}
    }
    name = made.unique("dated")
    api.make(f"{place.at}/policies", name=name, document=document)
    key = place.key(place.user(policies=[name]))
    assert key.gets() == NO

    document["Statement"][0]["Action"] = ["s3:GetObject"]
    api.change(f"{place.at}/policies/{name}", document=document)

    shown = api.wait(f"{place.at}/policies/{name}")
    assert shown["document"] == document
    assert key.gets() == NO
    del document["Statement"][0]["Condition"]
    api.change(f"{place.at}/policies/{name}", document=document)
    until(key, "gets", DONE)


@pytest.mark.parametrize(
    "document",
    [{}, {"a": 1}, {"Version": "2012-10-17", "Statement": [{"Effect": "Maybe"}]}],
)
def test_a_document_that_is_none_is_refused(api, place, document):
    body = {"name": made.unique("never"), "document": document}

    made.refused(api.post(f"{place.at}/policies", body), 400, "InvalidPolicy")


def test_attaching_and_detaching_take_effect(api, tenant, place):
    user = place.user(policies=[])
    key = place.key(user)
    assert key.puts() == NO

    answer = api.post(f"{user}/policies", {"policy": tenant.policy})

    assert answer.status_code == 201
    assert answer.json()["policy"] == tenant.policy
    until(key, "puts", DONE)
    again = api.post(f"{user}/policies", {"policy": tenant.policy})
    made.refused(again, 409, "AlreadyAttached")
    made.refused(api.delete(tenant.policy_path), 409, "PolicyInUse")
    api.remove(f"{user}/policies/{tenant.policy}")
    until(key, "puts", NO)
    assert api.show(user)["policies"] == []


def test_without_a_list_a_user_has_the_instances_policies(api, place):
    user = place.user()
    key = place.key(user)
    assert api.show(user)["policies"] is None
    assert key.puts() == DONE

    api.change(user, policies=["read-only"])

    until(key, "puts", NO)
    api.change(user, policies=None)
    until(key, "puts", DONE)


def test_a_disabled_user_stops_with_all_keys(api, place):
    user = place.user()
    keys = [place.key(user), place.key(user)]

    api.change(user, enabled=False)

    for key in keys:
        until(key, "gets", NO)
    api.change(user, enabled=True)
    for key in keys:
        until(key, "gets", DONE)


def test_a_policy_of_another_instance_is_unknown_here(api, tenant, stranger):
    other = made.unique("other")
    stranger.make("/instances", name=other)
    try:
        body = {"name": "anna", "policies": [tenant.policy]}
        answer = stranger.post(f"/instances/{other}/users", body)
        assert answer.status_code in (400, 404), answer.text
    finally:
        stranger.remove(f"/instances/{other}")
        stranger.wait_gone(f"/instances/{other}", conftest.INSTANCE_S)


def test_a_key_can_be_given(api, place):
    user = place.user()
    given = {
        "access_key": f"GIVEN{made.unique('')[1:].upper()}",
        "secret_key": made.unique("chosen-by-anna"),
    }
    answer = api.post(f"{user}/access-keys", given)

    assert answer.status_code == 201, answer.text
    assert place.known(user, answer.json()).puts() == DONE
    again = api.post(f"{user}/access-keys", given)
    made.refused(again, 409, "AccessKeyTaken")


def test_a_disabled_key_is_refused_and_acts_again(api, place):
    key = place.key(place.user())

    api.change(key.path, enabled=False)

    until(key, "gets", NO)
    box.wait_until(lambda: place.on_engine(key) == ("False", "Disabled"), EFFECT_S)
    api.change(key.path, enabled=True)
    until(key, "gets", DONE)


@pytest.mark.parametrize("scope", ["preset", "document"])
def test_a_scope_narrows_a_key(api, place, scope):
    asked = {
        "preset": {"preset": "read-only", "bucket": place.bucket, "prefix": "in/"},
        "document": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": ["s3:GetObject"],
                    "Resource": [f"arn:aws:s3:::{place.bucket}/in/*"],
                }
            ],
        },
    }[scope]
    key = place.key(place.user(), scope=asked)

    assert (key.gets("in/x"), key.gets("x"), key.puts("in/x")) == (DONE, NO, NO)
    api.change(key.path, scope=None)
    until(key, "puts", DONE)


def test_a_key_ends_at_its_second(place):
    user = place.user()
    end, text = tenants.ahead(6)
    key = place.key(user, expires_at=text)

    key.lasts_until(end)

    place.says_expired(key)


def test_a_rotation_has_two_keys_for_its_overlap(api, place):
    user = place.user()
    old = place.key(user)

    answer = api.post(f"{old.path}/actions/rotate/invoke", {"overlap_s": 10})

    assert answer.status_code == 201, answer.text
    new = place.known(user, answer.json())
    shown = api.show(old.path)
    assert shown["rotated_to"] == new.pair.access_key
    assert {old.gets(), new.gets()} == {DONE}
    end = tenants.moment(shown["expires_at"])
    assert end > datetime.datetime.now(tenants.UTC)
    again = api.post(f"{old.path}/actions/rotate/invoke", {})
    made.refused(again, 409, "AlreadyRotated")
    old.lasts_until(end)
    assert new.gets() == DONE


def test_a_key_configures_nothing(place):
    key = place.key(place.user(policies=["bucket-owner"]))

    for call, more in (
        (key.s3.create_bucket, {"Bucket": made.unique("by-hand")}),
        (key.s3.delete_bucket, {"Bucket": place.bucket}),
        (
            key.s3.put_bucket_versioning,
            {
                "Bucket": place.bucket,
                "VersioningConfiguration": {"Status": "Suspended"},
            },
        ),
    ):
        with pytest.raises(Exception, match="AccessDenied"):
            call(**more)
