"""The address of an operator's own database: read, and never quoted."""

import pytest
from psycopg import conninfo

from exordos_paas_storage.domain import errors
from exordos_paas_storage.onebox import database_url

SECRET = "hushhush"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("postgresql://u:p@db.example:5433/storage", "storage at db.example:5433"),
        ("postgres://u:p@db.example/storage", "storage at db.example:5432"),
        ("postgresql://u:p@[::1]:5/storage", "storage at [::1]:5"),
        ("postgresql://u:p@a:1,b:2/storage", "storage at a:1,b:2"),
        ("postgresql:///storage?host=/run/postgresql", "storage at /run/postgresql"),
        ("  postgresql://u:p@h/s\n", "s at h:5432"),
    ],
)
def test_where_it_is(text, place):
    assert database_url.parse(text, "x").place == place


def test_what_it_says_reaches_libpq():
    text = (
        "postgresql://u%40x:a%2Fb%40c@h:7/my%20db?sslmode=verify-full&connect_timeout=9"
    )

    found = conninfo.conninfo_to_dict(database_url.parse(text, "x").uri)

    assert found["user"] == "u@x" and found["password"] == "a/b@c"
    assert found["host"] == "h" and int(found["port"]) == 7
    assert found["dbname"] == "my db" and found["sslmode"] == "verify-full"
    assert int(found["connect_timeout"]) == 9
    assert found["application_name"] == "exordos-storage"


def test_a_question_mark_in_a_password_is_read_as_libpq_reads_it():
    found = database_url.parse("postgresql://u:1?host=x@h/d", "x")

    assert conninfo.conninfo_to_dict(found.uri)["password"] == "1?host=x"
    assert found.place == "d at h:5432"


def test_an_address_that_was_read_is_read_again_as_the_same():
    once = database_url.parse("postgresql://u:a%2Fb@h:7,i:8/d?sslmode=require", "x")

    assert database_url.parse(once.uri, "x") == once


@pytest.mark.parametrize(
    "text",
    [
        "",
        SECRET,
        f"mysql://u:{SECRET}@h/d",
        f"postgresql://u:p@{SECRET}@h/d",
        f"postgresql://u:1/{SECRET}@h/d",
        f"postgresql://u:p/{SECRET}@h/d",
        f"postgresql://u:1?p@{SECRET}@h/d",
        f"postgresql://u:p#{SECRET}@h/d",
        f"postgresql://u:p {SECRET}@h/d",
        f"postgresql://u:%zz{SECRET}@h/d",
        f"postgresql://u:{SECRET}@h:99999/d",
        f"postgresql://u:{SECRET}@h:port/d",
        f"postgresql://u:{SECRET}@h:1/d?nonsense=1",
        f"postgresql://u:{SECRET}@h",
        f"postgresql://u:{SECRET}@h/",
        f"postgresql://u:{SECRET}@/d",
    ],
)
def test_what_is_no_address_is_refused_and_not_quoted(text):
    with pytest.raises(errors.SetupError, match=r"^the source ") as caught:
        database_url.parse(text, "the source")

    assert SECRET not in str(caught.value)
    context = caught.value.__context__
    assert context is None or caught.value.__suppress_context__
    assert "\n" not in str(caught.value)


def test_it_shows_no_password():
    address = database_url.parse(f"postgresql://u:{SECRET}@h/d", "x")

    assert SECRET not in repr(address) + str(address) + address.place
