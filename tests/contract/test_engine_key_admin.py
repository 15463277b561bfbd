"""A key against the admin API of its own engine: it gives itself nothing.

Each call is made once as root on the same things, so that it is known to be one that
works and is refused to the key for want of a right.
"""

import dataclasses

import pytest

from exordos_paas_storage.domain import errors, policy, state
from exordos_paas_storage.engine import signed
from tests.contract.made import (
    SECRET,
    guard,
    key_id,
    made_key,
    made_user,
    unique,
)

OWNER = policy.from_template("bucket-owner")


class Tenant:
    """A guarded user with two keys, and what else is on its engine."""

    def __init__(self, real):
        self.engine = real.engine
        self.admin = real.engine.ADMIN
        self.http = signed.SignedHttp(real.url)
        self.root = real.root
        documents = [guard(real.engine), OWNER]
        self.user = made_user(real.engine, *documents)
        self.policies = list(real.engine.user(self.user).policies)
        (self.guard,) = (
            name
            for name in self.policies
            if not policy.same(real.engine.policy(name).document, OWNER)
        )
        self.other = made_user(real.engine, *documents)
        self.own = made_key(real.engine, self.user)
        self.sibling = made_key(real.engine, self.user)
        self.foreign = made_key(real.engine, self.other)
        self.minted = key_id()
        self.policy = unique("policy")
        real.engine.put_policy(state.Policy(self.policy, OWNER))
        self.policies.append(self.policy)

    def calls(self, keys):
        return self.admin(self.http, keys)

    def seen(self):
        """All of the above, as the engine holds it."""
        return [
            self.engine.users(),
            self.engine.access_keys(),
            *(self.engine.access_key(pair.access_key) for pair in self.pairs()),
            *map(self._document, self.policies),
        ]

    def _document(self, name):
        # MinIO answers the entries of a list in another order each time.
        found = self.engine.policy(name)
        return found and policy.canonical(found.document)

    def pairs(self):
        found = self.engine.access_keys()
        pairs = (self.own, self.sibling, self.foreign)
        return [pair for pair in pairs if pair.access_key in found]


def _new(tenant, **more):
    return {"accessKey": tenant.minted, "secretKey": SECRET, **more}


def _update(tenant, which):
    return (
        "POST",
        "update-service-account",
        {"accessKey": getattr(tenant, which).access_key},
        {"newDescription": "mine", "newStatus": "on", "newPolicy": {}},
    )


def _mapping(user, *names):
    named = {"policyName": ",".join(names), "userOrGroup": user, "isGroup": "false"}
    return ("PUT", "set-user-or-group-policy", named)


WRITES = {
    "mint a key": lambda t: ("PUT", "add-service-account", {}, _new(t)),
    "mint a key for its user": lambda t: (
        "PUT",
        "add-service-account",
        {},
        _new(t, targetUser=t.user),
    ),
    "mint a key for another": lambda t: (
        "PUT",
        "add-service-account",
        {},
        _new(t, targetUser=t.other),
    ),
    "update itself": lambda t: _update(t, "own"),
    "update a sibling": lambda t: _update(t, "sibling"),
    "update another's key": lambda t: _update(t, "foreign"),
    "delete another's key": lambda t: (
        "DELETE",
        "delete-service-account",
        {"accessKey": t.foreign.access_key},
    ),
    "drop its guard": lambda t: _mapping(t.user, t.policy),
    "map its user to nothing": lambda t: _mapping(t.user),
    "rewrite its guard": lambda t: (
        "PUT",
        "add-canned-policy",
        {"name": t.guard},
        OWNER,
    ),
    "write a policy": lambda t: (
        "PUT",
        "add-canned-policy",
        {"name": t.policy},
        policy.from_template("read-only"),
    ),
    "remove a policy": lambda t: (
        "DELETE",
        "remove-canned-policy",
        {"name": t.policy},
    ),
    "add a user": lambda t: (
        "PUT",
        "add-user",
        {"accessKey": t.minted},
        {"secretKey": SECRET, "status": "enabled"},
    ),
    "overwrite its user": lambda t: (
        "PUT",
        "add-user",
        {"accessKey": t.user},
        {"secretKey": SECRET, "status": "disabled"},
    ),
    "disable a user": lambda t: (
        "PUT",
        "set-user-status",
        {"accessKey": t.other, "status": "disabled"},
    ),
    "remove a user": lambda t: ("DELETE", "remove-user", {"accessKey": t.other}),
}

