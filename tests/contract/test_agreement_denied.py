"""Denies that were once lost when statements and conditions became one."""

import pytest

from tests import engines
from tests.contract.agreement import world
from tests.contract.agreement.asked import ALL, IN_FIRST, OBJECTS, Asked, call, deny

KEYS = "s3:RequestObjectTagKeys"
TWO = {
    KEYS: ("a", "b"),
    "s3:RequestObjectTag/a": ("1",),
    "s3:RequestObjectTag/b": ("2",),
}
EVERY = "ForAllValues:StringEquals"


@pytest.fixture
def asked(request, started):
    return Asked(request.param, world.of(started(request.param)))


@pytest.mark.parametrize("asked", engines.available(), indirect=True)
@pytest.mark.parametrize(
    ("denied", "made"),
    [
        (
            [deny("s3:PutObject", condition={
                "StringEquals": {KEYS: "a"}, "StringEqualsIfExists": {KEYS: "b"}})],
            call("put", carried=TWO),
        ),
        (
            [deny("s3:PutObject", condition={
                EVERY: {KEYS: "a"}, f"{EVERY}IfExists": {KEYS: "b"}})],
            call("put"),
        ),
        (
            [deny("s3:GetObject", condition={
                "StringEquals": {"aws:Referer": "x"},
                "StringLike": {"aws:Referer": "x*"},
                "Null": {"aws:Referer": "false"}})],
            call("get", carried={"aws:referer": ("x",)}),
        ),
        (
            [deny("s3:PutObject"),
             deny("s3:AbortMultipartUpload", [OBJECTS, f"{IN_FIRST}/x*"])],
            call("put"),
        ),
        ([deny("s3:*", [f"{IN_FIRST}*", f"{IN_FIRST}/in*"])], call("get")),
    ],
)  # fmt: skip
def test_a_deny_is_not_lost_in_another(asked, denied, made):
    asked.hold([ALL])
    assert asked.place.allows(made, asked.key)

    asked.hold([ALL, *denied])
    assert not asked.place.allows(made, asked.key)
