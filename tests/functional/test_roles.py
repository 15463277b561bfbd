"""Roles by Core's own bindings: the table of `domain.access`, cell by cell."""

import pytest

from exordos_paas_storage.domain import access
from tests.functional import conftest
from tests.service import made

RESOURCES = {one.name: one for one in access.RESOURCES}
METHODS = {access.READ_VERB: "GET", access.UPDATE: "PATCH", access.DELETE: "DELETE"}
ACTIONS = (access.SUSPEND, access.RESUME, access.ROTATE)
CELLS = [
    (kind, role, verb)
    for kind, resource in RESOURCES.items()
    # Deletions last: what they take is what the others ask for.
    for verb in sorted(resource.verbs, key=lambda verb: verb == access.DELETE)
    for role in reversed(access.ROLES)
]
FIELDS = [
    (kind, role, name)
    for kind, resource in RESOURCES.items()
    for role in (access.OPERATOR, access.VIEWER)
    for name, field in resource.fields.items()
    if max(field.access) == access.WRITE
    and not field.later
    and resource.level(role, name) < access.WRITE
    and resource.may(role, access.UPDATE)
]
OTHER_VALUES = {
    "deletion_protection": True,
    "default_user_policies": ["backup"],
    "mfa_delete": True,
    "max_key_ttl_s": 60,
    "expires_at": "2999-01-01T00:00:00Z",
    "scope": {"preset": "read-only"},
}


@pytest.fixture(scope="module")
def tree(api):
    """An instance of its own, which need not run, with one object of every kind."""
    found = made.tree(api)
    yield found
    if api.get(found.at).status_code != 404:
        api.delete(found.at)
        api.wait_gone(found.at, conftest.INSTANCE_S)


@pytest.fixture
def new_one(api, tree):
    """Make one more object of a kind, which a test may delete; its path."""

    def make(kind):
        at = tree.at
        if kind in ("attachment", "access_key"):
            name = made.unique("user")
            api.make(f"{at}/users", name=name, policies=[])
            at = f"{at}/users/{name}"
        where = tree.collection(kind)
        if kind in ("attachment", "access_key"):
            where = f"{at}/{RESOURCES[kind].collection}"
        shown = api.make(where, **made.BODIES[kind]())
        key = {"attachment": "policy", "access_key": "access_key"}.get(kind, "name")
        return f"{where}/{shown[key]}"

    return make


@pytest.mark.parametrize(("kind", "role", "verb"), CELLS)
def test_a_role_may_what_the_table_says(api, callers, tree, new_one, kind, role, verb):
    caller, path = callers["one", role], tree.path(kind)
    if verb == access.CREATE:
        where = tree.collection(kind)
        if kind == "attachment":
            where = new_one(kind).rpartition("/")[0]
        body = made.BODIES[kind]() | (
            {"policy": "read-only"} if kind == "attachment" else {}
        )
        answer = caller.post(where, body)
    elif verb in ACTIONS:
        answer = caller.post(f"{path}/actions/{verb}/invoke")
    else:
        if verb == access.DELETE:
            path = new_one(kind)
        body = {"json": {"labels": {"by": role}}} if verb == access.UPDATE else {}
        answer = caller.call(METHODS[verb], path, **body)

    if RESOURCES[kind].may(role, verb):
        assert answer.status_code in (200, 201, 204), answer.text
    else:
        message = made.refused(answer, 403, "Forbidden", "token")
        assert access.permission(kind, verb) in message
    if kind == "instance" and verb == access.CREATE and answer.status_code == 201:
        api.remove(f"/instances/{answer.json()['name']}")


@pytest.mark.parametrize("role", access.ROLES)
@pytest.mark.parametrize("kind", RESOURCES)
def test_a_role_sees_its_fields_and_no_other(callers, tree, kind, role):
    resource, caller = RESOURCES[kind], callers["one", role]
    visible = {
        name
        for name, field in resource.fields.items()
        if resource.level(role, name) > access.HIDDEN and not field.once
    }

    assert set(caller.show(tree.path(kind))) == visible
    assert set(caller.show(tree.collection(kind))[0]) == visible


@pytest.mark.parametrize(("kind", "role", "name"), FIELDS)
def test_a_field_that_a_role_only_reads_is_403(callers, tree, kind, role, name):
    caller, path = callers["one", role], tree.path(kind)
    before = caller.show(path)

    answer = caller.patch(path, {name: OTHER_VALUES.get(name, {"a": "b"})})

    made.refused(answer, 403, "Forbidden", name)
    assert caller.patch(path, {name: before[name]}).status_code == 200
    assert caller.show(path)[name] == before[name]


@pytest.mark.parametrize("kind", [kind for kind in RESOURCES if kind != "version"])
@pytest.mark.parametrize("role", access.ROLES)
def test_another_projects_objects_are_404(callers, tree, kind, role):
    caller = callers["two", role]
    paths = [tree.path(kind)]
    paths.append(f"{tree.collection(kind)}/{getattr(tree, kind)['id']}")

    for path in paths:
        message = made.refused(caller.get(path), 404, "NotFound")
        assert tree.instance["id"] not in message
    if kind != "instance":
        made.refused(caller.get(tree.collection(kind)), 404, "NotFound")


@pytest.mark.parametrize("kind", [kind for kind in RESOURCES if kind != "version"])
def test_another_projects_owner_changes_nothing(api, stranger, tree, kind):
    before = api.show(tree.path(kind))
    calls: list[tuple[str, str, dict]] = [("DELETE", tree.path(kind), {})]
    if kind != "attachment":
        calls += [
            (method, tree.path(kind), {"json": {"labels": {"a": "b"}}})
            for method in ("PATCH", "PUT")
        ]
    if kind != "instance":
        calls.append(("POST", tree.collection(kind), {"json": made.BODIES[kind]()}))

    for method, path, body in calls:
        made.refused(stranger.call(method, path, **body), 404, "NotFound")

    after = api.show(tree.path(kind))
    assert (after["generation"], after["labels"]) == (
        before["generation"],
        before["labels"],
    )


def test_a_strangers_id_below_ones_own_parent_is_404(stranger, tree):
    name = made.unique("theirs")
    stranger.make("/instances", name=name)
    try:
        stranger.make(f"/instances/{name}/users", name="anna")
        for path in (
            f"/instances/{name}/buckets/{tree.bucket['id']}",
            f"/instances/{name}/users/{tree.user['id']}",
            f"/instances/{name}/users/anna/access-keys/{tree.access_key['id']}",
            f"/instances/{name}/users/anna/policies/{tree.attachment['id']}",
            f"/instances/{name}/policies/{tree.policy['id']}",
        ):
            made.refused(stranger.get(path), 404, "NotFound")
            made.refused(stranger.delete(path), 404, "NotFound")
    finally:
        stranger.remove(f"/instances/{name}")
        stranger.wait_gone(f"/instances/{name}", conftest.INSTANCE_S)
