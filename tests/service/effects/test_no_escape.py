"""What a key can't do whatever its policies say: set up, mint keys, undo the API."""

import contextlib
import json

import pytest
from botocore.exceptions import ClientError

from exordos_paas_storage.domain import errors, policy, state
from exordos_paas_storage.engine import signed
from exordos_paas_storage.nodes import port
from tests import engines
from tests.service import fakes, made
from tests.service.effects import asks, stand
from tests.service.effects.asks import allow

OWN_USER, OWN_KEY, OTHER = "<user>", "<key>", "<other>"


@pytest.fixture(params=engines.available())
def place(request, tmp_path):
    """An engine that is this test's own, so that it can be started again."""
    keep = {
        "MINIO_KMS_SECRET_KEY": f"tests:{engines.key()}",
        "RUSTFS_SSE_S3_MASTER_KEY": engines.key(),
        "RUSTFS_IAM_MASTER_KEY": engines.key(),
    }
    root = state.Credentials("rootuser", "k" * 40)
    with contextlib.ExitStack() as running:

        def start():
            running.close()
            serving = engines.running(request.param, tmp_path, keep, root)
            return running.enter_context(serving)[0]

        yield request.param, (start(), root), start


@pytest.fixture
def world(place, db):
    kind, serving, _ = place
    return stand.RealWorld(kind, *serving)


@pytest.fixture
def restart(place, world, here):
    """Stops the engine, and starts it with its data, as the reconciler sees it."""

    def again():
        world.nodes.default = fakes.down(port.CRASHED)
        here.api.wait(here.at, "ERROR")
        world.move(place[2]())
        here.sight = world.sight
        world.nodes.default = fakes.ready(pid=101)
        here.api.wait(here.at)

    return again


def everyone(principal, *resources):
    return {
        "Version": policy.VERSION,
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": [principal]},
                "Action": ["s3:*"],
                "Resource": list(resources),
            }
        ],
    }


