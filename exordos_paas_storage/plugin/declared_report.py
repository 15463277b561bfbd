"""What Core hears of a declared object, and what it asks when it has nothing to say.

Where Core has nothing new to say the agent takes its own last report for what is asked
(gcl_sdk 3.7, `clients/http/orch.py`, `get_payload`). There is more in a report than was
asked for, and no secret. So each names the fields that were asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from gcl_sdk.agents.universal import utils
from gcl_sdk.agents.universal.dm import models as ua_models

# The member of a report that says what was asked for.
ASKED_FOR = "asked_for"

View = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """What is asked of a declared object.

    Attributes:
        view: the fields that are asked for.
        untold: names of those that a report leaves out: it came back without them.
        hash: what Core compares; of all fields, those that are left out as well.
    """

    view: View = field(repr=False)
    untold: frozenset[str]
    hash: str

    @classmethod
    def read(cls, view: View) -> Asked:
        """What a view asks for, be it Core's or a report that came back."""
        said = view.get(ASKED_FOR)
        if not isinstance(said, dict) or said.keys() != {"fields", "hash"}:
            return cls(view, frozenset(), utils.calculate_hash(view))
        names = frozenset(said["fields"])
        return cls(
            {name: view[name] for name in view if name in names},
            names - view.keys(),
            str(said["hash"]),
        )

    def told(self) -> View:
        """What a report says of it."""
        names = self.view.keys() | self.untold
        return {ASKED_FOR: {"fields": sorted(names), "hash": self.hash}}


def resource(view: View, kind: str, asked: str | None = None) -> ua_models.Resource:
    """The report of an object, as the agent passes it on.

    Args:
        view: the object as Core sees it.
        kind: what the platform calls its kind.
        asked: the hash of what was asked for, where that is what holds.
    """
    found = ua_models.Resource.from_value(view, kind, target_fields=())
    if asked is not None:
        found.hash = asked
    return found
