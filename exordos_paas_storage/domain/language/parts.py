"""A statement as an engine asks: what it says of every part of a key's requests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from exordos_paas_storage.domain.language import (
    actions,
    clauses,
    engine_actions,
    merging,
    reach,
)
from exordos_paas_storage.domain.language.clauses import Setting
from exordos_paas_storage.domain.language.elements import Statement
from exordos_paas_storage.domain.language.engine_actions import Cell
from exordos_paas_storage.domain.language.merging import Clauses
from exordos_paas_storage.domain.language.reach import Reach


class Part(NamedTuple):
    """What a statement says of one part of the requests that an engine asks alike.

    Attributes:
        asked: the engine's action.
        about: what it is about, a value of `actions.level`.
        held: the clauses of the statement's conditions.
        key: the condition key that tells this part apart; empty for all of `asked`.
        present: whether the requests of this part carry `key`.
    """

    asked: str
    about: str
    held: Clauses
    key: str = ""
    present: bool = False


@dataclass(frozen=True)
class Read:
    """A statement with what it says of the requests of a key.

    Attributes:
        statement: as its author wrote it.
        setting: what it is compiled for.
        named: the actions, in AWS's spelling, that it names and the guard lets a key
            do.
        parts: what it says, where its conditions can hold.
        reached: what it covers, by what that is, as far as it was asked.
    """

    statement: Statement
    setting: Setting
    named: frozenset[str]
    parts: tuple[Part, ...]
    reached: dict[str, Reach | None] = field(
        default_factory=dict, compare=False, repr=False
    )

    def covered(self, about: str) -> Reach | None:
        """What it covers of what its actions are about; None for nothing.

        Args:
            about: a value of `actions.level`.

        Raises:
            UnsupportedByEngine: the engine can't take one of the resources.
        """
        if about not in self.reached:
            setting = self.setting
            self.reached[about] = reach.of(
                self.statement, about, setting.engine, setting.secure, setting.path
            )
        return self.reached[about]

    def held(self, action: str) -> Clauses:
        """The clauses of its conditions for requests that AWS calls so."""
        if action not in self.named:
            return merging.NEVER
        return clauses.of(self.statement.conditions, action, action, self.setting)


def read(statement: Statement, setting: Setting) -> Read:
    """What a statement says to an engine.

    Raises:
        UnsupportedByEngine: the engine can't decide by one of its conditions.
    """
    matched = actions.matching(statement.actions)
    granted = engine_actions.granted(setting.engine)
    named = granted - matched if statement.not_action else granted & matched
    found = list(_found(statement, named, setting))
    return Read(statement, setting, named, tuple(_whole(found, setting.engine)))


def _found(
    statement: Statement, named: frozenset[str], setting: Setting
) -> Iterator[Part]:
    """The parts cell by cell.

    A cell that needs several rights is allowed where the statement allows them all,
    and denied where it denies one.
    """
    for cell in engine_actions.cells(setting.engine):
        needed = [one for one in cell.needs if one in named]
        if not needed or (setting.allow and len(needed) < len(cell.needs)):
            continue
        held = _held(statement, needed, cell, setting)
        if held:
            about = engine_actions.level(cell)
            yield Part(cell.asked, about, held, cell.key, cell.present)
    if not setting.allow:
        yield from _along(statement, named, setting)


def _held(
    statement: Statement, needed: list[str], cell: Cell, setting: Setting
) -> Clauses:
    every = [
        clauses.of(statement.conditions, one, cell.asked, setting) for one in needed
    ]
    found = every[0]
    for one in every[1:]:
        if setting.allow:
            found = merging.both(found, one, setting.path)
        else:
            found = merging.either(found, one, setting.path)
    return found


def _along(
    statement: Statement, named: frozenset[str], setting: Setting
) -> Iterator[Part]:
    """What the engine does not keep apart from what a Deny is about."""
    for denied, along in engine_actions.DENIED_ALONG[setting.engine].items():
        if denied in named and along not in named:
            held = clauses.of(statement.conditions, denied, along, setting)
            if held:
                yield Part(along, actions.level(denied), held)


def _whole(found: list[Part], engine: str) -> Iterator[Part]:
    """The same with all parts of one action as one, where they say the same."""
    cells = [cell.asked for cell in engine_actions.cells(engine)]
    said: dict[str, list[Clauses]] = {}
    for part in found:
        said.setdefault(part.asked, []).append(part.held)
    whole = {
        asked: held[0]
        for asked, held in said.items()
        if len(held) == cells.count(asked) and len(set(held)) == 1
    }
    # The right to read versions counts for objects too, so that it may stand without a
    # condition only where the right to read them does.
    whole[engine_actions.GET_VERSION] = whole.get(engine_actions.GET, merging.NEVER)
    for part in found:
        same = whole.get(part.asked) == part.held
        yield part._replace(key="", present=False) if same else part
