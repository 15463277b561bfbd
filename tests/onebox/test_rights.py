"""Rights on a service started by its command, as tenants with boto3 meet them."""

import time

import pytest

from tests import box, engines, figures, tenants
from tests.tenants import DONE, NO


def patched(path_of, before, after):
    """A change by PATCH and its undoing."""
    return tuple(
        lambda tenant, body=body: tenant.client.update(path_of(tenant), body)
        for body in (before, after)
    )


def invoked(*actions):
    return tuple(
        lambda tenant, action=action: tenant.client.invoke(tenant.place.at, action)
        for action in actions
    )


def of_user(tenant):
    return tenant.user


def of_key(tenant):
    return tenant.key.path


# What takes a tenant's right to write, and what gives it back.
OF_ONE = {
    "policy edited": patched(
        lambda tenant: tenant.policy_path,
        {"document": tenants.allowing("s3:GetObject")},
        {"document": tenants.allowing("s3:*")},
    ),
    "policy detached": (
        lambda tenant: tenant.client.delete(f"{tenant.user}/policies/{tenant.policy}"),
        lambda tenant: tenant.client.create(
            f"{tenant.user}/policies", {"policy": tenant.policy}
        ),
    ),
    "policies replaced": patched(
        of_user, {"policies": ["read-only"]}, {"policies": ["read-write"]}
    ),
    "user disabled": patched(of_user, {"enabled": False}, {"enabled": True}),
    "key disabled": patched(of_key, {"enabled": False}, {"enabled": True}),
    "key scoped": patched(of_key, {"scope": {"preset": "read-only"}}, {"scope": None}),
}
OF_ALL = {
    "instance suspended": invoked("suspend", "resume"),
    "instance read-only": patched(
        lambda tenant: tenant.place.at, {"read_only": True}, {"read_only": False}
    ),
}


@pytest.fixture(scope="module")
def place(service):
    """An instance of its own on the service that other tests use, too."""
    client, name = service.client(), tenants.unique("rights")
    client.create("/instances", {"name": name, "bucket_name": "data"})
    yield tenants.Place(client, name)
    box.removed(client, f"/instances/{name}")


@pytest.mark.parametrize("what", [*OF_ONE, *OF_ALL])
def test_a_change_takes_effect_and_is_undone(service, place, what):
    tenant = tenants.Tenant(place)
    for change, may in zip((OF_ONE | OF_ALL)[what], (False, True), strict=True):
        change(tenant)
        answered = time.monotonic()

        box.wait_until(lambda may=may: tenant.key.may_put() is may)

        named = f"{what}{' and undone' if may else ''}, on one box"
        figures.took(service.engine, named, time.monotonic() - answered)
        for path in (place.at, tenant.policy_path, tenant.user, tenant.key.path):
            place.wait(path)
        assert tenant.key.may_put() is may


def test_a_writer_changes_to_the_next_key_without_a_failed_request(service, place):
    user = place.user()
    old = place.key(user)
    with tenants.Writer(old) as writer:
        writer.goes_on()
        shown = place.client.invoke(old.path, "rotate", {"overlap_s": 10})
        new = place.known(user, shown)
        end = tenants.moment(place.client.get(old.path)["expires_at"])
        writer.goes_on()
        writer.key = new
        assert tenants.now() < end

        late_s = old.lasts_until(end)

        writer.goes_on()
    assert writer.failed == []
    figures.took(service.engine, "end of a rotated key, on one box", late_s)
    place.says_expired(old)
    assert place.on_engine(new) == ("True", "Held")


def test_a_key_ends_in_the_middle_of_a_loop_and_acts_again_when_it_is_moved(
    service, place
):
    user = place.user()
    end, text = tenants.ahead(6)
    key = place.key(user, expires_at=text)

    late_s = key.lasts_until(end)

    figures.took(service.engine, "end of a key, on one box", late_s)
    place.says_expired(key)
    later = tenants.ahead(3600)[1]
    place.client.update(key.path, {"expires_at": later})
    # With the secret that was told once, when it was made.
    box.wait_until(key.may_put)
    shown = place.wait(key.path)
    assert shown["expires_at"] == later
    assert place.on_engine(key) == ("True", "Held")


@pytest.mark.parametrize("which", ["itself", "sibling"])
def test_a_key_that_a_tenant_removed_comes_back_as_it_was(service, place, which):
    """The engines let a key remove keys of its user, whatever is denied to it."""
    user = place.user()
    key = place.key(user, scope={"preset": "read-only"})
    actor = key if which == "itself" else place.key(user)
    admin = engines.admin_of(service.engine, place.endpoint, actor.pair)

    named = {"accessKey": key.pair.access_key}
    admin.tell("DELETE", "delete-service-account", named)
    assert key.gets() == NO
    # Every turn of an instance looks at all of its keys; without this it has one
    # about every minute.
    size = place.client.get(place.at)["cpu"]
    place.client.update(place.at, {"cpu": size + 1})

    box.wait_until(lambda: key.gets() == DONE)
    place.wait(key.path)
    assert key.puts() == NO


def test_a_writer_notes_nothing_of_changes_that_leave_it_its_right(place):
    tenant = tenants.Tenant(place)
    own = tenants.allowing("s3:PutObject", "s3:GetObject")
    wide = [tenant.policy, "read-write"]
    later, latest = tenants.ahead(3600)[1], tenants.ahead(7200)[1]
    changes = [
        (tenant.policy_path, {"document": own}),
        *((tenant.user, {"policies": names}) for names in (wide, wide[1:], wide)),
        (tenant.key.path, {"expires_at": later}),
        (tenant.key.path, {"scope": {"preset": "read-write"}}),
        (tenant.key.path, {"expires_at": latest, "description": "moved"}),
        (tenant.key.path, {"scope": None, "expires_at": None}),
    ]
    with tenants.Writer(tenant.key) as writer:
        writer.goes_on()
        for path, body in changes:
            place.client.update(path, body)
            place.wait(path)
            writer.goes_on(5)

    assert writer.failed == []
