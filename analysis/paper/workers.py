"""Measurements of many runs at once, in processes of their own."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from multiprocessing import util

from auralsam2.process_end import end_soon

Measure = Callable[[Sequence[Callable[[], object]]], None]


@contextmanager
def measuring(jobs: int) -> Iterator[Measure | None]:
    """Yield a function that runs measurements, ``jobs`` at once; None where there is one job.

    What a measurement raises is left to the part, which comes upon the same run again.
    """
    if jobs == 1:
        yield None
        return
    # A forked process would inherit the threads of torch, and hang in them.
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(jobs, mp_context=spawn, initializer=_end_when_done)

    def run(measurements: Sequence[Callable[[], object]]) -> None:
        futures: list[Future[object]] = [pool.submit(_done, each) for each in measurements]
        for future in as_completed(futures):
            future.exception()

    try:
        yield run
    finally:
        pool.shutdown(cancel_futures=True)


def _end_when_done() -> None:
    """Let this process end when the pool does, whatever a run's components have left running."""
    # Called when the process has left its work, before it waits for threads.
    util.Finalize(None, end_soon, args=(0,), exitpriority=0)


def _done(measurement: Callable[[], object]) -> None:
    """Run it; what it returns is large, and kept in the run's folder."""
    measurement()
