"""What a run measured, shown at its end."""

from __future__ import annotations

KEPT: list[str] = []


def keep(line: str) -> None:
    """Show a line at the end of the run."""
    KEPT.append(line)
