"""Where runs happen: one call, ``map``, in this process or in processes of their own.

An executor knows nothing of grids: it calls ``fn(item, progress)`` for every item and yields an
`Outcome` as each ends. What goes wrong with one item, a killed process included, ends that item
only.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
import traceback
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import connection
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from ablations.progress import Display
from ablations.run_log import output_to
from auralsam2.engine.progress import Progress

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_POLL_S = 1.0
_GRACE_S = 5.0
_MESSAGE_EVERY_S = 0.2


class Item(Protocol):
    """What an executor needs to know of a piece of work."""

    @property
    def label(self) -> str:
        """Name for the display."""
        ...

    @property
    def run_dir(self) -> Path:
        """Folder of its log."""
        ...


T = TypeVar("T", bound=Item)
R = TypeVar("R")
T_contra = TypeVar("T_contra", bound=Item, contravariant=True)
R_co = TypeVar("R_co", covariant=True)


class Work(Protocol[T_contra, R_co]):
    """A function that does one item."""

    def __call__(self, item: T_contra, progress: Progress, /) -> R_co:
        """Do ``item``, telling ``progress``."""
        ...


@dataclass(frozen=True)
class Outcome(Generic[T, R]):
    """How an item ended.

    Attributes:
        item: what was done.
        result: what the function returned.
        error: traceback, or how the process died; None where there is a result.
    """

    item: T
    result: R | None = None
    error: str | None = None


# A generator, so that the caller can end everything by closing it.
Outcomes = Generator[Outcome[T, R], None, None]


class Executor(Protocol):
    """Runs a function over items."""

    def map(self, fn: Work[T, R], items: Sequence[T], display: Display) -> Outcomes[T, R]:
        """Yield an outcome as each item ends, in any order."""
        ...


class InlineExecutor:
    """One after the other in this process: for debuggers."""

    def map(self, fn: Work[T, R], items: Sequence[T], display: Display) -> Outcomes[T, R]:
        """Yield an outcome as each item ends."""
        for item in items:
            progress = display.run_started(item.label)
            try:
                with output_to(item.run_dir):
                    outcome: Outcome[T, R] = Outcome(item, fn(item, progress))
            except Exception:
                outcome = Outcome(item, error=traceback.format_exc())
            yield outcome


class LocalExecutor:
    """Processes of this machine, each doing one item after the other.

    A process that dies is replaced. All of them end with this one, however it ends.

    Args:
        num_processes: how many items at a time.
        num_threads: of each process; None shares the CPU cores among them, or keeps
            ``OMP_NUM_THREADS`` where it is set.
    """

    def __init__(self, num_processes: int, num_threads: int | None = None) -> None:
        if num_processes < 1:
            raise ValueError(f"num_processes must be at least 1, got {num_processes}")
        self.num_processes = num_processes
        stated = os.environ.get(THREAD_VARIABLES[0], "")
        shared = int(stated) if stated.isdigit() else num_cores() // num_processes
        self.num_threads = max(1, num_threads if num_threads is not None else shared)

    def map(self, fn: Work[T, R], items: Sequence[T], display: Display) -> Outcomes[T, R]:
        """Yield an outcome as each item ends; ``fn`` and the items must be picklable."""
        waiting = deque(items)
        slots: list[_Slot[T, R]] = []
        try:
            while waiting or any(slot.item is not None for slot in slots):
                slots = [s for s in slots if s.item is not None or s.process.is_alive()]
                while waiting and len(slots) < self.num_processes:
                    slots.append(_Slot(self.num_threads))
                for slot in slots:
                    if slot.item is None and waiting:
                        slot.assign(fn, waiting.popleft(), display)
                connection.wait([slot.pipe for slot in slots], timeout=_POLL_S)
                for slot in slots:
                    yield from slot.receive()
        finally:
            _stop(slots)


def num_cores() -> int:
    """Return the number of CPU cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Slot(Generic[T, R]):
    """A process, the pipe to it, and what it does now."""

    def __init__(self, num_threads: int) -> None:
        context = multiprocessing.get_context("spawn")  # CUDA and threads do not survive a fork
        # A pipe each: a process killed while it writes would block a shared queue.
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, num_threads))
        self.process.start()
        theirs.close()
        self.item: T | None = None
        self.progress: Progress | None = None

    def assign(self, fn: Work[T, R], item: T, display: Display) -> None:
        self.item, self.progress = item, display.run_started(item.label)
        with suppress(BrokenPipeError, ConnectionResetError):  # receive() reports its death
            self.pipe.send((fn, item))

    def receive(self) -> Iterator[Outcome[T, R]]:
        """Pass on progress; yield the outcome where the item has ended."""
        # Before the pipe is read: what a process sent before it died must not be lost.
        died = not self.process.is_alive()
        try:
            while self.item is not None and self.pipe.poll():
                kind, payload = self.pipe.recv()
                if kind == "progress":
                    _replay(self.progress, payload)
                else:
                    yield self._ended(**{kind: payload})
        except (EOFError, ConnectionResetError):
            self.process.join(_GRACE_S)
            died = True
        if died and self.item is not None:
            yield self._ended(error=self._death())

    def _ended(self, **how: Any) -> Outcome[T, R]:
        assert self.item is not None
        outcome: Outcome[T, R] = Outcome(self.item, **how)
        self.item = self.progress = None
        return outcome

    def _death(self) -> str:
        code = self.process.exitcode
        how = f"exit status {code}"
        if code is not None and code < 0:
            how = f"signal {-code}, {signal.strsignal(-code)}"
        hint = "; the system kills processes that use too much memory" if code == -9 else ""
        return f"the process of this run died ({how}){hint}"


