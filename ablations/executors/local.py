"""This process alone, or several of this machine, on its CPU cores or on GPUs."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import signal
import time
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from multiprocessing import connection
from typing import Any, Generic

from ablations.executors.base import (
    EXECUTORS,
    POLL_S,
    Executor,
    Listener,
    Outcome,
    Outcomes,
    R,
    Source,
    T,
    Work,
)
from ablations.executors.worker import serve
from ablations.runs.processes import output_to
from auralsam2.command_line import Whole
from auralsam2.engine.progress import Progress
from auralsam2.process_end import GRACE_S

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
GPU_VARIABLE = "CUDA_VISIBLE_DEVICES"
_MAX_DEFAULT_JOBS = 4


@EXECUTORS.register_module("inline")
class InlineExecutor(Executor):
    """One item after the other in this process: for debuggers."""

    @classmethod
    def from_options(cls, options: argparse.Namespace) -> InlineExecutor:
        """Return one: there is nothing to choose."""
        return cls()

    def map(self, fn: Work[T, R], items: Iterable[T | None], display: Listener) -> Outcomes[T, R]:
        """Yield an outcome as each item ends."""
        source = Source(items)
        while not source.empty:
            item = source.next()
            if item is None:
                if not source.empty:
                    time.sleep(POLL_S)
                continue
            progress = display.run_started(item.label)
            try:
                with output_to(item.run_dir):
                    outcome: Outcome[T, R] = Outcome(item, fn(item, progress))
            except Exception:
                outcome = Outcome(item, error=traceback.format_exc())
            yield outcome


@EXECUTORS.register_module("local")
class LocalExecutor(Executor):
    """Processes of this machine, each doing one item after the other.

    A process that dies is replaced. All of them end with this one, however it ends.

    Args:
        num_processes: how many items at a time, or on every GPU.
        gpus: each process sees one of these, as CUDA calls them; none leaves all visible.

    Processes share the CPU cores, unless ``OMP_NUM_THREADS`` states the threads of each.
    """

    def __init__(self, num_processes: int, gpus: Sequence[str] = ()) -> None:
        # GPUs in turn, so that few runs spread out.
        on_gpus = [{GPU_VARIABLE: gpu} for _ in range(num_processes) for gpu in gpus]
        self.slots: list[dict[str, str]] = on_gpus or [{}] * num_processes
        self.num_processes = len(self.slots)
        stated = os.environ.get(THREAD_VARIABLES[0], "")
        shared = int(stated) if stated.isdigit() else num_cores() // self.num_processes
        self.num_threads = max(1, shared)

    @classmethod
    def add_arguments(cls, parser: argparse._ActionsContainer) -> None:
        """Add ``--jobs``, ``--gpus`` and ``--jobs-per-gpu``."""
        add = parser.add_argument
        text = "runs at a time, 0 for one in this process; default: 1 on a GPU, else one a CPU "
        add("--jobs", type=Whole(0), help=text + "core and at most 4")
        text = "give every process one of these GPUs to itself"
        add("--gpus", nargs="+", metavar="0,1|all", help=text)
        text = "processes on each of --gpus; default: 1"
        add("--jobs-per-gpu", type=Whole(1), metavar="N", help=text)

    @classmethod
    def from_options(cls, options: argparse.Namespace) -> Executor:
        """Return processes as asked for; ``--jobs 0`` means none but this one.

        Raises:
            ValueError: for options that exclude each other, and GPUs that are not to be seen.
        """
        jobs, each = options.jobs, options.jobs_per_gpu
        if options.gpus is None:
            if each is not None:
                raise ValueError("--jobs-per-gpu needs --gpus, e.g. --gpus 0,1")
            if jobs == 0:
                return InlineExecutor()
            return cls(default_jobs(options) if jobs is None else jobs)
        if jobs is not None:
            raise ValueError("--gpus and --jobs exclude each other; use --jobs-per-gpu")
        return cls(1 if each is None else each, gpus=find_gpus(",".join(options.gpus)))

    def map(self, fn: Work[T, R], items: Iterable[T | None], display: Listener) -> Outcomes[T, R]:
        """Yield an outcome as each item ends; ``fn`` and the items must be picklable."""
        source = Source(items)
        workers: list[_Worker[T, R] | None] = [None] * self.num_processes
        try:
            while not source.empty or any(w is not None and w.item is not None for w in workers):
                for index, worker in enumerate(workers):
                    if worker is not None and worker.item is not None:
                        continue
                    if (item := source.next()) is None:
                        break
                    if worker is None or not worker.is_ready():
                        worker = workers[index] = _Worker(self._environment(index))
                    worker.assign(fn, item, display)
                busy = [w for w in workers if w is not None and w.item is not None]
                if busy:
                    connection.wait([worker.pipe for worker in busy], timeout=POLL_S)
                elif not source.empty:
                    time.sleep(POLL_S)
                for worker in busy:
                    yield from worker.receive()
        finally:
            _stop([worker for worker in workers if worker is not None])

    def _environment(self, index: int) -> dict[str, str]:
        threads = dict.fromkeys(THREAD_VARIABLES, str(self.num_threads))
        return {**threads, **self.slots[index]}


def find_gpus(stated: str) -> list[str]:
    """Return the GPUs that a command line names.

    Args:
        stated: ``"0,1"`` or other names that CUDA takes, or ``"all"``.

    Raises:
        ValueError: where there is none, one stands twice, or one is hidden from this process.
    """
    hidden = os.environ.get(GPU_VARIABLE)
    visible = None if hidden is None else _split(hidden)
    gpus = (visible if visible is not None else _all_gpus()) if stated == "all" else _split(stated)
    if not gpus:
        raise ValueError(f"--gpus got {stated!r}: no GPU; name some, e.g. --gpus 0,1")
    problems = [f"{gpu} stands twice" for gpu in dict.fromkeys(gpus) if gpus.count(gpu) > 1]
    if visible is not None:
        problems += [
            f"{gpu} is not in {GPU_VARIABLE}={hidden}" for gpu in gpus if gpu not in visible
        ]
    if problems:
        raise ValueError(f"--gpus got {stated!r}: " + "; ".join(problems))
    return gpus


def default_jobs(options: argparse.Namespace) -> int:
    """Return how many items go at a time: one on a GPU, else one a core, at most four."""
    if options.on_gpu():
        return 1
    at_most: int = options.num_items
    return max(1, min(at_most, num_cores(), _MAX_DEFAULT_JOBS))


def num_cores() -> int:
    """Return the number of CPU cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _split(names: str) -> list[str]:
    return [name.strip() for name in names.split(",") if name.strip()]


