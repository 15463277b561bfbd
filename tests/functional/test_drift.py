"""What somebody else changes on an engine is found and set right."""

from tests import box, engines
from tests.service import made
from tests.tenants import DONE, NO

# An audit looks about once a minute.
AUDIT_S = 180.0


def test_a_key_that_a_tenant_removed_comes_back_as_it_was(place, example):
    """The engines let a key remove keys of its user, whatever is denied to it."""
    user = place.user()
    key = place.key(user, scope={"preset": "read-only"})
    actor = place.key(user)
    admin = engines.admin_of(example.shown["engine"], place.endpoint, actor.pair)

    named = {"accessKey": key.pair.access_key}
    admin.tell("DELETE", "delete-service-account", named)

    assert key.gets() == NO
    box.wait_until(lambda: key.gets() == DONE, AUDIT_S)
    place.wait(key.path)
    assert key.puts() == NO


def test_a_description_shows_no_change_of_the_engine(api, place):
    """Labels and descriptions never reach the engine, so nothing is pending."""
    path = place.user()

    shown = api.change(path, description="night shift", labels={"a": "b"})

    assert shown["status"] == "ACTIVE"
    assert made.condition(shown, "OnEngine") is None
