"""What of a policy or scope can't come true is said on the object itself."""

import pytest

from exordos_paas_storage.domain import status
from exordos_paas_storage.domain.language.compiler import Compiled, Warning
from exordos_paas_storage.reconcile import effectiveness
from tests.service import made

NOW = "2026-01-01T12:00:00Z"
EVERYWHERE = "arn:aws:s3:::*"


def document(*actions, **more):
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": EVERYWHERE}
    return {"Version": "2012-10-17", "Statement": [statement | more]}


@pytest.fixture
def told(api, active):
    def tell(written):
        name = made.unique("policy")
        api.make(f"{active}/policies", name=name, document=written)
        return made.condition(api.wait(f"{active}/policies/{name}"), "FullyEffective")

    return tell


def test_a_policy_that_comes_true(told):
    found = told(document("s3:GetObject"))

    assert (found["status"], found["reason"]) == ("True", "Compiled")


def test_parts_that_the_guard_leaves_to_nobody(told):
    found = told(document("s3:GetObject", "s3:PutBucketPolicy"))

    assert (found["status"], found["reason"]) == ("False", "PartsWithoutEffect")
    assert "document.Statement[0].Action[1]" in found["message"]


def test_a_condition_that_a_client_can_get_round(told):
    limited = {"StringLike": {"s3:prefix": "home/*"}}

    found = told(document("s3:ListBucket", Condition=limited))

    assert (found["status"], found["reason"]) == ("False", "EngineIsLaxer")
    assert "s3:prefix" in found["message"]


def test_a_change_of_the_document_is_told_anew(api, active):
    path = f"{active}/policies/changing"
    api.make(
        f"{active}/policies", name="changing", document=document("s3:PutBucketAcl")
    )
    assert made.condition(api.wait(path), "FullyEffective")["status"] == "False"

    api.change(path, document=document("s3:GetObject"))

    assert made.condition(api.wait(path), "FullyEffective")["status"] == "True"


def test_a_scope_is_told_of_on_its_key(api, active):
    api.make(f"{active}/users", name="anna")
    keys = f"{active}/users/anna/access-keys"
    key = api.make(keys, scope=document("s3:GetObject", "s3:CreateBucket"))
    path = f"{keys}/{key['access_key']}"
    found = made.condition(api.wait(path), "FullyEffective")
    assert (found["status"], found["reason"]) == ("False", "PartsWithoutEffect")
    assert "scope.Statement[0].Action[1]" in found["message"]

    api.change(path, scope=None)

    assert made.condition(api.wait(path), "FullyEffective") is None


def test_what_is_laxer_comes_first_and_all_fits_its_column():
    narrow = [Warning(f"document.Statement[{n}]", "x" * 99) for n in range(20)]
    lax = Warning("document.Statement[20]", "a client can get round it", True)

    (found,) = effectiveness.told([], Compiled({}, (*narrow, lax)), NOW)

    assert found["type"] == status.FULLY_EFFECTIVE
    assert found["reason"] == "EngineIsLaxer"
    assert found["message"].startswith("document.Statement[20]: a client")
    assert len(found["message"]) == 1024