def _all_gpus() -> list[str]:
    import torch

    return [str(index) for index in range(torch.cuda.device_count())]


class _Worker(Generic[T, R]):
    """A process, the pipe to it, and what it does now."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        context = multiprocessing.get_context("spawn")  # CUDA and threads do not survive a fork
        # A pipe each: a process killed while it writes would block a shared queue.
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, dict(environment)))
        self.process.start()
        theirs.close()
        self.item: T | None = None
        self.progress: Progress | None = None
        self.retiring = False

    def is_ready(self) -> bool:
        """Whether the process takes another item; one that retires has gone then."""
        if self.retiring:
            self.process.join(GRACE_S)  # until then it holds the memory of its GPU
        return self.process.is_alive() and not self.retiring

    def assign(self, fn: Work[T, R], item: T, display: Listener) -> None:
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
                    for call, arguments in payload:
                        getattr(self.progress, call)(*arguments)
                elif kind == "retiring":
                    self.retiring = True
                else:
                    yield self._ended(**{kind: payload})
        except (EOFError, ConnectionResetError):
            self.process.join(GRACE_S)
            died = True
        if died and self.item is not None:
            killed = self.process.exitcode == -signal.SIGKILL
            yield self._ended(error=self._death(), lost=True, out_of_memory=killed)

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


def _stop(workers: Sequence[_Worker[Any, Any]]) -> None:
    """End all processes: idle ones by themselves, busy ones by a signal."""
    for worker in workers:
        if worker.item is not None:
            worker.process.terminate()
        worker.pipe.close()
    deadline = time.monotonic() + GRACE_S
    for worker in workers:
        worker.process.join(max(0.0, deadline - time.monotonic()))
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()
