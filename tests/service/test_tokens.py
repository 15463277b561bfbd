"""The token call, and what a token opens."""

import json
import time
import uuid

import jwt
import pytest

from exordos_paas_storage.iam import issuer
from exordos_paas_storage.models import account
from tests.service import made
from tests.service.conftest import PROJECTS, TOKEN_KEY, get_token

PROJECT = PROJECTS["one"]
NAME = "owner-one"
PASSWORD = {"grant_type": "password", "username": NAME, "password": made.PASSWORD}
SCOPE = {"scope": f"project:{PROJECT}"}


def refused_grant(answer, code, status=400):
    assert answer.status_code == status, answer.text
    found = answer.json()
    assert found["error"] == code and found["error_description"]
    assert {"type", "code", "message"} <= set(found)


@pytest.mark.parametrize("kind", ["data", "json"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_a_password_gives_a_token(http, callers, kind, slash):
    answer = http.post(made.TOKEN_PATH + slash, **{kind: PASSWORD | SCOPE})

    assert answer.status_code == 200
    found = answer.json()
    assert found["token_type"] == "Bearer" and found["expires_in"] == 3600
    assert found["scope"] == SCOPE["scope"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert made.Api(http, found["access_token"]).get("/instances").status_code == 200


def test_what_the_platform_sends_along_is_taken(http, callers):
    more = {"client_id": "x", "client_secret": "y", "ttl": "60"}
    answer = http.post(
        made.TOKEN_PATH, data=PASSWORD | SCOPE | more, headers={"X-OTP": "000000"}
    )

    assert answer.json()["expires_in"] == 60
    assert made.Api(http, answer.json()["access_token"]).show("/instances") == []


def test_a_refresh_token_gives_a_token_for_the_same_project(http, callers):
    first = get_token(http, NAME, PROJECT)
    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}

    found = http.post(made.TOKEN_PATH, data=form).json()

    assert found["scope"] == SCOPE["scope"]
    assert made.Api(http, found["access_token"]).get("/instances").status_code == 200


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({}, "unsupported_grant_type"),
        ({"grant_type": "magic"}, "unsupported_grant_type"),
        ({"grant_type": ["password"]}, "unsupported_grant_type"),
        ({"grant_type": {}}, "unsupported_grant_type"),
        ({"grant_type": "password"}, "invalid_request"),
        (PASSWORD | {"username": 7}, "invalid_request"),
        (PASSWORD | {"username": "a\0b"}, "invalid_grant"),
        (PASSWORD | {"username": "nobody-at-all"}, "invalid_grant"),
        (PASSWORD | {"password": "wrong"}, "invalid_grant"),
        (PASSWORD | {"password": "a\0b"}, "invalid_grant"),
        (PASSWORD | {"password": "x" * 100_000}, "invalid_grant"),
        (PASSWORD | {"scope": "project:junk"}, "invalid_scope"),
        (PASSWORD | {"scope": "project:\0"}, "invalid_scope"),
        (PASSWORD | SCOPE | {"ttl": "0"}, "invalid_request"),
        (PASSWORD | SCOPE | {"ttl": 10**30}, "invalid_request"),
        (PASSWORD | SCOPE | {"ttl": "1.5"}, "invalid_request"),
        (PASSWORD | SCOPE | {"ttl": [1]}, "invalid_request"),
        ({"grant_type": "refresh_token"}, "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": "junk"}, "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": 1}, "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": "a.b.c"}, "invalid_grant"),
    ],
)
def test_a_bad_grant_is_refused(http, callers, form, code):
    refused_grant(http.post(made.TOKEN_PATH, json=form), code)


def test_an_access_token_is_no_refresh_token_and_the_other_way(http, callers):
    found = get_token(http, NAME, PROJECT)
    form = {"grant_type": "refresh_token", "refresh_token": found["access_token"]}

    refused_grant(http.post(made.TOKEN_PATH, data=form), "invalid_grant")
    answer = made.Api(http, found["refresh_token"]).get("/instances")
    made.refused(answer, 401, "Unauthorized", "token")


@pytest.mark.parametrize(
    "request_",
    [
        {"method": "GET"},
        {"method": "PUT", "json": {}},
        {"method": "POST", "content": "[]"},
        {"method": "POST", "content": ""},
        {"method": "POST", "content": "<x/>", "headers": {"Content-Type": "text/xml"}},
        {
            "method": "POST",
            "content": b"username=%ff&grant_type=password&password=%fe",
            "headers": {"Content-Type": "application/x-www-form-urlencoded"},
        },
        {
            "method": "POST",
            "content": b"x",
            "headers": {"Content-Type": "multipart/form-data"},
        },
        {"method": "POST", "content": b"x" * (2 << 20)},
        {
            "method": "POST",
            "content": b"a=" + b"x" * (2 << 20),
            "headers": {"Content-Type": "application/x-www-form-urlencoded"},
        },
    ],
)
def test_an_odd_token_call_is_a_clear_error(http, callers, request_):
    method = request_.pop("method") if "method" in request_ else "POST"
    answer = http.request(method, made.TOKEN_PATH, **request_)
    request_["method"] = method

    assert 400 <= answer.status_code < 500, answer.text
    made.form_of(answer)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/instances"), ("POST", "/instances"), ("GET", "/versions"),
        ("GET", "/instances/x"), ("PATCH", "/instances/x"), ("PUT", "/instances/x"),
        ("DELETE", "/instances/x"), ("GET", "/instances/x/buckets"),
        ("POST", "/instances/x/users/y/access-keys"),
        ("POST", "/instances/x/actions/suspend/invoke"),
    ],
)  # fmt: skip
def test_without_a_token_everything_is_401(anonymous, callers, method, path):
    answer = anonymous.call(method, path, json={})

    made.refused(answer, 401, "Unauthorized", "token")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def sign(claims, key=TOKEN_KEY):
    return issuer.Issuer(key).algorithm.encode(claims)


