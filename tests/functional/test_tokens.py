"""Who asks: no token, a bad one, one without a project, and one without a role."""

import pytest

from exordos_paas_storage.domain import access
from tests.service import made

PATHS = ("/instances", "/versions", "/instances/some/buckets", "/instances/some")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("GET", path) for path in PATHS),
        ("POST", "/instances"),
        ("POST", "/instances/some/buckets"),
        ("PATCH", "/instances/some"),
        ("PUT", "/instances/some"),
        ("DELETE", "/instances/some"),
    ],
)
def test_without_a_token_it_is_401_in_our_form(live, method, path):
    answer = live.anonymous().call(method, path)

    made.refused(answer, 401, "Unauthorized", "token")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("token", ["nonsense", "a.b.c", "x" * 3000])
def test_a_bad_token_is_401(live, path, token):
    answer = live.anonymous(token).client.get(
        made.BASE + path, headers={"Authorization": f"Bearer {token}"}
    )

    assert answer.status_code == 401, answer.text
    assert "Traceback" not in answer.text


def test_a_token_with_another_signature_is_401(live, accounts):
    token = live.token(accounts["one", "owner"])
    forged = token[:-8] + ("A" * 8 if not token.endswith("A" * 8) else "B" * 8)

    answer = live.anonymous().client.get(
        made.BASE + "/instances", headers={"Authorization": f"Bearer {forged}"}
    )

    assert answer.status_code == 401, answer.text


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("role", access.ROLES)
def test_a_token_without_a_project_is_403(live, accounts, role, path):
    caller = live.api(accounts["one", role], scoped=False)

    made.refused(caller.get(path), 403, "Forbidden", "token")


@pytest.mark.parametrize("path", PATHS)
def test_the_administrators_token_without_a_project_is_403(live, path):
    """It holds every permission in every project, and would see all of them."""
    made.refused(live.administrator().get(path), 403, "Forbidden", "token")


@pytest.mark.parametrize("path", PATHS)
def test_somebody_without_a_role_of_ours_is_403(live, accounts, path):
    """Whoever is only a member of the project; explicit roles are asked for."""
    caller = live.member(accounts["one", "owner"].project)

    made.refused(caller.get(path), 403, "Forbidden", "token")
