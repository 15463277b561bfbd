"""Policy documents that tests of the language write, and what refuses them."""

import pytest

from exordos_paas_storage.domain import errors
from exordos_paas_storage.domain.language import document

ALICE = "arn:aws:s3:::alice/*"


def with_statement(**changes):
    """A document of one statement that reads one bucket, with those elements."""
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": ALICE}
    statement = {**statement, **changes}
    present = {name: value for name, value in statement.items() if value is not ...}
    return {"Version": "2012-10-17", "Statement": [present]}


def with_condition(condition):
    return with_statement(Condition=condition)


def refusal(value, field="document"):
    with pytest.raises(errors.InvalidPolicy) as caught:
        document.parse(value, field)
    return caught.value
