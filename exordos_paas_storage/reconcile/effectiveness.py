"""The condition that says whether a document can come true on its engine."""

from __future__ import annotations

from collections.abc import Sequence

from exordos_paas_storage.domain import status
from exordos_paas_storage.models import rights

_SAID_MOST = 1024


def told(
    conditions: Sequence[status.Condition], compiled: rights.Compiled, at: str
) -> list[status.Condition]:
    """The conditions with what compiling a policy or a scope has shown.

    `FullyEffective` is `False` where the engine may allow more than is written
    (`EngineIsLaxer`), or where parts of it do nothing there (`PartsWithoutEffect`).
    """
    value, reason, said = status.TRUE, "Compiled", "all it says is in force"
    if compiled.warnings:
        laxer = any(one.laxer for one in compiled.warnings)
        value = status.FALSE
        reason = "EngineIsLaxer" if laxer else "PartsWithoutEffect"
        ordered = sorted(compiled.warnings, key=lambda one: not one.laxer)
        said = "; ".join(f"{one.path}: {one.why}" for one in ordered)[:_SAID_MOST]
    return status.with_condition(
        conditions, status.FULLY_EFFECTIVE, value, reason, said, at
    )
