"""The error form: one table of types, and no foreign text in an answer."""

import re
from pathlib import Path

import psycopg
import pytest
from gcl_iam import exceptions as iam_exc
from restalchemy.common import exceptions as ra_exc
from restalchemy.storage import exceptions as storage_exc

from exordos_paas_storage.api import errors as answers
from exordos_paas_storage.domain import errors

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "errors.md"
ROW = re.compile(r"^\| `(\w+)` \| (\d{3}) \| (.+) \|$", re.MULTILINE)
TYPES = errors.request_errors()


def test_the_page_lists_every_type_with_status_and_meaning():
    listed = [
        (name, int(status), meaning)
        for name, status, meaning in ROW.findall(PAGE.read_text())
    ]

    assert listed == [
        (name, error.status, error.__doc__) for name, error in TYPES.items()
    ]


@pytest.mark.parametrize("name", TYPES)
def test_an_error_is_answered_in_the_form(name):
    assert answers.form(TYPES[name]("field", "breaks a 100% rule")) == {
        "type": name,
        "code": TYPES[name].status,
        "message": "field: breaks a 100% rule",
    }


def test_errors_of_engines_and_setup_are_no_types_of_the_form():
    assert not {"EngineUnavailable", "EngineRefused", "SetupError"} & set(TYPES)
    assert "RequestError" not in TYPES


@pytest.mark.parametrize(
    ("raised", "name"),
    [
        (storage_exc.RecordNotFound(model="M", filters="secret"), "NotFound"),
        (storage_exc.ConflictRecords(model="M", msg="secret"), "NameTaken"),
        (ra_exc.ParseError(value="secret"), "InvalidQuery"),
        (ra_exc.UnsupportedHttpMethod(method="secret"), "MethodNotAllowed"),
        (ra_exc.NotFoundError(path="secret"), "NotFound"),
        (iam_exc.CredentialsAreInvalidError(), "Unauthorized"),
        (psycopg.OperationalError("secret"), "Unavailable"),
        (RuntimeError("secret"), "InternalError"),
    ],
)
def test_a_foreign_error_is_translated_and_its_text_kept_back(raised, name):
    found = answers.form(raised)

    assert found["type"] == name
    assert found["code"] == TYPES[name].status
    assert "secret" not in found["message"]


def test_a_lost_database_is_seen_behind_the_error_it_caused():
    try:
        try:
            raise psycopg.OperationalError("server closed the connection")
        except psycopg.OperationalError:
            raise RuntimeError("while rolling back")  # noqa: B904 - as drivers do
    except RuntimeError as error:
        assert answers.form(error)["code"] == 503


def test_a_fault_is_logged_under_the_reference_that_is_answered(caplog):
    message = answers.form(RuntimeError("why"))["message"]

    assert message.rsplit(" ", 1)[-1] in caplog.text
    assert "why" in caplog.text


def test_a_refusal_of_the_engine_names_operation_status_and_code():
    refused = errors.EngineRefused("put policy", 400, "MalformedPolicy")

    assert str(refused) == "put policy: the engine answered 400 MalformedPolicy"
