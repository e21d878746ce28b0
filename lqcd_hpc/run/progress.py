"""Progress of a run: a bar with live numbers on a terminal, plain lines in a batch log. Rank 0 only."""

from __future__ import annotations

import sys
import time
from contextlib import suppress


class Progress:
    """Shows how many of `total` updates are done and the latest numbers."""

    def __init__(self, total, done, active):
        self._active, self._total, self._start, self._last = active, total, time.monotonic(), -1e9
        self._bar = None
        if active and sys.stderr.isatty():
            self._bar, self._task = _bar(total, done)
            self._bar.start()

    def show(self, step, numbers):
        """Note that `step` updates are done."""
        if not self._active:
            return
        text = "  ".join(f"{name} {value}" for name, value in numbers.items())
        if self._bar:
            self._bar.update(self._task, completed=step, description=text)
        elif (
            step == self._total
            or time.monotonic() - self._last > 10
            or step * 10 // self._total > (step - 1) * 10 // self._total
        ):
            self._last = time.monotonic()
            _print(f"{step:6d}/{self._total}  {self._last - self._start:7.1f} s  {text}")

    def say(self, text):
        """A line of its own."""
        if self._active:
            (self._bar.console.print if self._bar else _print)(text)

    def close(self):
        if self._bar:
            self._bar.stop()


def _print(text):
    """A line of the log."""
    tell(text, sys.stderr)


def tell(text, stream=None):
    """Print a line; a log on a full disk does not end a run."""
    with suppress(OSError):
        print(text, file=stream, flush=True)


def _bar(total, done):
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = BarColumn(bar_width=30), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}")
    bar = Progress(*columns, console=Console(stderr=True))
    return bar, bar.add_task("", total=total, completed=done)
