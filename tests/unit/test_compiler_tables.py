"""The tables of the compiler against all that AWS has, and the page that shows them."""

import re
from pathlib import Path

import pytest

from exordos_paas_storage.domain import capabilities, errors, policy
from exordos_paas_storage.domain.language import (
    actions,
    compiler,
    condition_keys,
    document,
    engine_actions,
    engine_keys,
    operators,
    refusals,
)
from tests.contract.agreement import deviations, forgeries

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "policies.md").read_text()
LABELS = {
    ("minio",): "MinIO",
    ("rustfs",): "RustFS",
    capabilities.ENGINES: "both",
}


def target(engine, secure=False):
    return compiler.Target(engine, "", secure, 10**6)


def compiled(engine, statement):
    written = {"Version": policy.VERSION, "Statement": [statement]}
    return compiler.compile(document.parse(written), target(engine))


def statement(condition=None, effect="Allow", resource="*"):
    found = {"Effect": effect, "Action": "s3:*", "Resource": resource}
    return {**found, "Condition": condition} if condition else found


# Keys.

GRANTED = set().union(*map(engine_actions.granted, capabilities.ENGINES))


def refused(kind, engine):
    return {
        name
        for row in refusals.TABLE
        if row.kind == kind and engine in row.engines
        for name in row.names
        if name != refusals.ESCAPED
    }


@pytest.mark.parametrize("engine", capabilities.ENGINES)
def test_every_key_of_aws_is_known_constant_refused_or_never_carried(engine):
    never = {
        name
        for name, key in condition_keys.KEYS.items()
        if not any(engine_keys.carried(_with_tag(key), one) for one in GRANTED)
    }
    constant = {*engine_keys.CONSTANTS, engine_keys.SECURE}
    known = set(engine_keys.known(engine))

    found = (known, constant, refused(refusals.KEY, engine), never)

    assert set().union(*found) == set(condition_keys.KEYS)
    assert sum(map(len, found)) == len(condition_keys.KEYS), "a key stands twice"


def _with_tag(key):
    return f"{key.name}/team" if key.tagged else key.name


@pytest.mark.parametrize("engine", capabilities.ENGINES)
@pytest.mark.parametrize("name", sorted(condition_keys.KEYS))
def test_a_key_compiles_exactly_where_the_table_lets_it(engine, name):
    key = _with_tag(condition_keys.KEYS[name])

    if name in refused(refusals.KEY, engine):
        with pytest.raises(errors.UnsupportedByEngine) as caught:
            compiled(engine, statement({"Null": {key: "true"}}))
        assert caught.value.field == f"document.Statement[0].Condition.Null.{key}"
        row = refusals.find(refusals.KEY, name, engine)
        assert caught.value.rule.endswith(row.why)
    else:
        compiled(engine, statement({"Null": {key: "true"}}))


# Every other row has a document that meets it.

MET = {
    "ArnEquals": {"ArnEquals": {"aws:username": "arn:aws:iam::1:user/a"}},
    "ArnLike": {"ArnLike": {"aws:username": "arn:aws:iam::1:user/a"}},
    "ArnNotEquals": {"ArnNotEquals": {"aws:username": "arn:aws:iam::1:user/a"}},
    "ArnNotLike": {"ArnNotLike": {"aws:username": "arn:aws:iam::1:user/a"}},
    "BinaryEquals": {"BinaryEquals": {"aws:username": "YQ=="}},
    refusals.ADDRESSES: {"IpAddress": {"aws:UserAgent": "10.0.0.1"}},
    refusals.NUMBERS: {"NumericEquals": {"s3:prefix": "1"}},
    refusals.DATES: {"StringLike": {"aws:CurrentTime": "2020-*"}},
    refusals.WILD: {"StringLike": {"s3:prefix": "a${*}"}},
    refusals.DOLLAR: {"StringEquals": {"s3:prefix": "${$}{aws:username}"}},
    "aws:SourceIp": {"StringEquals": {"s3:prefix": "${aws:SourceIp}"}},
    "every other variable": {"StringEquals": {"s3:prefix": "${aws:UserAgent}"}},
    refusals.EMPTY: {"StringEquals": {"aws:referer": ""}},
    refusals.ENCRYPTION: {
        "StringEqualsIgnoreCase": {"s3:x-amz-server-side-encryption": "none"}
    },
    refusals.COPIED: {"StringNotLike": {"s3:x-amz-copy-source": "data/secret/*"}},
    refusals.COPIED_SLASH: {"StringLike": {"s3:x-amz-copy-source": "*/data/x"}},
    refusals.COPIED_BUCKET: {"StringLike": {"s3:x-amz-copy-source": "da*/x"}},
    refusals.SINGLE: {"StringLike": {"s3:prefix": "a??"}},
    refusals.REPEATED: {
        "StringLike": {"s3:prefix": "a*"},
        "StringLikeIfExists": {"s3:prefix": "b*"},
        "ForAnyValue:StringLike": {"s3:prefix": "c*"},
    },
}
OTHER_ROWS = [
    (row, name, engine)
    for row in (*refusals.TABLE, refusals.UNFILLED)
    if row.kind not in (refusals.KEY, refusals.RESOURCE)
    for name in row.names
    for engine in row.engines
]


