"""Work on many clips in several processes."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def in_processes(
    work: Callable[[T], R], items: Sequence[T], workers: int, chunk: int = 1
) -> Iterator[R]:
    """Results of all items, in order.

    Args:
        work: function of an item, which can be pickled.
        items: what to work on.
        workers: processes; with one, or where it would get everything, this one does the work.
        chunk: items handed to a worker at once.
    """
    if workers <= 1 or len(items) <= chunk:
        yield from map(work, items)
        return
    # A fork of a process with threads, as OpenCV's or torch's, may wait for ever.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=_one_thread) as pool:
        yield from pool.map(work, items, chunksize=chunk)


def _one_thread() -> None:
    """OpenCV would start as many threads as cores in each process."""
    import cv2

    cv2.setNumThreads(1)
