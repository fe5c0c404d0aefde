"""What a grid shows while it runs: bars on a terminal, lines elsewhere."""

from __future__ import annotations

import io
import os
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn
from rich.progress import Progress as Bars
from rich.table import Column
from rich.text import Text

from auralsam2.engine.progress import Progress
from auralsam2.text_files import ERRORS

Clock = Callable[[], float]


class Display(ABC):
    """Shows a grid of so many runs, some of which are done; use it as a context manager."""

    def __init__(self, total: int, done: int, clock: Clock) -> None:
        self.total, self.before, self.finished, self.clock = total, done, done, clock
        self.began = clock()

    def __enter__(self) -> Display:
        """Begin to show."""
        return self

    def __exit__(self, *_: object) -> None:  # noqa: B027  (nothing to tidy)
        """Stop showing."""

    @abstractmethod
    def run_started(self, label: str) -> Progress:
        """Return whom a run that starts tells how far it is."""

    @abstractmethod
    def run_finished(self, label: str, state: str, text: str) -> None:
        """Say how a run ended; ``text`` is a short line such as its scores."""

    @abstractmethod
    def run_left(self, label: str, text: str) -> None:
        """Say why a run that had started here is not done yet."""

    @abstractmethod
    def say(self, text: str) -> None:
        """Print one line."""

    def time_left(self, completed: float) -> str:
        """Return the time left of the grid from what this session has done so far."""
        gained = completed - self.before
        if gained <= 0:
            return "ETA -:--"
        left = (self.total - completed) * (self.clock() - self.began) / gained
        minutes, seconds = divmod(round(left), 60)
        hours, minutes = divmod(minutes, 60)
        return f"ETA {hours}:{minutes:02}:{seconds:02}" if hours else f"ETA {minutes}:{seconds:02}"


def make_display(total: int, done: int, console: Console | None = None) -> Display:
    """Return bars for a terminal, lines for anything else.

    ``done`` of ``total`` runs are finished already; ``console`` is standard output where None.
    """
    console = console or own_console()
    return (BarDisplay if console.is_terminal else LineDisplay)(total, done, console)


def own_console() -> Console:
    """Return a console on a copy of standard output, which stays when the output is redirected."""
    try:
        copy = os.dup(sys.stdout.fileno())
    except (OSError, io.UnsupportedOperation, AttributeError):
        return Console(markup=False, emoji=False)
    stream = open(copy, "w", buffering=1, encoding="utf-8", errors=ERRORS)  # noqa: SIM115
    return Console(file=stream, markup=False, emoji=False)


class BarDisplay(Display):
    """A bar for the grid and one below it for every run that trains."""

    def __init__(
        self, total: int, done: int, console: Console, clock: Clock = time.monotonic
    ) -> None:
        super().__init__(total, done, clock)
        self.bars = Bars(
            # Narrow enough for 80 columns.
            TextColumn("{task.description}", markup=False, table_column=_cut(30)),
            BarColumn(bar_width=14),
            TextColumn("{task.fields[text]}", markup=False, table_column=_cut(60)),
            console=console,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self.grid = self.bars.add_task("grid", total=total, completed=done, text="")
        self.refresh()

    def __enter__(self) -> BarDisplay:
        """Draw the bars."""
        self.bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the last state on the screen."""
        self.bars.stop()

    def run_started(self, label: str) -> Progress:
        """Add the run's bar."""
        task = self.bars.add_task(label, total=None, text="starting")
        return _Bar(self, task)

    def run_finished(self, label: str, state: str, text: str) -> None:
        """Turn the run's bar into a line above the others."""
        self.finished += 1
        self._end(label, state, text, "green" if state == "done" else "red")

    def run_left(self, label: str, text: str) -> None:
        """Likewise, without counting the run."""
        self._end(label, "later", text, "yellow")

    def say(self, text: str) -> None:
        """Print one line above the bars."""
        self.bars.console.print(Text(text))

    def completed(self) -> float:
        """Return the number of finished runs with the parts of the running ones."""
        parts = [task.percentage / 100 for task in self.bars.tasks if task.id != self.grid]
        return self.finished + sum(parts)

    def refresh(self) -> None:
        """Show in the grid's bar how far all runs are."""
        completed = self.completed()
        text = f"{self.finished}/{self.total} runs  {self.time_left(completed)}"
        self.bars.update(self.grid, completed=completed, text=text)

    def _end(self, label: str, state: str, text: str, style: str) -> None:
        for task in self.bars.tasks:
            if task.description == label:
                self.bars.remove_task(task.id)
        self.bars.console.print(Text.assemble((f"{state:<6} ", style), f"{label}: {text}"))
        self.refresh()


def _cut(width: int) -> Column:
    return Column(no_wrap=True, overflow="ellipsis", max_width=width)


class _Bar(Progress):
    """What one run shows on a terminal; the next step shows a score, the executor tells the end."""

    def __init__(self, display: BarDisplay, task: TaskID) -> None:
        self.display, self.task = display, task
        self.total = self.steps = 0

    def start_run(self, total_steps: int, epochs: int) -> None:
        self.total, self.steps = total_steps, 0
        self.display.bars.update(self.task, total=total_steps, completed=0, text="")

    def step(self, epoch: int, epochs: int, postfix: str) -> None:
        self.steps += 1
        is_last = self.steps >= self.total > 0
        text = f"epoch {epoch}/{epochs}  {'testing' if is_last else postfix}"
        self.display.bars.update(self.task, completed=self.steps, text=text)
        self.display.refresh()


class LineDisplay(Display):
    """A line for every start, epoch and end."""

    def __init__(
        self, total: int, done: int, console: Console, clock: Clock = time.monotonic
    ) -> None:
        super().__init__(total, done, clock)
        self.console = console

    def say(self, text: str) -> None:
        """Print one line with the time of day."""
        line = f"{time.strftime('%H:%M:%S')} {text}"
        self.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def run_started(self, label: str) -> Progress:
        """Say so."""
        self.say(f"{label}: started")
        return _Lines(self, label)

    def run_finished(self, label: str, state: str, text: str) -> None:
        """Say how, and how much of the grid is left."""
        self.finished += 1
        left = self.time_left(self.finished)
        self.say(f"{label}: {state}, {text} [{self.finished}/{self.total}, {left}]")

    def run_left(self, label: str, text: str) -> None:
        """Say why."""
        self.say(f"{label}: later, {text}")


class _Lines(Progress):
    """What one run shows without a terminal: a line an epoch."""

    def __init__(self, display: LineDisplay, label: str) -> None:
        self.display, self.label = display, label
        self.epoch = 0

    def start_run(self, total_steps: int, epochs: int) -> None:
        self.display.say(f"{self.label}: {total_steps} steps, {epochs} epochs")

    def step(self, epoch: int, epochs: int, postfix: str) -> None:
        if epoch != self.epoch:
            self.epoch = epoch
            self.display.say(f"{self.label}: epoch {epoch}/{epochs}, {postfix}")