@pytest.mark.parametrize(
    ("row", "name", "engine"), OTHER_ROWS, ids=[f"{a[1]}-{a[2]}" for a in OTHER_ROWS]
)
def test_what_the_table_says_is_refused(row, name, engine):
    with pytest.raises(errors.UnsupportedByEngine) as caught:
        compiled(engine, statement(MET[name]))

    assert caught.value.rule.endswith(f"can't decide by this {row.kind}: {row.why}")
    assert caught.value.field.startswith("document.Statement[0]")


@pytest.mark.parametrize(
    ("name", "engine"),
    [("aws:SourceIp", "minio"), *((one, "rustfs") for one in (refusals.EMPTY,))],
)
def test_what_one_engine_can_t_the_other_can(name, engine):
    compiled(engine, statement(MET[name]))


@pytest.mark.parametrize("tag", ["é", 'a"b', "a\\b"])
@pytest.mark.parametrize("key", ["s3:RequestObjectTag", "s3:ExistingObjectTag"])
def test_rustfs_gets_no_key_that_json_escapes(key, tag):
    """It reads none, and answers 400 to the whole document."""
    written = statement({"StringEquals": {f"{key}/{tag}": "red"}})

    with pytest.raises(errors.UnsupportedByEngine) as caught:
        compiled("rustfs", written)

    row = refusals.find(refusals.KEY, refusals.ESCAPED, "rustfs")
    assert caught.value.rule.endswith(row.why)
    assert refusals.find(refusals.KEY, refusals.ESCAPED, "minio") is None
    if key == "s3:RequestObjectTag":
        compiled("minio", written)


@pytest.mark.parametrize("engine", capabilities.ENGINES)
@pytest.mark.parametrize(
    ("end", "allow", "deny"),
    [
        ("a", True, True),
        ("*", True, True),
        ("?", True, False),
        ("?*", True, True),
        ("*?", True, True),
        ("a?b*", True, False),
        ("??", False, False),
        ("?*?", False, True),
        ("a??*", False, True),
        ("?a?", True, False),
    ],
)
def test_a_single_letter_is_refused_where_an_engine_would_allow_more(
    engine, end, allow, deny
):
    """Both count bytes, so that `?` misses é and `??` takes it for two letters."""

    def takes(effect, named):
        one = {"Effect": effect, "Action": "s3:GetObject", named: f"{OBJECTS}/{end}"}
        return _takes(engine, one)

    def likes(effect, operator):
        condition = {operator: {"aws:UserAgent": f"x/{end}"}}
        return _takes(engine, statement(condition, effect))

    assert takes("Allow", "Resource") == takes("Deny", "NotResource") == allow
    assert takes("Deny", "Resource") == takes("Allow", "NotResource") == deny
    assert likes("Allow", "StringLike") == likes("Deny", "StringNotLike") == allow
    assert likes("Deny", "StringLike") == likes("Allow", "StringNotLike") == deny


OBJECTS = "arn:aws:s3:::data"


def _takes(engine, one):
    try:
        compiled(engine, one)
    except errors.UnsupportedByEngine as error:
        assert "one byte" in error.rule
        return False
    return True


