"""All runs of a grid, measured where they lie."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import util
from pathlib import Path
from typing import Any, Generic, TypeVar

from analysis.kept import Measurement
from analysis.options import name_problems
from analysis.runs.lost_runs import why_lost
from analysis.runs.results import Results
from auralsam2.messages import UnfitModelError
from auralsam2.process_end import end_soon

T = TypeVar("T")
Run = tuple[str, int]
"""Cell and seed."""
Track = Callable[[Iterable[Any]], Iterable[Any]]
"""Wraps runs that take long, e.g. `rich.progress.track`."""


@dataclass
class MeasuredRuns(Generic[T]):
    """The runs of a grid, each in one of three places."""

    found: dict[Run, T] = field(default_factory=dict)  # numbers of the runs that have some
    # Cell -> why none of its runs has numbers: its model cannot be measured so.
    unfit: dict[str, str] = field(default_factory=dict)
    # Why other runs cannot be measured any more: weights or data are gone, or they are broken.
    lost: dict[Run, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)  # what figures of them leave out, and why
    title: str = ""  # of the grid

    def add(self, run: Run, measure: Callable[[], T], check: Callable[[T], None]) -> None:
        """Measure and check a run's numbers, and put it where it belongs."""
        cell, _ = run
        if cell in self.unfit:  # as every seed of it
            return
        try:
            numbers = measure()
            check(numbers)
            self.found[run] = numbers
        except UnfitModelError as error:
            self.unfit[cell] = str(error)
        except Exception as error:
            self.lost[run] = why_lost(error)

    @property
    def lost_lines(self) -> list[str]:
        """A line for each lost run."""
        return [f"{cell}, seed {seed}: left out: {why}" for (cell, seed), why in self.lost.items()]

    @property
    def left_out(self) -> list[str]:
        """A line for each cell that has no numbers, and for each lost run."""
        unfit = [f"{cell}: left out: {why}" for cell, why in self.unfit.items()]
        return unfit + self.lost_lines


def measure_runs(
    results: Results,
    measurement: Measurement[T],
    *,
    cells: Sequence[str] | None = None,
    overrides: Mapping[str, Any] | None = None,
    again: bool = False,
    jobs: int = 1,
    track: Track = iter,
    problems: Sequence[str] = (),
) -> MeasuredRuns[T]:
    """Measure the runs of cells where they lie.

    Args:
        results: the runs.
        measurement: of each.
        cells: in this order; None for all.
        overrides: of the runs' configs, e.g. ``{"data.root": ...}`` where the data have moved.
        again: also runs whose folders have the numbers.
        jobs: runs measured at once, each in a process.
        track: wraps the runs.
        problems: what else is wrong with what is asked for.

    Raises:
        ValueError: for unknown cells and wrong settings, with all problems at once; where no run
            has numbers, and some are lost.
    """
    if wrong := [*name_problems("cell", cells, results.cells), *problems, *measurement.problems()]:
        raise ValueError("; ".join(wrong))
    runs = _runs(results, cells)
    how: dict[str, Any] = {"overrides": overrides or {}, "again": again}
    if jobs > 1:
        _measure_at_once(jobs, measurement, [run_dir for *_, run_dir in runs], how)
        how["again"] = False
    measured: MeasuredRuns[T] = MeasuredRuns(title=results.title)
    for cell, seed, run_dir in track(runs):
        measured.add((cell, seed), partial(measurement.of, run_dir, **how), measurement.check)
    if measured.lost and not measured.found:
        raise ValueError("\n  ".join(["no run could be read:", *measured.lost_lines]))
    return measured


def _runs(results: Results, cells: Sequence[str] | None) -> list[tuple[str, int, Path]]:
    """Return cell, seed and folder of the runs of cells, in the order of the cells and seeds."""
    wanted = list(dict.fromkeys(results.cells if cells is None else cells))
    chosen = results.runs[results.runs["cell"].isin(wanted)].to_dict("records")
    runs = [(str(run["cell"]), int(run["seed"]), Path(str(run["run_dir"]))) for run in chosen]
    return sorted(runs, key=lambda run: (wanted.index(run[0]), run[1]))


def _measure_at_once(
    jobs: int, measurement: Measurement[Any], run_dirs: Sequence[Path], how: Mapping[str, Any]
) -> None:
    """Measure runs in processes of their own, which keep what they find in the runs' folders.

    What a run raises is told by whoever comes upon it again.
    """
    missing = [p for p in run_dirs if how["again"] or not measurement.has(p, how["overrides"])]
    run_at_once(jobs, [partial(measurement.of, run_dir, **how) for run_dir in missing])


def run_at_once(jobs: int, calls: Sequence[Callable[[], object]]) -> None:
    """Run calls in ``jobs`` processes, whatever they raise; what they return is dropped."""
    # A forked process would inherit the threads of torch, and hang in them.
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(jobs, mp_context=spawn, initializer=_end_when_done)
    try:
        wait([pool.submit(_run, call) for call in calls])
    finally:
        pool.shutdown(cancel_futures=True)


def _run(call: Callable[[], object]) -> None:
    """What it returns may be large, and is kept in the run's folder."""
    call()


def _end_when_done() -> None:
    """Let this process end when the pool does, whatever a run's components have left running."""
    # Called when the process has left its work, before it waits for threads.
    util.Finalize(None, end_soon, args=(0,), exitpriority=0)
