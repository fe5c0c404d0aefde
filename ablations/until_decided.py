"""Seed after seed until a caller says that nothing is open any more, or a budget is spent."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from statistics import fmean
from typing import NamedTuple

from rich.console import Console

from ablations.executors.base import Executor
from ablations.grids.file import Grid
from ablations.grids.plan import Plan, PlannedRun
from ablations.options import Options
from ablations.run_grid import CellWork, GridResult, run_grid
from ablations.runs.run_cell import run_cell
from auralsam2.engine import run_record

HOUR = 3600.0

Train = Callable[[Sequence[int], Collection[str]], "str | None"]
"""Trains cells with seeds; returns why not all of them are done, or None."""
Decide = Callable[[Sequence[int]], Collection[str]]
"""Looks at what is done with seeds; returns the cells that need more of them."""


class Ending(NamedTuple):
    """How it ended."""

    seeds: Sequence[int]  # that all cells have which were open in the end
    open_cells: Collection[str]  # cells that need more seeds; none where all is decided
    why: str  # why it ended before all was decided; else empty

    def __str__(self) -> str:
        """Say it in a line."""
        return f"claims are open still: {self.why}" if self.why else "all claims are decided"


def seed_order(stated: Sequence[int], most: int) -> list[int]:
    """Return ``most`` seeds: those that a grid states, then the least that it does not."""
    others = (seed for seed in itertools.count() if seed not in stated)
    return list(itertools.islice(itertools.chain(dict.fromkeys(stated), others), most))


def until_decided(
    seeds: Sequence[int], cells: Collection[str], train: Train, decide: Decide
) -> Ending:
    """Add seeds in order to the cells that need them.

    After an interrupt it goes through what is done again, which costs nothing.

    Args:
        seeds: in order, all that there may be.
        cells: that need the first one.
        train: called with the seeds so far and the cells that need the last one.
        decide: called after every seed.
    """
    for number in range(1, len(seeds) + 1):
        if (why := train(seeds[:number], cells)) is not None:
            return Ending(seeds[: number - 1], cells, why)
        cells = decide(seeds[:number])
        if not cells:
            return Ending(seeds[:number], (), "")
    return Ending(seeds, cells, f"{len(seeds)} seeds are there, as many as were planned")


class GridTraining:
    """Trains some cells of a grid with some seeds, a `Train`.

    Args:
        grid: whose cells are trained.
        plan_of: plans it with ``seeds``.
        executor: where the runs happen.
        options: how they are run.
        budget_h: hours of training, added up over all runs of the grid's plan, whenever they were;
            None for no end.
        console: for the progress.
        work: does one run.
    """

    def __init__(
        self,
        grid: Grid,
        plan_of: Callable[..., Plan],
        executor: Executor,
        options: Options,
        *,
        budget_h: float | None = None,
        console: Console | None = None,
        work: CellWork = run_cell,
    ) -> None:
        self.grid, self.plan_of, self.executor, self.options = grid, plan_of, executor, options
        self.budget_h, self.console, self.work = budget_h, console, work
        self.result = GridResult()  # of all calls together

    def __call__(self, seeds: Sequence[int], cells: Collection[str]) -> str | None:
        """Train what is not done yet of these cells; the others stay as they are."""
        plan = self.plan_of(seeds=seeds)
        if not plan.problems and (over := self._over_budget(plan.runs, cells)):
            return over
        # What is neither wanted nor begun is no run of the grid that a table would miss.
        plan.runs = [r for r in plan.runs if r.cell.name in cells or r.state != "pending"]
        only = [f"cell={name}" for name in cells]
        result = run_grid(
            self.grid,
            plan,
            self.executor,
            replace(self.options, only=only),
            console=self.console,
            work=self.work,
        )
        self._add(result)
        ended = len(result.failed) + len(result.stopped)
        return f"{ended} runs have no scores, and a look wants those of all" if ended else None

    def _over_budget(self, runs: Sequence[PlannedRun], cells: Collection[str]) -> str | None:
        if self.budget_h is None:
            return None
        seconds: dict[str, list[float]] = {}  # by cell, of each run once
        waiting: list[str] = []
        for run in {run.run_dir: run for run in reversed(runs)}.values():
            if run.state == "done":
                seconds.setdefault(run.cell.name, []).append(_seconds(run))
            elif run.cell.name in cells:
                waiting.append(run.cell.name)
        every = [value for of_cell in seconds.values() for value in of_cell]
        spent = sum(every) / HOUR
        next_ones = sum(fmean(seconds.get(name, every) or [0.0]) for name in waiting) / HOUR
        if not waiting or (spent + next_ones <= self.budget_h and spent < self.budget_h):
            return None
        return (
            f"the budget of {self.budget_h:g} hours: {spent:.3g} are spent, and the next "
            f"{len(waiting)} runs take about {next_ones:.3g}"
        )

    def _add(self, result: GridResult) -> None:
        total = self.result
        total.finished += result.finished
        total.elsewhere += result.elsewhere
        total.failed, total.stopped = result.failed, result.stopped
        total.freed_bytes += result.freed_bytes
        mine = {run.run_dir for run in (*total.finished, *total.elsewhere, *total.skipped)}
        total.skipped += [run for run in result.skipped if run.run_dir not in mine]


def _seconds(run: PlannedRun) -> float:
    return run_record.read_without_clips(run.run_dir).duration_s or 0.0
