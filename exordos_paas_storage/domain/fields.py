"""Roles, levels and fields: the words that the access table is written in."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from exordos_paas_storage.domain import errors, rules

OWNER, OPERATOR, VIEWER = "owner", "operator", "viewer"
ROLES = (OWNER, OPERATOR, VIEWER)  # the strongest first: the first one held decides

CREATE, READ_VERB, UPDATE, DELETE = "create", "read", "update", "delete"


class Level(IntEnum):
    """What a role may do with one field; each includes what stands before it."""

    HIDDEN = 0
    READ = 1
    SET_ONCE = 2
    WRITE = 3


HIDDEN, READ, SET_ONCE, WRITE = Level
Row = tuple[Level, Level, Level]
ALL_READ: Row = (READ, READ, READ)


@dataclass(frozen=True)
class Field:
    """One field of a resource.

    Attributes:
        rule: what a value must be.
        access: the level of owner, operator and viewer.
        default: what `null` and leaving it out mean.
        required: whether creation must name it.
        later: promised, without effect yet: anything but the default is refused.
        silent: a change of it changes nothing on the engine.
        once: shown only in the answer that creates the object.
        virtual: not a column of the resource's own table.
        unordered: a list whose order says nothing.
    """

    rule: rules.Rule
    access: Row = ALL_READ
    default: Any = None
    required: bool = False
    later: bool = False
    silent: bool = False
    once: bool = False
    virtual: bool = False
    unordered: bool = False


@dataclass(frozen=True)
class Resource:
    """One kind of object: its path segment, its fields and who may do what to it."""

    name: str
    collection: str
    fields: dict[str, Field]
    verbs: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """What the field `kind` of every such object says."""
        return f"s3_{'policy_attachment' if self.name == 'attachment' else self.name}"

    def level(self, role: str, name: str) -> Level:
        """What `role` may do with the field `name`."""
        found = self.fields.get(name)
        return found.access[ROLES.index(role)] if found else Level.HIDDEN

    def may(self, role: str, verb: str) -> bool:
        """Whether `role` may `verb` objects of this resource."""
        return role in self.verbs.get(verb, ())


def check(resource: Resource, name: str, value: Any) -> None:
    """Refuse a value that its field does not take.

    Raises:
        InvalidValue: it breaks the field's rule.
        NotYetSupported: the field has no effect yet and this is not its default.
    """
    found = resource.fields[name]
    default = value is None or _same(value, found.default)
    if found.later and not default:
        raise errors.NotYetSupported(name, "can't be set yet; leave it out")
    if not found.later:
        found.rule.check(name, value)


def _same(one: Any, other: Any) -> bool:
    # To Python 1 and 1.0 equal True; to a client they don't.
    return type(one) is type(other) and bool(one == other)