def _replay(progress: Progress | None, calls: Sequence[tuple[str, tuple[Any, ...]]]) -> None:
    for name, arguments in calls:
        getattr(progress, name)(*arguments)


def _stop(slots: Sequence[_Slot[Any, Any]]) -> None:
    """End all processes: idle ones by themselves, busy ones by a signal."""
    for slot in slots:
        if slot.item is not None:
            slot.process.terminate()
        slot.pipe.close()
    deadline = time.monotonic() + _GRACE_S
    for slot in slots:
        slot.process.join(max(0.0, deadline - time.monotonic()))
        if slot.process.is_alive():
            slot.process.kill()
            slot.process.join()


class _PipeProgress:
    """Collects what a run tells and sends it a few times a second."""

    def __init__(self, pipe: Connection) -> None:
        self.pipe = pipe
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self.sent = 0.0

    def start_run(self, total_steps: int, epochs: int) -> None:
        self._add("start_run", total_steps, epochs, flush=True)

    def step(self, epoch: int, epochs: int, postfix: str) -> None:
        self._add("step", epoch, epochs, postfix)

    def finish_run(self) -> None:
        self._add("finish_run", flush=True)

    def flush(self) -> None:
        if self.calls:
            self.pipe.send(("progress", self.calls))
            self.calls = []

    def _add(self, name: str, *arguments: Any, flush: bool = False) -> None:
        self.calls.append((name, arguments))
        if flush or time.monotonic() - self.sent > _MESSAGE_EVERY_S:
            self.sent = time.monotonic()
            self.flush()


def _serve(pipe: Connection, num_threads: int) -> None:
    """Do items until the parent closes the pipe: the main function of a process."""
    for variable in THREAD_VARIABLES:  # read when torch and numpy are imported, which is later
        os.environ[variable] = str(num_threads)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the parent decides
    threading.Thread(target=_die_with_parent, daemon=True).start()
    while True:
        try:
            fn, item = pipe.recv()
        except EOFError:
            return
        progress = _PipeProgress(pipe)
        try:
            with output_to(item.run_dir):
                message = ("result", fn(item, progress))
        except Exception:
            message = ("error", traceback.format_exc())
        progress.flush()
        pipe.send(message)


def _die_with_parent() -> None:
    """Leave at once when the parent is gone: a killed grid must not train on unseen."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    connection.wait([parent.sentinel])
    os._exit(1)
