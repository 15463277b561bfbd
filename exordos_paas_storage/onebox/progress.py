"""How far `up` is: a bar on a terminal, else a line for each step."""

from __future__ import annotations

import rich.console
import rich.progress


class Steps:
    """Shows a known number of steps, and plain lines once they are done.

    Args:
        total: how many steps there are.
    """

    def __init__(self, total: int) -> None:
        self._console = rich.console.Console(stderr=True, highlight=False)
        self._bar: rich.progress.Progress | None = None
        if self._console.is_terminal:
            self._bar = rich.progress.Progress(console=self._console, transient=True)
            self._task = self._bar.add_task("starting", total=total)
            self._bar.start()

    def says(self, step: str) -> None:
        """Show the step that begins now."""
        if self._bar:
            self._bar.update(self._task, description=step, advance=1)
        else:
            self._console.print(f"- {step}", markup=False, soft_wrap=True)

    def done(self) -> None:
        """Take the bar away; what comes later is a line."""
        if self._bar:
            self._bar.stop()
            self._bar = None
