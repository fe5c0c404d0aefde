"""Jobs of a SLURM cluster, submitted as arrays through submitit."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ablations.executors.base import EXECUTORS, POLL_S, Outcome, R, T, Work
from ablations.executors.remote import Answer, RemoteExecutor, RemoteRuns, Started, do_item, setting
from auralsam2.command_line import Real, Whole
from auralsam2.process_end import end_soon

FOLDER = ".slurm"
"""Beside the run folders: submitit's pickles and logs."""
_RESULT_S = 60.0
"""What writing a result to a slow disk may take."""


@dataclass(frozen=True)
class SlurmSettings:
    """What is asked of the cluster for every job."""

    jobs: int = setting(32, Whole(1), "jobs queued and running at a time")
    time_min: int = setting(240, Whole(1), "minutes until a job is queued again and resumes")
    cpus: int = setting(4, Whole(1), "cores of a job")
    gpus: int = setting(1, Whole(0), "GPUs of a job")
    mem_gb: float | None = setting(None, Real(above=0), "memory of a job")
    partition: str | None = setting(None, str, "partition")
    requeues: int = setting(10, Whole(0), "how often a job may be preempted, time out or vanish")
    poll_s: float = setting(15.0, Real(above=0), "seconds between looks at the queue")
    setup: Sequence[str] = ()  # lines of shell before Python starts, e.g. ``module load cuda``
    # Further options of sbatch, e.g. ``{"account": "avs"}``.
    extra: dict[str, str] = field(default_factory=dict)
    signal_delay_s: int = 90  # warning before the time limit kills


class _Jobs(RemoteRuns[T, R]):
    """Jobs by what submitit calls them."""

    settings: SlurmSettings

    def __init__(self, fn: Work[T, R], settings: SlurmSettings) -> None:
        super().__init__(fn, settings)
        self._looked = time.monotonic()
        self._queue: set[str] | None = None
        self._missing: dict[str, int] = {}

    def most_tries(self) -> int:
        return self.settings.requeues + 1

    def room(self) -> int:
        return self.settings.jobs

    def submit(self, those: Sequence[Started[T]]) -> None:
        executor = self._submitit(those[0].item.run_dir.parent / FOLDER)
        with executor.batch():  # one array
            jobs = [executor.submit(_Task(self.fn, s.item, self.settings.requeues)) for s in those]
        self.running |= dict(zip(jobs, those, strict=True))

    def wait(self) -> None:
        time.sleep(min(POLL_S, self.settings.poll_s))
        self._queue = self._queued()

    def ended(self, job: Any, started: Started[T]) -> Iterator[Outcome[T, R]]:
        if job.paths.result_pickle.exists():
            del self.running[job]
            yield _outcome(job, started)
        elif self._queue is not None and self._is_gone(job.job_id, self._queue):
            del self.running[job]
            said = f"SLURM job {job.job_id} is gone without a result, the last of {started.tries}"
            said += f"; its log: {job.paths.stderr}"
            yield from self.again(started, _place(job.job_id), said)

    def cancel(self) -> None:
        if self.running:
            ids = [job.job_id for job in self.running]
            subprocess.run(["scancel", *ids], check=False, capture_output=True)

    def _queued(self) -> set[str] | None:
        """Ids of this user's jobs; None where the queue was not looked at, or cannot be seen."""
        if time.monotonic() - self._looked < self.settings.poll_s or not self.running:
            return None
        self._looked = time.monotonic()
        # Not sacct: many clusters keep no accounts.
        query = ["squeue", "--noheader", "--array", f"--user={os.getuid()}", "--format=%i"]
        answer = subprocess.run(query, check=False, capture_output=True, text=True)
        return set(answer.stdout.split()) if answer.returncode == 0 else None

    def _is_gone(self, job_id: str, queued: set[str]) -> bool:
        """Whether a job was missing twice: its result may still be on its way to this disk."""
        self._missing[job_id] = 0 if job_id in queued else self._missing.get(job_id, 0) + 1
        return self._missing[job_id] >= 2

    def _submitit(self, folder: Path) -> Any:
        import submitit

        executor = submitit.SlurmExecutor(folder=folder)
        wanted = self.settings
        executor.update_parameters(
            job_name="auralsam2",
            time=wanted.time_min,
            cpus_per_task=wanted.cpus,
            gpus_per_node=wanted.gpus or None,
            mem=None if wanted.mem_gb is None else f"{round(wanted.mem_gb * 1024)}MB",
            partition=wanted.partition,
            setup=list(wanted.setup) or None,
            signal_delay_s=wanted.signal_delay_s,
            additional_parameters={"requeue": True, **wanted.extra},
        )
        return executor


