"""Statements for an engine, put together from what a document says of its requests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from exordos_paas_storage.domain import capabilities
from exordos_paas_storage.domain.language import (
    actions,
    clauses,
    engine_actions,
    grammar,
    merging,
    reach,
)
from exordos_paas_storage.domain.language.elements import DENY, FOR_ALL
from exordos_paas_storage.domain.language.engine_actions import DELETE, DELETE_VERSION
from exordos_paas_storage.domain.language.engine_keys import USERNAME
from exordos_paas_storage.domain.language.merging import Clause, Clauses, Form
from exordos_paas_storage.domain.language.parts import Read
from exordos_paas_storage.domain.language.reach import Reach

# Of these, RustFS takes one value and no list.
_SINGLE = ("Numeric", "Date", "Null")
_BETWEEN = set(" []")


class Frame(NamedTuple):
    """A statement for an engine, but for its actions."""

    effect: str
    covered: Reach
    clause: Clause


Frames = dict[Frame, set[str]]


def document(read: Sequence[Read]) -> dict[str, Any]:
    """The document that an engine gets.

    Raises:
        UnsupportedByEngine: the engine can't take one of the resources.
    """
    frames: Frames = {}
    versions = _Versions(read)
    for one in read:
        _add(frames, one)
        if one.setting.engine == capabilities.MINIO and one.setting.allow:
            _keep_versions(frames, one, versions)
    statements = [
        _statement(frame, sorted(asked)) for frame, asked in _joined(frames).items()
    ]
    return {"Version": grammar.VERSION, "Statement": statements or [_inert()]}


def _inert() -> dict[str, Any]:
    """A statement about nothing, as no engine takes a document without one."""
    frame = Frame(DENY, Reach((reach.NOTHING,)), ())
    return _statement(frame, (engine_actions.GET,))


def _add(frames: Frames, one: Read) -> None:
    setting = one.setting
    for part in one.parts:
        found = one.covered(part.about)
        if found is None:
            continue
        held = part.held
        if part.key:
            told = clauses.telling(setting.engine, part.key, part.present)
            held = merging.both(held, told, setting.path)
        _make(frames, one, one.statement.effect, found, held, part.asked)


def _make(
    frames: Frames, one: Read, effect: str, found: Reach, held: Clauses, asked: str
) -> None:
    apart = one.setting.engine == capabilities.MINIO
    for clause in held:
        at = _told_apart(clause) if apart else clause
        frames.setdefault(Frame(effect, found, at), set()).add(asked)


def _told_apart(clause: Clause) -> Clause:
    """The clause, with a condition that always holds where MinIO needs a difference.

    It drops a statement that it takes for another one, also of another policy, and
    writes the values `a` and `b` like the value `a b` when it compares them (seen). So
    lengths are added where a text has what it puts between values.
    """
    texts = [text for form in clause for text in (form.key, *form.values)]
    if not any(set(text) & _BETWEEN for text in texts):
        return clause
    lengths = ",".join(str(len(text)) for text in texts)
    always = Form(f"{FOR_ALL}:StringLike", USERNAME, ("*", lengths))
    return tuple(sorted((*clause, always)))


class _Versions:
    """The objects of which some statement allows to delete every version."""

    def __init__(self, read: Sequence[Read]) -> None:
        free = [
            found
            for one in read
            if one.setting.allow and one.held(DELETE_VERSION) == merging.ALWAYS
            for found in (one.covered(actions.OBJECT),)
            if found is not None
        ]
        self._others = {one for one in free if one.others}
        self._known = reach.Known(
            arn for one in free if not one.others for arn in one.arns
        )

    def hold(self, asked: Reach) -> bool:
        """Whether all of these are among them."""
        if asked.others:
            return asked in self._others or self._known.has(reach.EVERYTHING)
        return all(map(self._known.has, asked.arns))


def _keep_versions(frames: Frames, one: Read, versions: _Versions) -> None:
    """Deny MinIO the deletion of versions where only that of objects is allowed.

    It deletes several at once, versions among them, for whoever may delete objects and
    is not denied to delete versions. A condition can't tell, as the body names them.
    """
    held = one.held(DELETE)
    if held in (merging.NEVER, one.held(DELETE_VERSION)):
        return
    found = one.covered(actions.OBJECT)
    if found is None or versions.hold(found):
        return
    told = clauses.telling(capabilities.MINIO, engine_actions.VERSION_ID, False)
    held = merging.both(held, told, one.setting.path)
    _make(frames, one, DENY, found, held, DELETE_VERSION)


def _joined(frames: Frames) -> Frames:
    """Statements that differ by their resources only, as one.

    What was apart may be alike then, as a pattern that another one holds goes.
    """
    alike: dict[tuple[Any, ...], list[Reach]] = {}
    for (effect, covered, clause), asked in frames.items():
        at = (effect, covered.others and covered, clause, tuple(sorted(asked)))
        alike.setdefault(at, []).append(covered)
    found: Frames = {}
    for (effect, _, clause, asked), some in alike.items():
        arns = reach.narrowest([arn for one in some for arn in one.arns])
        frame = Frame(effect, Reach(arns, some[0].others), clause)
        found.setdefault(frame, set()).update(asked)
    return found


def _statement(frame: Frame, asked: Sequence[str]) -> dict[str, Any]:
    named = "NotResource" if frame.covered.others else "Resource"
    found = {
        "Effect": frame.effect,
        "Action": list(asked),
        named: list(frame.covered.arns),
    }
    condition: dict[str, dict[str, Any]] = {}
    for operator, key, values in frame.clause:
        single = operator.startswith(_SINGLE)
        wanted = values[0] if single else list(values)
        condition.setdefault(operator, {})[key] = wanted
    return {**found, "Condition": condition} if condition else found
