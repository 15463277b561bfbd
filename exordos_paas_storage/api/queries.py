"""Query parameters of lists: pages, sorting, filters. What is unknown is refused."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from restalchemy.common import exceptions
from restalchemy.dm import filters, types

from exordos_paas_storage.domain import access, errors, rules
from exordos_paas_storage.models import columns

DEFAULT_LIMIT = 100
MOST_LIMIT = 1000
SPECIAL = ("page_limit", "page_marker", "sort_key", "sort_dir", "fields", "label", "q")


def check(resource: access.Resource, role: str, model: Any, params: Any) -> None:
    """Refuse a parameter that a list of `resource` does not take.

    Raises:
        InvalidQuery: names the parameter.
    """
    for name, value in params.items():
        if "\0" in value or any("\ud800" <= one <= "\udfff" for one in value):
            where = name if name in SPECIAL else "query"
            raise errors.InvalidQuery(where, "must hold no NUL and be valid UTF-8")
        if name not in SPECIAL and name not in comparable(resource, role, model):
            raise errors.InvalidQuery(
                "query", "names a field that can't be filtered by"
            )
    check_fields(resource, role, params)
    for key in params.getall("sort_key"):
        if key not in sortable(resource, role, model):
            raise errors.InvalidQuery(
                "sort_key", "names a field that can't be sorted by"
            )
    for direction in params.getall("sort_dir"):
        if direction not in ("asc", "desc"):
            raise errors.InvalidQuery("sort_dir", "must be asc or desc")
    for single in ("page_limit", "page_marker", "sort_key", "sort_dir", "q"):
        if len(params.getall(single)) > 1:
            raise errors.InvalidQuery(single, "may be given once")
    if "sort_dir" in params and "sort_key" not in params:
        raise errors.InvalidQuery("sort_dir", "needs sort_key")


def check_fields(resource: access.Resource, role: str, params: Any) -> None:
    """Refuse a `fields` that names what an answer does not show.

    Raises:
        InvalidQuery: names the parameter.
    """
    for name in params.getall("fields"):
        hidden = resource.level(role, name) == access.HIDDEN
        if hidden or resource.fields[name].once:
            raise errors.InvalidQuery("fields", "names a field that is not there")


@contextlib.contextmanager
def expression() -> Iterator[None]:
    """Say of a filter expression that is wrong that it is the expression."""
    try:
        yield
    except exceptions.ValidationFilterIncompatibleError:
        raise errors.InvalidQuery(
            "q", "names a field that can't be filtered by"
        ) from None
    except exceptions.ValidationFilterSyntaxError as error:
        raise errors.InvalidQuery("q", error.msg) from None
    except exceptions.ParseError:
        raise errors.InvalidQuery("q", "holds a value of the wrong type") from None
    except exceptions.ValidationErrorException:
        raise errors.InvalidQuery("q", "is too long or too deeply nested") from None


def sortable(resource: access.Resource, role: str, model: Any) -> set[str]:
    """Fields that a list can be sorted by: a page's end must compare with a value."""
    known = model.properties.properties
    return {
        name
        for name in comparable(resource, role, model)
        if name == "id"
        or not isinstance(known[name].get_property_type(), types.AllowNone)
    }


def comparable(resource: access.Resource, role: str, model: Any) -> set[str]:
    """Fields that a list can be filtered by, as the API names them."""
    known = model.properties.properties
    found = {
        name
        for name in resource.fields
        if name in known
        and resource.level(role, name) > access.HIDDEN
        and not isinstance(known[name].get_property_type(), columns.JsonValue)
    }
    return found | {"id"}


def limit(params: Any) -> int:
    """How many objects a page holds."""
    text = params.get("page_limit", str(DEFAULT_LIMIT))
    digits = text.isascii() and text.isdigit() and len(text) <= 9
    if not digits or not 1 <= int(text) <= MOST_LIMIT:
        raise errors.InvalidQuery(
            "page_limit", f"must be an integer from 1 to {MOST_LIMIT}"
        )
    return int(text)


def order(params: Any) -> list[tuple[str, str]]:
    """The field a list is sorted by, and how; none for the order of ids."""
    key = params.get("sort_key")
    return [(key, params.get("sort_dir", "asc"))] if key else []


def marker(params: Any) -> str | None:
    """The id of the last object of the page before."""
    text = params.get("page_marker")
    if text is not None and not rules.is_uuid(text):
        raise errors.InvalidQuery("page_marker", "must be a UUID")
    return text


def labels(params: Any) -> filters.AbstractClause | None:
    """The filter of every `label=key=value`; repeated ones hold together."""
    wanted: dict[str, str] = {}
    for text in params.getall("label"):
        key, separator, value = text.partition("=")
        if not separator or not rules.LABELS.holds({key: value}):
            raise errors.InvalidQuery("label", "must be key=value")
        if wanted.setdefault(key, value) != value:
            raise errors.InvalidQuery("label", "asks for two values of one key")
    return filters.JSONFields(wanted) if wanted else None
