"""Tells what is being done, and how long it took."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator


class Steps:
    """Gives a line for each step that ended, with its seconds, to `say`."""

    def __init__(self, say: Callable[[str], None] = lambda line: None) -> None:
        self._say = say

    @contextlib.contextmanager
    def step(self, what: str) -> Iterator[None]:
        """One step; nothing is told of one that fails, as its error tells more."""
        began = time.monotonic()
        yield
        self._say(f"{time.monotonic() - began:6.1f} s  {what}")
