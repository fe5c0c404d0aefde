"""Run a planned grid to its end, whatever happens to single runs."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from rich.console import Console

from ablations.display import Display, make_display
from ablations.driver import Driver
from ablations.executors.base import Executor, Outcome
from ablations.grids.axes import GridError
from ablations.grids.file import Grid
from ablations.grids.manifest import write_manifest
from ablations.grids.plan import Plan, PlannedRun, select, state_of
from ablations.lockstep import LockstepExecutor
from ablations.options import Options
from ablations.runs import attempts, claims
from ablations.runs.attempts import delete_checkpoints
from ablations.runs.processes import last_lines, this_process
from ablations.runs.run_cell import last_line, run_cell
from auralsam2.clicked_splits import parse_clicked
from auralsam2.engine import run_record
from auralsam2.engine.run_record import RunRecord

_ENDED = ("done", "failed", "stopped")

CellWork = Callable[..., RunRecord]
"""`ablations.runs.run_cell.run_cell`, or what a test puts in its place."""


@dataclass
class GridResult:
    """How the runs of a grid stand at the end of a call."""

    finished: list[PlannedRun] = field(default_factory=list)  # runs done in this call
    # Runs that another driver did in the meantime.
    elsewhere: list[PlannedRun] = field(default_factory=list)
    skipped: list[PlannedRun] = field(default_factory=list)  # runs that were done before
    # Run and error of those that failed now or before.
    failed: list[tuple[PlannedRun, str]] = field(default_factory=list)
    # Run and reason of those that were stopped now or before.
    stopped: list[tuple[PlannedRun, str]] = field(default_factory=list)
    freed_bytes: int = 0  # of checkpoints that were deleted

    def enter(self, run: PlannedRun, record: RunRecord, *, elsewhere: bool = False) -> None:
        """Enter how a run ended, here or in another driver."""
        if record.status == "done":
            (self.elsewhere if elsewhere else self.finished).append(run)
        elif record.status == "stopped":
            self.stopped.append((run, one_line(record)))
        else:
            self.failed.append((run, record.error or "unknown error"))

    def lines(self, out: Path) -> list[str]:
        """Return the result in words; ``out`` is the folder of the grid."""
        others = f"{len(self.elsewhere)} by other drivers, " if self.elsewhere else ""
        before = f"{len(self.skipped)} were done before"
        said = [f"{len(self.finished)} runs finished, {others}{before}; in {out}"]
        if self.freed_bytes:
            said.append(f"{self.freed_bytes / 1e6:.1f} MB of checkpoints deleted")
        said += [f"\nSTOPPED {run.label} ({run.run_dir})\n{why}" for run, why in self.stopped]
        for run, error in self.failed:
            said.append("\n".join([f"\nFAILED {run.label} ({run.run_dir})", *last_lines(error, 3)]))
        if self.failed:
            said.append(f"\n{len(self.failed)} runs failed; --retry-failed runs them again")
        return said


def run_grid(
    grid: Grid,
    plan: Plan,
    executor: Executor,
    options: Options | None = None,
    *,
    console: Console | None = None,
    work: CellWork = run_cell,
) -> GridResult:
    """Run what is not done yet; several drivers may work on one folder.

    Args:
        grid: as planned.
        plan: of its runs; those that are done are left as they are.
        executor: where the runs happen.
        options: how they are run.
        console: for the progress.
        work: does one run; picklable where the executor has processes of its own.

    Raises:
        GridError: where the plan has problems; nothing has started then.
        ValueError: where ``options.only`` names what is not there.
        KeyboardInterrupt: after all processes have ended; unfinished runs resume in the next call.
    """
    if plan.problems:
        raise GridError(plan.problems, source=f"grid {grid.name!r}")
    options = options or Options()
    chosen = select(plan.runs, options.only)
    write_manifest(grid, plan)
    result, todo = _sort(chosen, options)
    if options.deletes_checkpoints:
        result.freed_bytes += sum(delete_checkpoints(run.run_dir) for run in result.skipped)
    if not todo:
        return result
    settled = len(result.skipped) + len(result.failed) + len(result.stopped)
    display = make_display(settled + len(todo), settled, console)
    driver = GridDriver(todo, result, display, options)
    driver.drive(
        executor if options.lockstep is None else LockstepExecutor(executor, options.lockstep),
        partial(work, driver=driver.name, oom_retries=options.oom_retries),
    )
    result.freed_bytes += driver.freed_bytes
    return result


def one_line(record: RunRecord) -> str:
    """Return the scores of a done run but those after clicks, or in a line why there are none."""
    if record.status == "stopped":
        return record.stopped_because or "for no stated reason"
    if record.status != "done":
        return last_line(record.error or "unknown error")
    scores = (
        f"{split} " + " ".join(f"{metric} {value:.3f}" for metric, value in metrics.items())
        for split, metrics in record.metrics.items()
        if parse_clicked(split) is None
    )
    return ", ".join(scores)


class GridDriver(Driver[PlannedRun, RunRecord]):
    """The runs to do, in order; those that another process holds come later, if at all."""

    def __init__(
        self,
        todo: Sequence[PlannedRun],
        result: GridResult,
        display: Display,
        options: Options,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        process = this_process()
        name = f"{process.host}/{process.pid}/{process.started}"
        super().__init__(name, display, options, clock)
        self.pending, self.result = deque(todo), result
        # A run that had failed before and fails again elsewhere has a newer claim then.
        self._claims = {run.run_dir: _claim_number(run.run_dir) for run in todo}

    def new(self) -> PlannedRun | None:
        """Return the first of those that wait and are free."""
        while self.pending:
            run = self.pending.popleft()
            if self.is_free(run):
                return run
        return None

    def is_free(self, run: PlannedRun) -> bool:
        """Return whether nobody has the run or has ended it."""
        if self.watch.holder(run.run_dir) is not None:
            self.elsewhere[run.run_dir] = run
            return False
        # In this order: an owner writes the record before its claim ends.
        state = state_of(run.run_dir)
        by_others = _claim_number(run.run_dir) > self._claims[run.run_dir]
        if state == "done" or (state in _ENDED and by_others):
            self._enter(run, run_record.read(run.run_dir), elsewhere=True)
            return False
        return True

    def is_held(self, record: RunRecord) -> bool:
        """Return whether the record is one of a run under way."""
        return record.status == "running"

    def lost(self, outcome: Outcome[PlannedRun, RunRecord]) -> RunRecord | None:
        """Return a failed record, or a done one of a process that died behind its end."""
        return self.record_loss(outcome.item, outcome)

    def settle(self, run: PlannedRun, record: RunRecord) -> None:
        """Enter how a run ended, or hand it out again where memory ran out."""
        if attempts.can_try_again(run.cfg, record, self.options.oom_retries):
            self._claims[run.run_dir] = _claim_number(run.run_dir)  # its failure is known
            self.pending.append(run)
            self.display.run_left(run.label, "ran out of memory; comes again in smaller batches")
        else:
            self._enter(run, record)

    def _enter(self, run: PlannedRun, record: RunRecord, *, elsewhere: bool = False) -> None:
        self.result.enter(run, record, elsewhere=elsewhere)
        done_runs = [run] if record.status == "done" else []
        self.tell_end(run, record.status, one_line(record), done_runs)


def _claim_number(run_dir: Path) -> int:
    claim = claims.newest(run_dir)
    return 0 if claim is None else claim.number


def _sort(runs: Sequence[PlannedRun], options: Options) -> tuple[GridResult, list[PlannedRun]]:
    """Return what is settled and what is to be done, each folder once."""
    result, todo = GridResult(), []
    for run in {run.run_dir: run for run in reversed(runs)}.values():
        if run.state == "done":
            result.skipped.append(run)
        elif run.state in ("failed", "stopped") and not _goes_on(run, options):
            result.enter(run, run_record.read_without_clips(run.run_dir))
        else:
            todo.append(run)
    for those in (result.skipped, result.failed, result.stopped, todo):
        those.reverse()
    return result, todo


def _goes_on(run: PlannedRun, options: Options) -> bool:
    if options.retry_failed:
        return True
    record = run_record.read_without_clips(run.run_dir)
    return attempts.can_try_again(run.cfg, record, options.oom_retries)
