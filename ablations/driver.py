"""Run a planned grid to its end, whatever happens to single runs."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console

from ablations.executors import Executor, InlineExecutor, LocalExecutor, Work, num_cores
from ablations.grid import GridError
from ablations.grid_file import Grid
from ablations.manifest import write_manifest
from ablations.plan import Plan, PlannedRun
from ablations.progress import make_display
from ablations.run_cell import record_failure, run_cell
from auralsam2.engine import run_record
from auralsam2.engine.run_record import RunRecord

_MAX_DEFAULT_JOBS = 4


@dataclass
class GridResult:
    """How the runs of a grid stand at the end of a call.

    Attributes:
        finished: runs done in this call.
        skipped: runs that were done before.
        failed: run and error of those that failed now or before.
    """

    finished: list[PlannedRun] = field(default_factory=list)
    skipped: list[PlannedRun] = field(default_factory=list)
    failed: list[tuple[PlannedRun, str]] = field(default_factory=list)


def run_grid(
    grid: Grid,
    plan: Plan,
    executor: Executor,
    *,
    retry_failed: bool = False,
    console: Console | None = None,
    work: Work[PlannedRun, RunRecord] = run_cell,
) -> GridResult:
    """Run what is not done yet.

    Args:
        grid: as planned.
        plan: of `ablations.plan.make_plan`.
        executor: where the runs happen.
        retry_failed: run again what failed in an earlier call.
        console: for the progress.
        work: does one run; picklable.

    Raises:
        GridError: where the plan has problems; nothing has started then.
        KeyboardInterrupt: after all processes have ended; unfinished runs resume in the next call.
    """
    if plan.problems:
        raise GridError(plan.problems, source=f"grid {grid.name!r}")
    write_manifest(grid, plan)
    result, todo = _sort(plan, retry_failed)
    if not todo:
        return result
    settled = len(result.skipped) + len(result.failed)
    # Closing ends the processes at once, also where a traceback would keep the generator alive.
    with (
        make_display(settled + len(todo), settled, console) as display,
        closing(executor.map(work, todo, display)) as outcomes,
    ):
        for outcome in outcomes:
            record = outcome.result or record_failure(outcome.item, str(outcome.error))
            _enter(result, outcome.item, record)
            display.run_finished(outcome.item.label, record.status, one_line(record))
    return result


def pick_executor(jobs: int | None, plan: Plan) -> Executor:
    """Return where runs happen on this machine.

    Args:
        jobs: processes at a time; 0 for none but this one; None for `default_jobs`.
        plan: the runs.

    Raises:
        ValueError: for a negative number.
    """
    if jobs == 0:
        return InlineExecutor()
    return LocalExecutor(default_jobs(plan.runs) if jobs is None else jobs)


def default_jobs(runs: Sequence[PlannedRun]) -> int:
    """Return how many runs go at a time: one on a GPU, else one a core, at most four."""
    if any(_trains_on_gpu(run.cfg) for run in runs):
        return 1
    return max(1, min(len(runs), num_cores(), _MAX_DEFAULT_JOBS))


def one_line(record: RunRecord) -> str:
    """Return the scores of a done run, or the last line of a failed one's error."""
    if record.status != "done":
        return last_lines(record.error or "unknown error", 1)
    scores = (
        f"{split} " + " ".join(f"{metric} {value:.3f}" for metric, value in metrics.items())
        for split, metrics in record.metrics.items()
    )
    return ", ".join(scores)


def last_lines(error: str, count: int) -> str:
    """Return the last lines of a traceback that are not empty."""
    return "\n".join([line for line in error.splitlines() if line.strip()][-count:])


def _sort(plan: Plan, retry_failed: bool) -> tuple[GridResult, list[PlannedRun]]:
    """Return what is settled and what is to be done."""
    result, todo = GridResult(), []
    for run in (run for run in plan.runs if not run.shares):
        if run.state == "done":
            result.skipped.append(run)
        elif run.state == "failed" and not retry_failed:
            _enter(result, run, run_record.read(run.run_dir))
        else:
            todo.append(run)
    return result, todo


def _enter(result: GridResult, run: PlannedRun, record: RunRecord) -> None:
    if record.status == "done":
        result.finished.append(run)
    else:
        result.failed.append((run, record.error or "unknown error"))


def _trains_on_gpu(cfg: Any) -> bool:
    device = str(cfg.runtime.device)
    if device != "auto":
        return device != "cpu"
    import torch

    return bool(torch.cuda.is_available())