@pytest.mark.parametrize("engine", capabilities.ENGINES)
@pytest.mark.parametrize(
    ("bucket", "allow", "deny"),
    [("data-?", True, True), ("data-??", True, True), ("data?", True, True),
     ("data??", True, False), ("data-????", False, False)],
)  # fmt: skip
def test_names_of_buckets_have_no_letters_beyond_ascii(engine, bucket, allow, deny):
    """Only a `?` that may be the slash behind a name leaves others to the key."""
    one = {"Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}

    assert _takes(engine, {"Effect": "Allow", **one}) == allow
    assert _takes(engine, {"Effect": "Deny", **one}) == deny
    listed = {"Effect": "Deny", "Action": "s3:ListBucket"}
    assert _takes(engine, {**listed, "Resource": f"arn:aws:s3:::{bucket}"})


@pytest.mark.parametrize("engine", capabilities.ENGINES)
def test_what_only_has_plain_letters_may_be_compared_letter_by_letter(engine):
    for key in ("aws:username", "aws:userid", "s3:authType"):
        for operator in ("StringLike", "StringNotLike"):
            assert _takes(engine, statement({operator: {key: "a??b?"}}, "Deny"))


def test_a_folder_is_refused_where_only_less_than_nothing_would_do():
    deny = statement(effect="Deny", resource="arn:aws:s3:::data/*/")

    with pytest.raises(errors.UnsupportedByEngine) as caught:
        compiled("rustfs", deny)

    assert caught.value.field == "document.Statement[0].Resource[0]"
    compiled("minio", deny)
    compiled("rustfs", {**deny, "Effect": "Allow"})


def test_the_table_names_what_there_is():
    for row in refusals.TABLE:
        assert set(row.engines) <= set(capabilities.ENGINES)
        if row.kind == refusals.KEY:
            assert {*row.names} - {refusals.ESCAPED} <= set(condition_keys.KEYS)
        plain = [name for name in row.names if " " not in name and ":" not in name]
        if row.kind == refusals.OPERATOR:
            assert set(plain) <= set(operators.OPERATORS)


def test_what_the_table_does_not_know_is_a_fault_and_no_refusal():
    with pytest.raises(KeyError):
        refusals.refused(refusals.KEY, "aws:username", "minio", "document")


# Actions.


@pytest.mark.parametrize("engine", capabilities.ENGINES)
def test_cells_ask_what_the_guard_lets_and_need_what_aws_has(engine):
    allowed = set(capabilities.of(engine, "").guard_actions)

    for cell in engine_actions.cells(engine):
        assert cell.asked in allowed
        assert set(cell.needs) <= engine_actions.granted(engine)
        levels = {actions.level(need) for need in cell.needs}
        assert levels == {engine_actions.level(cell)}


@pytest.mark.parametrize("engine", capabilities.ENGINES)
def test_every_right_that_a_key_may_have_counts_in_a_cell(engine):
    needed = {need for cell in engine_actions.cells(engine) for need in cell.needs}

    assert needed == engine_actions.granted(engine)


@pytest.mark.parametrize("engine", capabilities.ENGINES)
def test_every_action_of_the_guard_is_one_of_aws(engine):
    spelled = {
        engine_actions.spelled(engine, one) for one in engine_actions.granted(engine)
    }

    assert spelled == set(capabilities.of(engine, "").guard_actions)


# The page.


def rows(heading):
    """The cells of the first table below a heading of the page."""
    below = PAGE.split(f"\n## {heading}\n", 1)[1]
    table = re.search(r"(?:^\|.*\n)+", below, re.M)[0]
    lines = table.splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_the_page_shows_every_refusal_and_no_other():
    shown = [
        (kind, tuple(names.replace("`", "").split(", ")), engine, why)
        for kind, names, engine, why in rows("What an engine can't decide by")
    ]

    assert shown == [
        (row.kind, _split(row.names), LABELS[row.engines], row.why)
        for row in (*refusals.TABLE, refusals.UNFILLED)
    ]


def _split(names):
    return tuple(part for name in names for part in name.split(", "))


def test_the_page_shows_every_deviation():
    less = rows("Where an engine allows less")
    more = rows("Where an engine allows more")

    for shown, laxer in ((less, False), (more, True)):
        assert shown == [
            [one.name, LABELS[one.engines], one.why]
            for one in deviations.LIST
            if one.laxer == laxer
        ]


def test_the_page_shows_what_can_be_forged():
    for one in forgeries.LIST:
        assert f"| {one.name} | {LABELS[one.engines]} | {one.what} |" in PAGE


def test_the_page_shows_every_key_and_action():
    shown = {cells[0].strip("`"): cells[1:] for cells in rows("Conditions")}

    known = {one: engine_keys.known(one) for one in capabilities.ENGINES}
    assert set(shown) == set().union(*known.values())
    for key, (engine, forgeable, blind) in shown.items():
        assert engine == _label(known, key, lambda supply: True)
        assert forgeable == _label(known, key, lambda supply: supply.forgeable)
        assert blind == _label(known, key, lambda supply: bool(supply.unseen))
    for cells in rows("Actions"):
        GRANTED_SHOWN.update(re.findall(r"`(\w+)`", cells[1]))
    assert {f"s3:{one}" for one in GRANTED_SHOWN} == GRANTED


GRANTED_SHOWN = set()


def _label(known, key, test):
    found = tuple(
        one
        for one in capabilities.ENGINES
        if key in known[one] and test(known[one][key])
    )
    return LABELS.get(found, "")


def test_the_page_tells_the_largest_sizes():
    for engine in capabilities.ENGINES:
        able = capabilities.of(engine, "")
        assert f"{able.policy_bytes:,}" in PAGE
        assert f"{able.scope_bytes:,}" in PAGE