@pytest.fixture
def claims(callers, db):
    """What a token says that opens project one."""
    found = db.execute("SELECT uuid FROM s3aas_iam_users WHERE name = %s", (NAME,))
    now = int(time.time())
    return {
        "exp": now + 3600, "iat": now, "auth_time": now, "jti": str(uuid.uuid4()),
        "iss": issuer.ISSUER, "aud": issuer.AUDIENCE,
        "sub": str(found.fetchone()["uuid"]), "typ": issuer.ACCESS_TYPE, "otp": False,
        "project": str(PROJECT),
    }  # fmt: skip


# What is made of claims that would open the project.
FORGED = {
    "another key": lambda claims: sign(claims, "z" * 48),
    "no key": lambda claims: jwt.encode(claims, None, algorithm="none"),
    "another audience": lambda claims: sign(claims | {"aud": "other"}),
    "no such user": lambda claims: sign(claims | {"sub": str(uuid.uuid4())}),
    "user is no id": lambda claims: sign(claims | {"sub": "root"}),
    "expired": lambda claims: sign(claims | {"exp": claims["iat"] - 100}),
    "no claims": lambda claims: sign({"aud": claims["aud"]}),
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_a_forged_token_is_401(http, claims, forge):
    token = forge(claims)

    answer = made.Api(http, token).get("/instances")

    made.refused(answer, 401, "Unauthorized", "token")
    assert token not in answer.text
    assert made.Api(http, sign(claims)).get("/instances").status_code == 200


@pytest.mark.parametrize("token", ["junk", "", "..", "a.b.c", "x" * 20_000])
def test_what_is_no_token_is_401(http, callers, token):
    answer = made.Api(http, token).get("/instances")

    made.refused(answer, 401, "Unauthorized", "token")
    assert token == "" or token not in answer.text


def test_an_expired_token_is_401(http, callers):
    past = issuer.Issuer(TOKEN_KEY, lambda: time.time() - 7200)

    token = past.token(PASSWORD | SCOPE)["access_token"]

    made.refused(made.Api(http, token).get("/instances"), 401, "Unauthorized", "token")


def test_another_scheme_is_no_token(http, callers):
    answer = http.get(made.BASE + "/instances", headers={"Authorization": "Basic eDp5"})

    made.refused(answer, 401, "Unauthorized", "token")


@pytest.mark.parametrize("path", ["/instances", "/versions", "/instances/x/buckets"])
def test_a_token_without_a_project_opens_nothing(login, callers, path):
    made.refused(login(NAME).get(path), 403, "Forbidden", "token")


@pytest.mark.parametrize("project", [PROJECTS["two"], uuid.uuid4()])
def test_a_token_for_a_project_without_a_role_opens_nothing(login, callers, project):
    for path in ("/instances", "/versions"):
        made.refused(login(NAME, project).get(path), 403, "Forbidden", "token")


@pytest.fixture
def passing(callers, login):
    """An account of the test's own, an owner in project one."""
    name = made.unique("passing")
    account.add_user(name, made.PASSWORD, PROJECT, "owner")
    return name


def test_a_change_of_role_bites_at_the_next_request(login, passing, db):
    caller = login(passing, PROJECT)
    caller.make("/instances", name="mine")

    account.set_role(passing, PROJECT, "viewer")

    made.refused(caller.post("/instances", {"name": "more"}), 403, "Forbidden", "token")
    assert caller.get("/instances/mine").status_code == 200


def test_a_removed_role_bites_at_the_next_request(login, passing, db):
    caller = login(passing, PROJECT)
    assert caller.get("/instances").status_code == 200

    db.execute(
        "DELETE FROM s3aas_iam_roles r USING s3aas_iam_users u "
        "WHERE u.uuid = r.user_uuid AND u.name = %s",
        (passing,),
    )

    made.refused(caller.get("/instances"), 403, "Forbidden", "token")


def test_a_removed_account_bites_at_the_next_request(http, login, passing):
    found = get_token(http, passing, PROJECT)
    caller = made.Api(http, found["access_token"])
    assert caller.get("/instances").status_code == 200

    account.remove_user(passing)

    made.refused(caller.get("/instances"), 401, "Unauthorized", "token")
    form = {"grant_type": "refresh_token", "refresh_token": found["refresh_token"]}
    refused_grant(http.post(made.TOKEN_PATH, data=form), "invalid_grant")


def test_health_needs_no_token(http):
    for path in ("/healthz", "/readyz", "/specifications/3.1.0"):
        assert http.get(path).status_code == 200


def test_passwords_are_stored_hashed_alone(db, callers):
    rows = db.execute("SELECT * FROM s3aas_iam_users").fetchall()

    assert rows and all(row["password_hash"].startswith("$argon2id$") for row in rows)
    assert made.PASSWORD not in json.dumps(rows, default=str)