AES256 = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}
EXPIRING = {
    "Rules": [
        {
            "ID": "all",
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "Expiration": {"Days": 1},
        }
    ]
}
LOCKED = {
    "ObjectLockEnabled": "Enabled",
    "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}},
}
OPEN = {"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]}
# Calls that configure; each refused as AccessDenied unless the engine has no such call.
CONFIGURE = {
    "create_bucket": {"Bucket": "<bucket>-own"},
    "delete_bucket": {},
    "put_bucket_policy": {"Policy": json.dumps(everyone("*", "arn:aws:s3:::<bucket>"))},
    "delete_bucket_policy": {},
    "put_bucket_versioning": {"VersioningConfiguration": {"Status": "Enabled"}},
    "put_bucket_encryption": {"ServerSideEncryptionConfiguration": AES256},
    "delete_bucket_encryption": {},
    "put_bucket_lifecycle_configuration": {"LifecycleConfiguration": EXPIRING},
    "delete_bucket_lifecycle": {},
    "put_bucket_tagging": {"Tagging": {"TagSet": [{"Key": "a", "Value": "b"}]}},
    "delete_bucket_tagging": {},
    "put_object_lock_configuration": {"ObjectLockConfiguration": LOCKED},
    "put_bucket_notification_configuration": {"NotificationConfiguration": {}},
    "put_bucket_cors": {"CORSConfiguration": OPEN},
    "put_bucket_acl": {"ACL": "public-read"},
}
LACKING = frozenset(("NotImplemented", "MethodNotAllowed"))
EVIL = {"accessKey": "EVIL", "secretKey": "e" * 40}
OPENED = {"Version": policy.VERSION, "Statement": [allow()]}
MAPPED = {"policyName": "consoleAdmin", "userOrGroup": OWN_USER, "isGroup": "false"}
OWN = {"accessKey": OWN_KEY}
GUARD = {"name": policy.GUARD_NAME}
ADMIN = [
    ("PUT", "add-user", {"accessKey": "EVIL"}, {**EVIL, "status": "enabled"}),
    ("PUT", "add-service-account", {}, EVIL),
    ("PUT", "add-service-account", {}, {**EVIL, "targetUser": OWN_USER}),
    ("PUT", "add-service-account", {}, {**EVIL, "targetUser": OTHER}),
    ("POST", "update-service-account", OWN, {"newSecretKey": "e" * 40}),
    ("POST", "update-service-account", OWN, {"newPolicy": {}}),
    ("PUT", "set-user-status", {"accessKey": OTHER, "status": "enabled"}, None),
    ("PUT", "set-user-or-group-policy", MAPPED, None),
    ("PUT", "add-canned-policy", GUARD, OPENED),
    ("DELETE", "remove-canned-policy", GUARD, None),
    ("DELETE", "remove-user", {"accessKey": OTHER}, None),
    ("GET", "list-users", {}, None),
    ("GET", "list-canned-policies", {}, None),
    ("GET", "info-canned-policy", GUARD, None),
]


def configured(here, key):
    """How the calls that configure end, but for those that are AccessDenied."""
    found = {}
    for call, parameters in CONFIGURE.items():
        asked = filled({"Bucket": "<bucket>", **parameters}, {"<bucket>": here.bucket})
        try:
            getattr(here.sight.s3(key.pair), call)(**asked)
            found[call] = "done"
        except ClientError as error:
            found[call] = error.response["Error"]["Code"]
    return {call: code for call, code in found.items() if code != "AccessDenied"}


def administered(here, key, names):
    """How the admin calls end, but for those that are AccessDenied."""
    kind = type(here.engine.engine)
    calls, found = kind.ADMIN(signed.SignedHttp(here.sight.url), key.pair), []
    for method, route, params, body in ADMIN:
        try:
            if method == "GET":
                calls.ask(route, filled(params, names))
            else:
                calls.tell(method, route, filled(params, names), filled(body, names))
            found.append((route, "done"))
        except errors.EngineRefused as refusal:
            found.append((route, refusal.code))
    return [(route, code) for route, code in found if code != "AccessDenied"]


def filled(value, names):
    text = json.dumps(value)
    for placeholder, name in names.items():
        text = text.replace(placeholder, name)
    return json.loads(text)


def everything(here, key):
    """All that an escape would change, as root sees it."""
    engine = here.engine
    return (
        engine.users(),
        engine.access_keys(),
        engine.access_key(key.pair.access_key),
        policy.canonical(engine.policy(policy.GUARD_NAME).document),
        engine.bucket(here.bucket),
        engine.bucket(f"{here.bucket}-own"),
    )


def test_a_key_that_is_allowed_everything_changes_nothing_but_data(here, restart):
    user, other = here.user(here.policy(allow())), here.user("read-only")
    key = here.key(user)
    names = {
        OWN_USER: user.rpartition("/")[2],
        OTHER: other.rpartition("/")[2],
        OWN_KEY: key.pair.access_key,
    }
    here.api.change(other, enabled=False)
    here.api.wait(other)
    before = everything(here, key)

    def tries():
        assert set(configured(here, key).values()) <= LACKING
        assert administered(here, key, names) == []
        assert everything(here, key) == before
        assert all(here.rights(key, asks.EVERYTHING).values())

    tries()
    here.api.post(f"{here.at}/actions/suspend/invoke")
    here.soon("suspended", key, asks.get("x"), False)
    assert set(configured(here, key).values()) <= LACKING
    assert administered(here, key, names) == []
    here.api.post(f"{here.at}/actions/resume/invoke")
    here.soon("resumed", key, asks.get("x"), True)
    here.api.wait(here.at)
    tries()
    restart()
    tries()


def test_suspended_disabled_and_scoped_hold_over_a_restart(here, restart):
    user, disabled = here.user("read-write"), here.user("read-write")
    scoped = here.key(user, scope={"preset": "read-only"})
    keys = [here.key(user), scoped, here.key(disabled), here.key(user)]
    here.api.change(disabled, enabled=False)
    here.api.change(keys[3].path, enabled=False)
    for path in (disabled, keys[3].path):
        here.api.wait(path)
    before = [here.rights(key, asks.EVERYTHING) for key in keys]
    assert [sum(one.values()) for one in before] == [4, 2, 0, 0]

    restart()
    assert [here.rights(key, asks.EVERYTHING) for key in keys] == before
    here.api.post(f"{here.at}/actions/suspend/invoke")
    here.soon("suspended", keys[0], asks.get("x"), False)
    here.api.wait(here.at)
    restart()
    assert not any(any(here.rights(key, asks.EVERYTHING).values()) for key in keys)
    here.api.post(f"{here.at}/actions/resume/invoke")
    made.until(lambda: here.may(keys[0], asks.get("x")))
    assert [here.rights(key, asks.EVERYTHING) for key in keys] == before
