"""Run a planned grid to its end, whatever happens to single runs."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

from rich.console import Console

from ablations.display import Display
from ablations.executors import Executor, Outcome
from ablations.grids.file import Grid
from ablations.grids.grid import GridError
from ablations.grids.manifest import write_manifest
from ablations.grids.plan import Plan, PlannedRun
from ablations.grids.selection import select
from ablations.options import Options
from ablations.progress import make_display
from ablations.runs import attempts, claims
from ablations.runs.claims import Watch
from ablations.runs.processes import this_process
from ablations.runs.prune import prune_checkpoints
from ablations.runs.run_cell import current_record, last_line, record_failure, run_cell
from ablations.runs.signals import terminate_like_interrupt
from ablations.work_list import WorkList
from auralsam2.devices import wants_gpu
from auralsam2.engine import run_record
from auralsam2.engine.progress import Progress
from auralsam2.engine.run_record import RunRecord


class CellWork(Protocol):
    """`ablations.runs.run_cell.run_cell`, or what a test puts in its place."""

    def __call__(
        self, item: PlannedRun, progress: Progress, /, *, driver: str, oom_retries: int
    ) -> RunRecord:
        """Do one run."""
        ...


@dataclass
class GridResult:
    """How the runs of a grid stand at the end of a call.

    Attributes:
        finished: runs done in this call.
        elsewhere: runs that another driver did in the meantime.
        skipped: runs that were done before.
        failed: run and error of those that failed now or before.
        stopped: run and reason of those that were stopped now or before.
        freed_bytes: of checkpoints that were deleted.
    """

    finished: list[PlannedRun] = field(default_factory=list)
    elsewhere: list[PlannedRun] = field(default_factory=list)
    skipped: list[PlannedRun] = field(default_factory=list)
    failed: list[tuple[PlannedRun, str]] = field(default_factory=list)
    stopped: list[tuple[PlannedRun, str]] = field(default_factory=list)
    freed_bytes: int = 0

    def lines(self, out: Path) -> list[str]:
        """Return the result in words; ``out`` is the folder of the grid."""
        others = f"{len(self.elsewhere)} by other drivers, " if self.elsewhere else ""
        before = f"{len(self.skipped)} were done before"
        said = [f"{len(self.finished)} runs finished, {others}{before}; in {out}"]
        if self.freed_bytes:
            said.append(f"{self.freed_bytes / 1e6:.1f} MB of checkpoints deleted")
        said += [f"\nSTOPPED {run.label} ({run.run_dir})\n{why}" for run, why in self.stopped]
        said += [
            f"\nFAILED {run.label} ({run.run_dir})\n{last_lines(error, 3)}"
            for run, error in self.failed
        ]
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
        plan: of `ablations.grids.plan.make_plan`.
        executor: where the runs happen.
        options: how.
        console: for the progress.
        work: does one run; picklable.

    Raises:
        GridError: where the plan has problems; nothing has started then.
        ValueError: where ``options.only`` names what is not there.
        KeyboardInterrupt: after all processes have ended, also at SIGTERM; unfinished runs resume
            in the next call.
    """
    if plan.problems:
        raise GridError(plan.problems, source=f"grid {grid.name!r}")
    options = options or Options()
    chosen = select(plan.runs, options.only)
    write_manifest(grid, plan)
    result, todo = _sort(chosen, options)
    if options.prune:
        result.freed_bytes += sum(prune_checkpoints(run.run_dir) for run in result.skipped)
    if not todo:
        return result
    settled = len(result.skipped) + len(result.failed) + len(result.stopped)
    with make_display(settled + len(todo), settled, console) as display, terminate_like_interrupt():
        _Drive(todo, result, display, options).run(executor, work)
    return result


def one_line(record: RunRecord) -> str:
    """Return the scores of a done run, or in a line why there are none."""
    if record.status == "stopped":
        return record.stopped_because or "for no stated reason"
    if record.status != "done":
        return last_line(record.error or "unknown error")
    scores = (
        f"{split} " + " ".join(f"{metric} {value:.3f}" for metric, value in metrics.items())
        for split, metrics in record.metrics.items()
    )
    return ", ".join(scores)


def last_lines(error: str, count: int) -> str:
    """Return the last lines of a traceback that are not empty."""
    return "\n".join([line for line in error.splitlines() if line.strip()][-count:])