@EXECUTORS.register_module("slurm")
class SlurmExecutor(RemoteExecutor):
    """Jobs of a SLURM cluster; preempted and timed-out ones are queued again and resume.

    Closing cancels the jobs. A driver that is killed leaves them; the next one waits for them.

    Raises:
        FileNotFoundError: where this machine cannot submit, or submitit is missing.
    """

    prefix, kind_of_settings, runs = "slurm", SlurmSettings, _Jobs

    def __init__(self, settings: SlurmSettings) -> None:
        super().__init__(settings)
        if problems := self.problems():
            raise FileNotFoundError(f"--executor slurm: {'; '.join(problems)}")

    @classmethod
    def problems(cls) -> list[str]:
        """Programs of SLURM that are missing here, and submitit."""
        problems = []
        if missing := [c for c in ("sbatch", "squeue", "scancel") if shutil.which(c) is None]:
            problems.append(
                f"no {', '.join(missing)} on this machine; start the driver where jobs are "
                "submitted"
            )
        if find_spec("submitit") is None:
            problems.append("no submitit: pip install 'auralsam2[slurm]'")
        return problems

    @classmethod
    def add_arguments(cls, parser: argparse._ActionsContainer) -> None:
        """Add ``--slurm-...``."""
        super().add_arguments(parser)
        add = parser.add_argument
        several: dict[str, Any] = {"action": "append", "default": []}
        text = "line of shell before Python starts; may be repeated"
        add("--slurm-setup", **several, metavar="LINE", help=text)
        text = "any option of sbatch, e.g. account=avs; may be repeated"
        add("--slurm-extra", **several, metavar="KEY=VALUE", help=text)

    @classmethod
    def from_options(cls, options: argparse.Namespace, **more: Any) -> RemoteExecutor:
        """Return one as asked for.

        Raises:
            ValueError: where an option of sbatch has no value.
        """
        if wrong := [entry for entry in options.slurm_extra if "=" not in entry]:
            raise ValueError("; ".join(f"--slurm-extra got {e!r}, wanted KEY=VALUE" for e in wrong))
        return super().from_options(
            options,
            setup=tuple(options.slurm_setup),
            extra=dict(entry.split("=", 1) for entry in options.slurm_extra),
            # A warning of half the limit is as much as a short job can give.
            signal_delay_s=min(90, options.slurm_time_min * 30),
            **more,
        )


class _Task:
    """What a job does; submitit asks `checkpoint` when the cluster wants the node back."""

    def __init__(self, fn: Any, item: Any, requeues: int) -> None:
        self.fn, self.item, self.requeues = fn, item, requeues
        self.folder = os.getcwd()

    def __call__(self) -> Answer:
        try:
            return do_item(self.fn, self.item, _place(_own_id()), self.folder)
        finally:
            # A thread that is left would hold the job's place; the result is yet to be written.
            end_soon(0, _RESULT_S)

    def checkpoint(self) -> None:
        """Queue this job again, and leave the run as an interrupt leaves it: resumable.

        Raises:
            RuntimeError: where that has happened too often; it becomes the run's failure.
        """
        before = int(os.environ.get("SLURM_RESTART_COUNT", "0"))
        if before >= self.requeues:
            raise RuntimeError(
                f"preempted or timed out {before + 1} times (--slurm-requeues {self.requeues})"
            )
        # By hand: submitit would leave by SystemExit, which a run takes for its own failure.
        subprocess.run(["scontrol", "requeue", _own_id()], check=True, timeout=60)
        raise KeyboardInterrupt


def _own_id() -> str:
    array = os.environ.get("SLURM_ARRAY_JOB_ID")
    return f"{array}_{os.environ['SLURM_ARRAY_TASK_ID']}" if array else os.environ["SLURM_JOB_ID"]


def _place(job_id: str) -> str:
    return f"SLURM job {job_id}"


def _outcome(job: Any, started: Started[Any]) -> Outcome[Any, Any]:
    from submitit.core.utils import UncompletedJobError

    try:
        return Outcome(started.item, *job.result())
    except UncompletedJobError as error:
        return Outcome(started.item, error=str(error), lost=True)
    except Exception as error:  # submitit's, of the traceback that the job left
        return Outcome(started.item, error=str(error))
