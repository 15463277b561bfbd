"""What a document says, what its compiled form says and what the engine does agree.

A corpus of policies and calls, drawn with a seed: 1 to 3 policies of a user beside the
guard, a key that may have a scope, and signed S3 calls. Each call is decided three
ways, and where the engine differs from the document, `deviations.py` must say why.
"""

from __future__ import annotations

import collections

import pytest

from exordos_paas_storage.domain import capabilities
from exordos_paas_storage.domain.language import document
from tests import engines, figures
from tests.contract.agreement import calls, corpus, deviations, model, world

SEED, CASES, CALLS = 20_121_017, 140, 10


class Tally:
    """Counts of what was seen, and what was not as it should be."""

    def __init__(self) -> None:
        self.counts: collections.Counter[str] = collections.Counter()
        self.wrong: list[str] = []

    def add(self, name: str) -> None:
        self.counts[name] += 1

    def line(self) -> str:
        return ", ".join(f"{name} {count}" for name, count in self.counts.items())


def _decide(tally, place, engine, case):
    written = [document.parse(one) for one in case.policies]
    scope = document.parse(case.scope) if case.scope else None
    able = capabilities.of(engine, "")
    given = [corpus.compiled(engine, one, able.policy_bytes) for one in case.policies]
    narrowed = case.scope and corpus.compiled(engine, case.scope, able.scope_bytes)
    place.hold(case.user, given)
    with place.key(case.user, narrowed) as keys:
        for call in case.calls:
            says = calls.allowed(call, written, scope)
            does = place.allows(call, keys)
            modelled = model.allowed(engine, call, given, narrowed)
            _count(tally, case, call, written, scope, says)
            decided = (says, does, modelled)
            found = _judge(tally, engine, call, written, scope, decided)
            if found:
                tally.wrong.append(f"{found}: {call}\n  {case}")


def _judge(tally, engine, call, written, scope, decided):
    """What is wrong with a decision; empty if nothing is."""
    says, does, modelled = decided
    if modelled != does:
        return f"the model says {modelled} and {engine} {does}"
    if says == does:
        return ""
    reason = deviations.found(engine, call, written, does, scope)
    if reason is None:
        return f"the document says {says} and {engine} {does}"
    tally.add(f"deviation '{reason.name}'")
    return ""


def _count(tally, case, call, written, scope, says):
    tally.add("pairs")
    tally.add("allowed" if says else "denied")
    for name in corpus.classes(case, call, written, scope):
        tally.add(name)


@pytest.mark.parametrize("name", engines.available())
def test_document_compiled_form_and_engine_agree(name, started):
    place, tally = world.of(started(name)), Tally()

    for case in corpus.cases(name, CASES, CALLS, SEED):
        _decide(tally, place, name, case)

    figures.keep(f"agreement on {name}: {tally.line()}")
    assert not tally.wrong, "\n".join(tally.wrong[:5])
    assert tally.counts["pairs"] >= 1000
    assert 0.45 <= tally.counts["denied"] / tally.counts["pairs"] <= 0.55
    for one in corpus.CLASSES:
        assert tally.counts[one] >= 100, one