def trains_on_gpu(runs: Sequence[PlannedRun]) -> bool:
    """Return whether any of the runs wants a GPU and would find one."""
    return any(wants_gpu(name) for name in {str(run.cfg.runtime.device) for run in runs})


class _Drive:
    """One call of `run_grid`: what comes in, and what becomes of it."""

    def __init__(
        self, todo: Sequence[PlannedRun], result: GridResult, display: Display, options: Options
    ) -> None:
        self.result, self.display, self.options = result, display, options
        process = this_process()
        self.name = f"{process.host}/{process.pid}/{process.started}"
        self.told = ""
        self.list = WorkList(todo, self._settle, Watch(options.stale_s), self._tell)

    def run(self, executor: Executor, work: CellWork) -> None:
        do = partial(work, driver=self.name, oom_retries=self.options.oom_retries)
        # Closing ends the processes at once, also where a traceback would keep the generator alive.
        with closing(executor.map(do, self.list, self.display)) as outcomes:
            for outcome in outcomes:
                self._take(outcome)

    def _take(self, outcome: Outcome[PlannedRun, RunRecord]) -> None:
        run = outcome.item
        record = outcome.result or self._record_failure(outcome)
        if record is None or record.status == "running":
            self.list.take_back(run, elsewhere=True)
            self.display.run_left(run.label, "another process has it")
        elif attempts.can_try_again(run.cfg, record, self.options.oom_retries):
            self.list.take_back(run, again=True)
            self.display.run_left(run.label, "ran out of memory; comes again in smaller batches")
        else:
            self.list.take_back(run)
            self._settle(run, record, self.result.finished)

    def _record_failure(self, outcome: Outcome[PlannedRun, RunRecord]) -> RunRecord | None:
        """Write for a process that could not; None where somebody else has the run by now."""
        try:
            return self._write_failure(outcome)
        except OSError as error:  # e.g. a full disk: the others may fare better
            said = f"{outcome.error}\n(no record could be written: {error})"
            return run_record.fail(current_record(outcome.item), said)

    def _write_failure(self, outcome: Outcome[PlannedRun, RunRecord]) -> RunRecord | None:
        run = outcome.item
        held = claims.holder(run.run_dir)
        if held is not None and held.driver == self.name:
            claims.break_claim(run.run_dir, held, "lost: its process is gone")
        claim = claims.acquire(run.run_dir, self.name)
        if claim is None:
            return None
        record = current_record(run)
        if record.status != "done":  # else it died when all was written
            times = attempts.halvings(record, self.options.oom_retries)
            memory = attempts.smaller_batches(run.cfg, times) if outcome.out_of_memory else None
            record = record_failure(run, str(outcome.error), out_of_memory=memory)
        claims.end(run.run_dir, claim, record.status)
        return record

    def _settle(
        self, run: PlannedRun, record: RunRecord, done: list[PlannedRun] | None = None
    ) -> None:
        enter(self.result, run, record, self.result.elsewhere if done is None else done)
        if self.options.prune and record.status == "done":
            self.result.freed_bytes += prune_checkpoints(run.run_dir)
        self.display.run_finished(run.label, record.status, one_line(record))

    def _tell(self, text: str) -> None:
        if text != self.told:
            self.told = text
            self.display.say(text)


def enter(result: GridResult, run: PlannedRun, record: RunRecord, done: list[PlannedRun]) -> None:
    """Enter how a run ended.

    Args:
        result: changed in place.
        run: which.
        record: of it.
        done: the list of ``result`` for a run that is done.
    """
    if record.status == "done":
        done.append(run)
    elif record.status == "stopped":
        result.stopped.append((run, one_line(record)))
    else:
        result.failed.append((run, record.error or "unknown error"))


def _sort(runs: Sequence[PlannedRun], options: Options) -> tuple[GridResult, list[PlannedRun]]:
    """Return what is settled and what is to be done, each folder once."""
    result, todo = GridResult(), []
    for run in {run.run_dir: run for run in reversed(runs)}.values():
        if run.state == "done":
            result.skipped.append(run)
        elif run.state in ("failed", "stopped") and not _goes_on(run, options):
            enter(result, run, run_record.read_without_clips(run.run_dir), result.finished)
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
