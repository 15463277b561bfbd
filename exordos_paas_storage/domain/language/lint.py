"""All that is wrong with a policy document, not only the first thing."""

from __future__ import annotations

from typing import Any

from exordos_paas_storage.domain.language import grammar
from exordos_paas_storage.domain.language.elements import Problem
from exordos_paas_storage.domain.language.findings import Findings


def problems(value: Any, field: str = "document") -> list[Problem]:
    """The rules that a document breaks, in its order; none if `parse` takes it.

    Args:
        value: what JSON gave, of any type.
        field: what the paths call the document.

    Returns:
        At most `findings.MOST_PROBLEMS`; the first is the one that `parse` raises.
    """
    found = Findings()
    grammar.read(value, field, found)
    return found.problems
