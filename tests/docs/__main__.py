"""Writes the reference pages that are generated: `python -m tests.docs FOLDER`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from exordos_paas_storage.api import openapi, routes
from exordos_paas_storage.domain import access

LEVELS = {
    access.HIDDEN: "hidden",
    access.READ: "read",
    access.SET_ONCE: "set once",
    access.WRITE: "write",
}
HEAD = """\
# Fields by role

*read*: shown. *set once*: taken by POST alone. *write*: taken by POST and PATCH.
*hidden*: as if it were not there. A field that comes later shows its default and is
refused with `NotYetSupported` when it is set to anything else.
"""


def main() -> None:
    """Write every page into the folder that the command line names."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m tests.docs FOLDER")
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (("fields.md", fields()), ("openapi.json", specification())):
        path = folder / name
        path.write_text(text)
        sys.stdout.write(f"{path}\n")


def fields() -> str:
    """The page of every resource's fields."""
    return "\n".join([HEAD, *map("\n".join, map(_of_resource, access.RESOURCES))])


def specification() -> str:
    """The OpenAPI document as the service serves it, laid out for reading."""
    found = openapi.document(routes.TypeRoute, openapi.PREFIX, "/")
    return json.dumps(found, indent=2) + "\n"


def _of_resource(resource: access.Resource) -> Iterator[str]:
    yield f"## {resource.kind}\n"
    for verb, roles in resource.verbs.items():
        yield f"* {verb}: {', '.join(roles)}"
    yield "\n| field | rule | owner | operator | viewer | default | later |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for name, field in resource.fields.items():
        yield _row(name, field)
    yield ""


def _row(name: str, field: access.Field) -> str:
    settable = max(field.access) > access.READ
    default = f"`{json.dumps(field.default)}`" if settable else ""
    if field.required:
        default = "required"
    cells = [
        f"`{name}`",
        _words(field),
        *(LEVELS[level] for level in field.access),
        default,
        "later" if field.later else "",
    ]
    return f"| {' | '.join(cells)} |"


def _words(field: access.Field) -> str:
    words = field.rule.words or "is set by the service"
    return f"{words}; shown once, at creation" if field.once else words


if __name__ == "__main__":
    main()