READS = {
    "list users": lambda t: ("list-users", {}),
    "read another user": lambda t: ("user-info", {"accessKey": t.other}),
    "read another's key": lambda t: (
        "info-service-account",
        {"accessKey": t.foreign.access_key},
    ),
    "list another's keys": lambda t: ("list-service-accounts", {"user": t.other}),
    "list every key": lambda t: (
        "list-access-keys-bulk",
        {"all": "true", "listType": "svcacc-only"},
    ),
    "list policies": lambda t: ("list-canned-policies", {}),
    "read the guard": lambda t: ("info-canned-policy", {"name": t.guard}),
    "look at the engine": lambda t: ("info", {}),
}


@pytest.mark.parametrize("what", WRITES)
def test_a_key_changes_nobodys_rights(real, what):
    tenant = Tenant(real)
    before, call = tenant.seen(), WRITES[what](tenant)

    with pytest.raises(errors.EngineRefused) as refused:
        tenant.calls(tenant.own).tell(*call)

    # MinIO says of another's key that it knows none such.
    assert refused.value.status in (400, 403, 404)
    assert tenant.seen() == before
    if what != "mint a key":  # without a target root makes one for itself
        tenant.calls(tenant.root).tell(*call)
        assert tenant.seen() != before


@pytest.mark.parametrize("what", READS)
def test_a_key_reads_nothing_of_others(real, what):
    tenant = Tenant(real)
    route, named = READS[what](tenant)

    with pytest.raises(errors.EngineRefused) as refused:
        tenant.calls(tenant.own).ask(route, named)

    assert refused.value.status in (400, 403)
    assert tenant.calls(tenant.root)._call(route, "GET", named, b"").is_success


@pytest.mark.parametrize("route", ["export-iam", "import-iam", "import-iam-v2"])
def test_a_key_neither_takes_out_nor_brings_in_an_archive_of_rights(real, route):
    tenant = Tenant(real)
    method = "GET" if route == "export-iam" else "PUT"

    answer = real.signed(method, real.admin_path(route), tenant.own, b"PK")

    assert answer.status_code == 403


@pytest.mark.parametrize("which", ["own", "sibling"])
def test_a_key_can_delete_itself_and_its_siblings(real, which):
    """A known gap of both engines, whatever is denied: it takes rights and gives none.

    The service holds such a key's secret and makes it again when it looks.
    """
    tenant = Tenant(real)
    access_key = getattr(tenant, which).access_key

    named = {"accessKey": access_key}
    tenant.calls(tenant.own).tell("DELETE", "delete-service-account", named)

    assert tenant.engine.access_key(access_key) is None
    wanted = state.AccessKey(access_key, tenant.user)
    tenant.engine.add_access_key(wanted, SECRET)
    assert tenant.engine.access_key(access_key) == wanted


def test_a_scoped_key_sees_no_more_of_itself_than_it_is(real):
    """It may read its own description and scope, on both engines; never a secret."""
    tenant = Tenant(real)
    key = dataclasses.replace(
        state.AccessKey(tenant.own.access_key, tenant.user),
        scope=policy.from_template("read-only"),
    )
    tenant.engine.add_access_key(key, SECRET)
    keys = state.Credentials(key.access_key, SECRET)

    path = real.admin_path("info-service-account") + f"?accessKey={key.access_key}"
    answer = real.signed("GET", path, keys)

    assert answer.status_code in (200, 403)
    assert SECRET not in answer.text


@pytest.mark.parametrize("path", ["/", "/?Action=AssumeRole&Version=2011-06-15"])
def test_a_key_gets_no_temporary_credentials(real, path):
    tenant = Tenant(real)
    body = b"Action=AssumeRole&Version=2011-06-15&DurationSeconds=3600"

    answer = real.signed("POST", path, tenant.own, body)

    assert answer.status_code >= 400
    assert "SecretAccessKey" not in answer.text
