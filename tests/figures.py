"""What a run measured, shown at its end; never a reason for a test to fail.

A run may have several processes (pytest-xdist): each keeps its own, and the one that
reports gets them by `tests/conftest.py`.
"""

from __future__ import annotations

import collections
import statistics
from collections.abc import Iterator

_LINES: list[str] = []
_TIMES: dict[str, list[float]] = collections.defaultdict(list)


def keep(line: str) -> None:
    """Show a line at the end of the run."""
    _LINES.append(line)


def took(engine: str, what: str, seconds: float) -> None:
    """Show how long it was from the API's answer to an effect, over all its times."""
    _TIMES[f"{engine:8}{what:40}"].append(seconds)


def kept() -> tuple[list[str], dict[str, list[float]]]:
    """All that this process keeps, as another process takes it by `add`."""
    return list(_LINES), dict(_TIMES)


def add(lines: list[str], times: dict[str, list[float]]) -> None:
    """Keep what another process kept."""
    _LINES.extend(lines)
    for name, found in times.items():
        _TIMES[name].extend(found)


def shown() -> Iterator[str]:
    """What to show, line by line."""
    yield from _LINES
    for name, found in sorted(_TIMES.items()):
        middle, most = statistics.median(found) * 1000, max(found) * 1000
        yield f"{name} n {len(found):4}  p50 {middle:7.1f} ms  most {most:7.1f} ms"
