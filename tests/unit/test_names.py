"""Names: S3's rules, what is reserved, and what could be taken for an id."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exordos_paas_storage.api import routes
from exordos_paas_storage.domain import names

ALL = {
    "bucket": names.BUCKET,
    "instance": names.INSTANCE,
    "policy": names.POLICY,
    "user": names.USER,
}
# As the page on public behaviour lists them.
PATH_WORDS = [
    *("actions", "access-keys", "audit", "buckets", "conditions", "events", "keys"),
    *("lint", "objects", "policies", "quota", "replication", "share", "simulate"),
    *("usage", "users", "versions"),
]
S3_LETTERS = string.ascii_lowercase + string.digits


@pytest.mark.parametrize("rule", ALL)
@pytest.mark.parametrize("word", PATH_WORDS)
def test_path_segments_are_no_names(rule, word):
    assert not ALL[rule].holds(word)


def test_access_key_ids_are_no_path_segments():
    assert not any(map(names.ACCESS_KEY.holds, PATH_WORDS))


@pytest.mark.parametrize("rule", ALL)
@given(value=st.uuids())
def test_uuids_are_no_names(rule, value):
    for text in (str(value), value.hex, str(value).upper(), value.hex.upper()):
        assert not ALL[rule].holds(text)


@given(value=st.uuids(), at=st.integers(1, 31))
def test_a_uuid_with_its_dashes_elsewhere_is_no_name(value, at):
    assert not names.INSTANCE.holds(f"{value.hex[:at]}-{value.hex[at:]}")


@pytest.mark.parametrize(
    "name",
    [
        *("health", "minio", "profile", "iceberg", "favicon.ico", "rustfs"),
        *("xn--bucket", "bucket-s3alias", "sthree-bucket", "sthree-configurator"),
    ],
)
def test_words_of_the_engines_are_no_buckets(name):
    assert not names.BUCKET.holds(name)


@pytest.mark.parametrize(
    "name",
    [
        *("ab", "a" * 64, "A-bucket", "a_b", "-ab", "ab-", ".ab", "ab.", "a..b"),
        *("a.-b", "a-.b", "192.168.5.4", "1.2.3.4", "a b", "a/b", "bücket", "abc\n"),
        *("", None, 7),
    ],
)
def test_what_s3_refuses_is_no_bucket(name):
    assert not names.BUCKET.holds(name)


@pytest.mark.parametrize(
    "name",
    [
        *("abc", "a" * 63, "123", "a.b.c", "a--b", "data-bucket", "1.2.3"),
        *("1.2.3.256", "minio2", "healthy", "bucket-s3alias2", "xn-bucket"),
    ],
)
def test_what_s3_takes_is_a_bucket(name):
    assert names.BUCKET.holds(name)


@given(st.text(S3_LETTERS, min_size=3, max_size=31))
def test_letters_and_digits_alone_make_a_bucket_unless_reserved(name):
    reserved = {*PATH_WORDS, "health", "minio", "profile", "iceberg", "rustfs"}

    assert names.BUCKET.holds(name) == (name not in reserved)


@pytest.mark.parametrize(
    ("rule", "taken", "refused"),
    [
        ("instance", ["a", "A" * 63, "0a._-"], ["", "a" * 64, "_a", ".a", "-a", "a b"]),
        ("policy", ["abc", "A" * 63, "a._-"], ["ab", "a" * 64, "_ab", "a@b", "a/b"]),
        ("user", ["abc", "a" * 64, "a@b.c+d-e_f"], ["ab", "a" * 65, "@ab", "+ab"]),
    ],
)
def test_lengths_and_characters(rule, taken, refused):
    assert all(map(ALL[rule].holds, taken))
    assert not any(map(ALL[rule].holds, refused))


def test_an_engine_account_is_no_user():
    assert not names.USER.holds("site-replicator-0")
    assert names.USER.holds("site-replicator-1")


@pytest.mark.parametrize("key", ["ab", "a" * 21, "a-b", "a_b", "äbc", "ABC\n", None])
def test_access_key_ids_are_3_to_20_letters_and_digits(key):
    assert not names.ACCESS_KEY.holds(key)
    assert names.ACCESS_KEY.holds("aB3")
    assert names.ACCESS_KEY.holds("A" * 20)


@pytest.mark.parametrize("secret", ["a" * 7, "a" * 41, "with space", "ünicode8", None])
def test_secrets_are_8_to_40_printable_characters(secret):
    assert not names.SECRET_KEY.holds(secret)
    assert names.SECRET_KEY.holds("!~" * 4)
    assert names.SECRET_KEY.holds("a" * 40)


def tree(route):
    yield route
    for name in route.get_routes():
        yield from tree(route.get_route(name))


def test_no_route_below_an_object_can_be_the_name_of_one():
    below = {
        segment
        for route in tree(routes.TypeRoute)
        for name in route.get_routes()
        if route.get_route(name).is_resource_route()
        for segment in (name, name.replace("_", "-"))
    }

    assert not {word for word in below for rule in ALL.values() if rule.holds(word)}
