"""What a SLURM cluster is asked for, and the options that say it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field

from auralsam2.command_line import Real, Whole


@dataclass(frozen=True)
class SlurmSettings:
    """What is asked of the cluster for every job.

    Attributes:
        jobs: at most so many queued and running at a time.
        time_min: limit in minutes; a job that reaches it is queued again and resumes.
        cpus: cores of a job.
        gpus: GPUs of a job.
        mem_gb: memory of a job; None leaves it to the cluster.
        partition: None for the cluster's default.
        requeues: how often a job may be preempted, time out or vanish before its run has failed.
        setup: lines of shell before Python starts, e.g. ``module load cuda``.
        extra: further options of sbatch, e.g. ``{"account": "avs"}``.
        signal_delay_s: warning before the time limit kills.
        poll_s: seconds between looks at the queue.
    """

    jobs: int = 32
    time_min: int = 240
    cpus: int = 4
    gpus: int = 1
    mem_gb: float | None = None
    partition: str | None = None
    requeues: int = 10
    setup: Sequence[str] = ()
    extra: dict[str, str] = field(default_factory=dict)
    signal_delay_s: int = 90
    poll_s: float = 15.0


def add_arguments(parser: argparse._ActionsContainer) -> None:
    """Add ``--slurm-...``."""
    default = SlurmSettings()
    for name, kind, text in (
        ("jobs", Whole(1), "jobs queued and running at a time"),
        ("time-min", Whole(1), "minutes until a job is queued again and resumes"),
        ("cpus", Whole(1), "cores of a job"),
        ("gpus", Whole(0), "GPUs of a job"),
        ("mem-gb", Real(above=0), "memory of a job"),
        ("partition", str, "partition"),
        ("requeues", Whole(0), "how often a job may be preempted, time out or vanish"),
        ("poll-s", Real(above=0), "seconds between looks at the queue"),
    ):
        value = getattr(default, name.replace("-", "_"))
        shown = "the cluster's" if value is None else value
        parser.add_argument(
            f"--slurm-{name}", type=kind, default=value, help=f"{text}; default: {shown}"
        )
    parser.add_argument(
        "--slurm-setup", action="append", default=[], metavar="LINE",
        help="line of shell before Python starts; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--slurm-extra", action="append", default=[], metavar="KEY=VALUE",
        help="any option of sbatch, e.g. account=avs; may be repeated",
    )  # fmt: skip


def read_settings(options: argparse.Namespace) -> SlurmSettings:
    """Return what a command line asks for.

    Raises:
        ValueError: where an option of sbatch has no value.
    """
    problems = [
        f"--slurm-extra got {e!r}, wanted KEY=VALUE" for e in options.slurm_extra if "=" not in e
    ]
    if problems:
        raise ValueError("; ".join(problems))
    return SlurmSettings(
        jobs=options.slurm_jobs,
        time_min=options.slurm_time_min,
        cpus=options.slurm_cpus,
        gpus=options.slurm_gpus,
        mem_gb=options.slurm_mem_gb,
        partition=options.slurm_partition,
        requeues=options.slurm_requeues,
        setup=tuple(options.slurm_setup),
        extra=dict(entry.split("=", 1) for entry in options.slurm_extra),
        # A warning of half the limit is as much as a short job can give.
        signal_delay_s=min(90, options.slurm_time_min * 30),
        poll_s=options.slurm_poll_s,
    )
