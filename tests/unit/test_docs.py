"""The written pages name only what is there."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

from exordos_paas_storage.domain import capabilities

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "exordos_paas_storage"
CONTRACT = ROOT / "docs" / "reference" / "contract.md"
ARCHITECTURE = ROOT / "docs" / "architecture.md"
README = ROOT / "README.md"
CHANGES = ROOT / "docs" / "changes"
MOST_LINES = 150
# Beside fragments: what keeps the folder in git, and how fragments are written.
NO_FRAGMENTS = {".gitignore", ".gitkeep", "README.md"}


def named_tests(text):
    return re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text)


def rows(text):
    """Each row of the contract's table: its first cell, and the whole row."""
    return dict(re.findall(r"^(?=\| (C\d+) \|)(.*)$", text, re.M))


def functions_of(path):
    found = ast.walk(ast.parse((ROOT / path).read_text()))
    return {node.name for node in found if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize(("path", "name"), named_tests(CONTRACT.read_text()))
def test_a_test_named_by_the_contract_page_exists(path, name):
    assert name.startswith("test_")
    assert name in functions_of(path)


# Of the contract's items 1 to 11, the first that many have a test there.
ITEMS = {"tests/functional/": 11, "tests/onebox/": 10, "tests/service/": 9}


@pytest.mark.parametrize(
    ("folder", "number"),
    [(name, number) for name, most in ITEMS.items() for number in range(1, most + 1)],
)
def test_every_item_of_the_contract_has_its_tests(folder, number):
    row = rows(CONTRACT.read_text())[f"C{number}"]

    assert any(path.startswith(folder) for path, _ in named_tests(row))


@pytest.mark.parametrize("engine", capabilities.ENGINES)
def test_the_contract_page_names_each_engines_health_paths(engine):
    able = capabilities.of(engine, "")

    assert f"| `{able.health_path}` | `{able.ready_path}` |" in CONTRACT.read_text()


def test_the_architecture_page_is_short():
    assert len(ARCHITECTURE.read_text().splitlines()) < MOST_LINES


def test_every_path_on_the_architecture_page_exists():
    """A name with a slash is a path from the root or inside the package."""
    text = re.sub(r"^```.*?^```", "", ARCHITECTURE.read_text(), flags=re.M | re.S)
    named = re.findall(r"`([\w.-]+(?:/[\w.-]*)+)(?:::\w+)?`", text)
    missing = [
        path
        for path in named
        if not any((top / path).exists() for top in (ROOT, PACKAGE))
    ]

    assert named
    assert missing == []


def test_the_readme_names_only_targets_that_make_has():
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z][\w-]*):", makefile, re.M))
    # In a block or in backticks; "make" is a word in plain sentences too.
    named = re.findall(r"(?:^|`)make ([a-z][\w-]*)", README.read_text(), re.M)

    assert named
    assert set(named) <= targets


def test_the_readme_links_only_to_what_is_there():
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", README.read_text())

    assert [link for link in links if not (ROOT / link).exists()] == []


def test_changelog_fragments_have_names_that_towncrier_takes():
    # Python 3.10 reads no TOML by itself.
    settings = (ROOT / "pyproject.toml").read_text().partition("[tool.towncrier]")[2]
    kinds = "|".join(re.findall(r'directory = "(\w+)", name', settings))
    assert "added" in kinds
    fragments = [file for file in CHANGES.iterdir() if file.name not in NO_FRAGMENTS]

    wrong = [
        file.name
        for file in fragments
        if not re.fullmatch(rf"(\d+|\+[\w-]+)\.({kinds})(\.\d+)?\.md", file.name)
        or not file.read_text().strip()
    ]
    assert wrong == []


@pytest.mark.parametrize("given", [[], ["SUITE=tests/functional/test_buckets.py"]])
def test_the_stand_page_names_what_of_the_suite_runs(given):
    """Only the named part, and all of it without a name."""
    command = ["make", "--no-print-directory", "--dry-run", "functional", *given]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    wanted = given[0].partition("=")[2] if given else "tests/functional"

    assert said.stdout.splitlines()[-1].endswith(f"pytest {wanted}")
    page = (ROOT / "docs" / "guides" / "stand.md").read_text()
    assert f"make functional {''.join(given)}" in page
