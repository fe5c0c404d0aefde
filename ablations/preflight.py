"""Try every cell of a grid before it starts, so that none of them fails on day three."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from ablations.display import make_display
from ablations.executors.base import Executor, Outcome
from ablations.grids.plan import PlannedRun
from ablations.runs.processes import LOG, retire, terminate_like_interrupt
from ablations.runs.run_cell import last_line
from auralsam2.custom_imports import import_stated
from auralsam2.engine.progress import Progress
from auralsam2.text_files import ERRORS

FOLDER = "preflight"
_MEBIBYTE = 2**20


@dataclass(frozen=True)
class FirstStep:
    """The first step of one cell."""

    run: PlannedRun  # of the cell, with any of its seeds
    run_dir: Path  # for its log; not the folder of the run

    @property
    def label(self) -> str:
        """Name of the cell."""
        return self.run.cell.name


@dataclass(frozen=True)
class Report:
    """What trying has shown."""

    seconds: float  # all in all
    tried: int  # number of cells
    problems: list[str]  # one a cell that fails, with the place of its log

    def lines(self) -> list[str]:
        """Return the report in words."""
        tried = f"preflight: {self.tried} cells in {self.seconds:.0f} s"
        return [tried, *(f"problem: {problem}" for problem in self.problems)]


def preflight(
    runs: Sequence[PlannedRun], out: Path, executor: Executor, console: Console | None = None
) -> Report:
    """Build every cell that is not done yet and do one training step, where the runs will be.

    Logs go below ``out``, the folder of the grid.
    """
    first = {run.cell.name: run for run in reversed(runs) if run.state != "done"}
    steps = [FirstStep(run, out / FOLDER / run.run_dir.name) for run in reversed(first.values())]
    began, problems = time.monotonic(), []
    with (
        make_display(len(steps), 0, console) as display,
        terminate_like_interrupt(),
        closing(executor.map(try_cell, steps, display)) as outcomes,
    ):
        for outcome in outcomes:
            if outcome.error is not None:
                problems.append(_problem(outcome))
            state = "fine" if outcome.error is None else "failed"
            display.run_finished(outcome.item.label, state, _line(outcome))
    return Report(time.monotonic() - began, len(steps), problems)


def try_cell(item: FirstStep, progress: Progress) -> Any:
    """Do the first step of a cell; what `auralsam2.engine.preflight.first_step` found."""
    try:
        import_stated(item.run.cfg)
        from auralsam2.engine.preflight import first_step

        return first_step(item.run.cfg)
    except BaseException:
        retire()
        raise


def _line(outcome: Outcome[FirstStep, Any]) -> str:
    if outcome.error is not None:
        return last_line(outcome.error)
    assert outcome.result is not None
    memory = outcome.result.gpu_bytes / _MEBIBYTE
    told = f"first step after {outcome.result.seconds:.1f} s"
    return f"{told}, {memory:.0f} MiB of GPU memory" if memory else told


def _problem(outcome: Outcome[FirstStep, Any]) -> str:
    assert outcome.error is not None
    log = outcome.item.run_dir / LOG
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8", errors=ERRORS) as file:
        file.write(outcome.error)
    return f"cell {outcome.item.label!r}: {last_line(outcome.error)} (see {log})"
