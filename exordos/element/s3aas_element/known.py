"""What Core knows of the element and its releases, by the command line (3.2.29).

Whether a release is installed stands in its `installation state`, which Core sets in
the call that asks for it. The element's row comes and goes later, when Core's builder
is at it (exordos_core 0.3.5, `repo/dm/models.py`).
"""

from __future__ import annotations

import ast
import json
from typing import Any

from exordos_paas_storage.domain import errors
from exordos_paas_storage.plugin import place
from s3aas_element.command_line import Run, must
from s3aas_element.served import Content

Row = dict[str, Any]
_JSON = ("--output", "json")


def repositories(run: Run) -> list[Row]:
    """All repositories."""
    found: list[Row] = json.loads(must(run, "repo", "list", *_JSON))
    return found


def releases(run: Run) -> list[Row]:
    """The element's releases in all repositories."""
    return _rows(run, "repo", "elements", "list", "--dev")


def installed(run: Run) -> Row | None:
    """The release that is installed, or is to be; Core lets there be one."""
    found = [row for row in releases(run) if row["installation state"] == "INSTALLED"]
    return found[0] if found else None


def element(run: Run) -> Row | None:
    """The element, as it is made of an installed release."""
    return next(iter(_rows(run, "ee", "list")), None)


def content(run: Run, uuid: str) -> Content:
    """What Core has of a release; one that it never read it reads now."""
    said = must(run, "repo", "elements", "show", uuid, *_JSON)
    # The command line shows values as Python writes them.
    try:
        fields = {row["field"]: row["value"] for row in json.loads(said)}
        manifest, inventory = fields["manifest"], fields["inventory"]
        return Content(ast.literal_eval(manifest), ast.literal_eval(inventory))
    except (KeyError, SyntaxError, ValueError):
        raise errors.SetupError(
            f"exordos repo elements show {uuid}: this is not what exordos 3.2 says"
        ) from None


def node_sets(run: Run) -> list[Row]:
    """All sets of machines, each with the image of their root disks."""
    found: list[Row] = json.loads(must(run, "compute", "sets", "list", *_JSON))
    return found


def _rows(run: Run, *words: str) -> list[Row]:
    said = must(run, *words, *_JSON)
    return [row for row in json.loads(said) if row["name"] == place.ELEMENT]
