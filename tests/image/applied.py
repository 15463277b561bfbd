"""Trees with the role played, one for each engine."""

from __future__ import annotations

import dataclasses
from concurrent import futures
from pathlib import Path
from typing import Any

from tests.image import chroot, play


@dataclasses.dataclass(frozen=True)
class Applied:
    """A tree with the role played.

    Attributes:
        layers: the tree, which no test changes.
        first: how that play ended.
        again: how a second one on top of it does, which nobody else waits for.
    """

    engine: str
    layers: chroot.Layers
    first: play.Played
    again: futures.Future[play.Played]

    @property
    def second(self) -> play.Played:
        """How the role ended when it was played once more."""
        return self.again.result()


class Plays:
    """The trees of several engines, made side by side and each only once.

    Args:
        bare: the tree before the role.
        top: an existing folder on a disk.
    """

    def __init__(self, bare: chroot.Layers, top: Path) -> None:
        self._bare, self._top = bare, top
        self._pool = futures.ThreadPoolExecutor(2)
        self._begun: dict[str, futures.Future[Applied]] = {}

    def begin(self, engine: str) -> futures.Future[Applied]:
        """Start making the tree of an engine, where that has not begun."""
        if engine not in self._begun:
            self._begun[engine] = self._pool.submit(self._make, engine)
        return self._begun[engine]

    def get(self, engine: str) -> Applied:
        """The tree of an engine, once it is made."""
        return self.begin(engine).result()

    def close(self) -> None:
        """Wait for what has begun: it works in `top`."""
        self._pool.shutdown()

    def _make(self, engine: str) -> Applied:
        top, given = self._top / engine, play.variables(engine)
        top.mkdir()
        with self._bare.mounted(top) as tree:
            first = play.play(tree, given)
        layers = chroot.Layers((top / "changes", *self._bare.folders))
        return Applied(engine, layers, first, self._pool.submit(_again, layers, given))


def _again(layers: chroot.Layers, given: dict[str, Any]) -> play.Played:
    with layers.copy() as tree:
        return play.play(tree, given)
